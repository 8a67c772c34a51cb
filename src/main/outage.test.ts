import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Delivery, DeliveryDetail, DestinationHealthView, Overview } from '../contract.ts'
import { followPartner } from '../partner/partner-view.ts'
import { defineOverApi } from '../testkit/define-over-api.ts'
import { freePort } from '../testkit/free-port.ts'
import { startReceiver } from '../testkit/receiver.ts'
import { startWholeServer } from '../testkit/start-whole-server.ts'

/** The whole server with partners that are really broken, and what it says of them in each place. */
let dataDir = ''
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'usher-outage-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

type Running = Awaited<ReturnType<typeof startWholeServer>>
const ANNA = '7'.repeat(38)

/** Answers each request as told, or never. */
async function startBroken(answer: (response: ServerResponse) => void) {
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => request.resume().on('end', () => answer(response)))
  server.on('connection', (socket) => sockets.add(socket))
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${port}/in`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

async function addDestination(usher: Running, name: string, url: string, dataSourceId: number, sid: number) {
  const s2s = { url, userDpid: dataSourceId, delivery: 'realtime', timeoutMs: 1_000 }
  const draft = { name, destinationType: 'S2S', s2s }
  const { destinationId } = await usher.api<{ destinationId: number }>('POST', '/v1/destinations/', draft)
  const mapping = { sid, traitType: 'SEGMENT', startDate: '2026-01-01' }
  await usher.api('POST', `/v1/destinations/${destinationId}/mappings/`, mapping)
  return destinationId
}
const define = (usher: Running, url: string) =>
  defineOverApi(usher, {
    traits: [{ name: 'look' }],
    segments: [{ name: 'lookers', rule: ({ look }) => `${look}T` }],
    url,
    auth: { type: 'none' },
  })
const visit = (usher: Running, dataSourceId: number, device = ANNA) =>
  fetch(`${usher.edgeUrl}/event?d_uuid=${device}&d_cid=${dataSourceId}%01${device.slice(-4)}&d_rtbd=json&c_do=look`)
const readOverview = (usher: Running) => usher.api<Overview>('GET', '/v1/overview?window=1h')
const readHealth = (usher: Running, id: number) =>
  usher.api<DestinationHealthView>('GET', `/v1/destinations/${id}/health`)

test('with one partner answering 400, one never and one 410, card, ledger, flow, headline and health all say so from the first attempt on [OPS-40] [SEC-47]', async () => {
  await using good = await startReceiver()
  await using refusing = await startBroken((response) => response.writeHead(400).end('{"error":"unknown segment"}'))
  await using silent = await startBroken(() => {})
  await using gone = await startBroken((response) => response.writeHead(410).end())
  await using usher = await startWholeServer(dataDir)
  const { dataSourceId, destinationId, segmentIds } = await define(usher, `${good.url}/aam`)
  const sid = segmentIds[0] as number
  const ids = {
    refusing: await addDestination(usher, 'refusing', refusing.url, dataSourceId, sid),
    silent: await addDestination(usher, 'silent', silent.url, dataSourceId, sid),
    gone: await addDestination(usher, 'gone', gone.url, dataSourceId, sid),
  }
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  await visit(usher, dataSourceId)

  const stateOf = async (id: number) => (await readHealth(usher, id)).state
  const states = () => Promise.all([ids.gone, ids.refusing, ids.silent, destinationId].map(stateOf))
  await expect.poll(states, { timeout: 15_000 }).toEqual(['paused', 'failing', 'failing', 'delivering'])
  await expect.poll(async () => (await readOverview(usher)).figures.acknowledged).toBe(1)
  const overview = await readOverview(usher)

  expect(
    overview.needsAttention.map(({ kind, destinationId, reason, count }) => [kind, destinationId, reason, count]),
  ).toEqual([
    ['paused', ids.gone, 'gone', 1],
    ['failing', ids.refusing, 'http_400', 1],
    ['failing', ids.silent, 'timeout', 1],
    ['private_destinations', null, null, null],
  ])
  expect(
    overview.ledger.map(({ destinationId, state, reason, acknowledged, waiting, dead }) => {
      return [destinationId, state, reason, acknowledged, waiting, dead]
    }),
  ).toEqual([
    [ids.gone, 'paused', 'gone', 0, 1, 0],
    [ids.refusing, 'failing', 'http_400', 0, 1, 0],
    [ids.silent, 'failing', 'timeout', 0, 1, 0],
    [destinationId, 'delivering', null, 1, 0, 0],
  ])
  expect(overview.flow.destinations.map((one) => [one.destinationId, one.state])).toEqual(
    overview.ledger.map((one) => [one.destinationId, one.state]),
  )
  // One of four arrived: three are refused, though none of them is a dead letter yet.
  expect(overview.figures).toMatchObject({ acknowledged: 1, dead: 0, refused: 3, acknowledgedShare: 0.25 })

  const inLedger = overview.ledger.find((one) => one.destinationId === ids.refusing)
  const health = await readHealth(usher, ids.refusing)
  expect([health.state, health.reason, health.since]).toEqual([inLedger?.state, inLedger?.reason, inLedger?.since])
  // The second attempt comes 5 s after the first, give or take a fifth.
  const waitMs = Date.parse(String(inLedger?.nextAttempt)) - Date.parse(String(inLedger?.since))
  expect(waitMs).toBeGreaterThan(3_900)
  expect(waitMs).toBeLessThan(7_500)
  expect((await readHealth(usher, ids.gone)).nextAttempt).toBeNull()
})

test('an outage during which a visitor opts out ends: the partner owes itself nothing more, nor does Usher owe it anything [SEC-79]', async () => {
  await using receiver = await startReceiver()
  const view = followPartner(receiver, (id) => id)
  await using usher = await startWholeServer(dataDir)
  const { dataSourceId, destinationId, segmentIds } = await define(usher, `${receiver.url}/aam`)
  receiver.setBehaviour({ answer: 503 })
  await visit(usher, dataSourceId)
  await expect.poll(() => view(undefined).owed).toBe(1)
  await fetch(`${usher.edgeUrl}/demoptout.jpg?d_uuid=${ANNA}`)
  receiver.setBehaviour({})
  await usher.api('POST', `/v1/destinations/${destinationId}/resume`, {})
  await expect.poll(() => view(undefined), { timeout: 10_000 }).toMatchObject({ owed: 0, recovered: 1 })
  await expect.poll(async () => (await readHealth(usher, destinationId)).openMessages).toBe(0)
  expect((await readOverview(usher)).figures).toMatchObject({ refused: 0, waiting: 0 })
  expect(receiver.state.members(String(segmentIds[0]))).toEqual([])
})

test('a destination whose stored settings cannot be read is said, keeps being owed, and is told when it is saved anew [SEC-40]', async () => {
  await using receiver = await startReceiver()
  let made: Awaited<ReturnType<typeof define>>
  {
    await using usher = await startWholeServer(dataDir)
    made = await define(usher, `${receiver.url}/aam`)
  }
  const { dataSourceId, destinationId, segmentIds } = made
  const catalog = new Database(join(dataDir, 'catalog.sqlite'))
  catalog.exec(`update destinations set sealed_config = 'AQIDBA==' where destination_id = ${destinationId}`)
  catalog.close()

  await using usher = await startWholeServer(dataDir)
  await visit(usher, dataSourceId)
  const reason = 'the stored settings cannot be read'
  expect(await readHealth(usher, destinationId)).toMatchObject({ state: 'unusable', reason, nextAttempt: null })
  const { needsAttention, ledger } = await readOverview(usher)
  expect(needsAttention[0]).toMatchObject({ kind: 'unusable', destinationId, reason })
  expect(ledger).toMatchObject([{ destinationId, name: 'receiver', state: 'unusable', reason, waiting: 1 }])
  const list = await usher.api<{ destinationId: number }[]>('GET', '/v1/destinations')
  expect(list.map((one) => one.destinationId)).toEqual([destinationId])
  await usher.api('GET', `/v1/destinations/${destinationId}`)

  const s2s = { url: `${receiver.url}/aam`, userDpid: dataSourceId, delivery: 'realtime' }
  const draft = { name: 'receiver', destinationType: 'S2S', s2s }
  await usher.api('PUT', `/v1/destinations/${destinationId}`, draft)
  await expect.poll(() => receiver.state.members(String(segmentIds[0])), { timeout: 10_000 }).toEqual(['7777'])
  await expect.poll(async () => (await readHealth(usher, destinationId)).state).toBe('delivering')
})

test('a destination made again under the id of a deleted one is not paused by what the old one did, nor sent its messages [SEC-47]', async () => {
  await using receiver = await startReceiver()
  await using gone = await startBroken((response) => response.writeHead(410).end())
  await using usher = await startWholeServer(dataDir)
  const { dataSourceId, segmentIds } = await define(usher, `${receiver.url}/aam`)
  const sid = segmentIds[0] as number
  const destinationId = await addDestination(usher, 'gone', gone.url, dataSourceId, sid)
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  await visit(usher, dataSourceId)
  await expect.poll(async () => (await readHealth(usher, destinationId)).state).toBe('paused')
  for (const { mappingId } of await usher.api<{ mappingId: number }[]>(
    'GET',
    `/v1/destinations/${destinationId}/mappings/`,
  ))
    await usher.api('DELETE', `/v1/destinations/${destinationId}/mappings/${mappingId}`)
  await usher.api('DELETE', `/v1/destinations/${destinationId}`)
  // At once: no rulebook between the two has to be met.
  const s2s = { url: `${receiver.url}/aam`, userDpid: dataSourceId, delivery: 'realtime' }
  const draft = { destinationId, name: 'made again', destinationType: 'S2S', s2s }
  await usher.api('POST', '/v1/destinations/', draft)
  await expect.poll(async () => (await readHealth(usher, destinationId)).state).toBe('delivering')
  expect(await readHealth(usher, destinationId)).toMatchObject({ paused: null, refusedInRow: 0, lastFailure: null })
  const dead = await usher.api<{ list: object[] }>('GET', `/v1/deliveries?destinationId=${destinationId}`)
  expect(dead.list).toMatchObject([{ status: 'dead', reason: 'destination_deleted' }])
  expect(receiver.state.members(String(sid))).toEqual([ANNA.slice(-4)])
  expect(receiver.records).toHaveLength(1)
})

test('who waits is one number of users in card, ledger, headline and health, whether a message is built or not; the list of messages holds what is built [OPS-40]', async () => {
  await using failing = await startBroken((response) => response.writeHead(503).end())
  await using receiver = await startReceiver()
  await using usher = await startWholeServer(dataDir)
  const { dataSourceId, destinationId, segmentIds } = await define(usher, `${receiver.url}/aam`)
  const other = await addDestination(usher, 'failing', failing.url, dataSourceId, segmentIds[0] as number)
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  await usher.api('POST', `/v1/destinations/${destinationId}/pause`, {})
  const visitors = ['1', '2', '3'].map((digit) => digit.repeat(38))
  for (const visitor of visitors) await visit(usher, dataSourceId, visitor)
  const stateOf = async () => (await readHealth(usher, other)).state
  await expect.poll(stateOf, { timeout: 15_000 }).toBe('failing')

  const overview = await readOverview(usher)
  const built = async (id: number) =>
    (await usher.api<{ total: number }>('GET', `/v1/deliveries?destinationId=${id}`)).total
  for (const [id, messages] of [
    [destinationId, 0],
    [other, await built(other)],
  ] as const) {
    const isOfIt = (one: { destinationId: number | null }) => one.destinationId === id
    const owed = { waitingUsers: 3, openMessages: messages, moreOnDisk: false }
    expect(await readHealth(usher, id)).toMatchObject(owed)
    expect(overview.ledger.find(isOfIt)).toMatchObject(owed)
    expect(overview.flow.destinations.find(isOfIt)).toMatchObject(owed)
    expect(overview.needsAttention.find(isOfIt)).toMatchObject({ count: 3, messages, atLeast: false })
    expect(await built(id)).toBe(messages)
  }
  expect(await built(other)).toBeGreaterThan(0)
  expect(overview.figures.waitingUsers).toBe(6)

  // A message that is tried again says when, as its destination does.
  const { nextAttempt } = await readHealth(usher, other)
  const [open] = (await usher.api<{ list: Delivery[] }>('GET', `/v1/deliveries?destinationId=${other}&pageSize=1`)).list
  const shown = await usher.api<DeliveryDetail>('GET', `/v1/deliveries/${open?.deliveryId}`)
  expect(shown.finishedAt).toBeNull()
  expect(Date.parse(String(shown.nextAttempt))).toBeGreaterThanOrEqual(Date.parse(String(nextAttempt)))
})
