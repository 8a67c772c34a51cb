import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { DeliveryDetail, Overview, ReplayAnswer } from '../contract.ts'
import { defineOverApi } from '../testkit/define-over-api.ts'
import { startReceiver } from '../testkit/receiver.ts'
import { startWholeServer } from '../testkit/start-whole-server.ts'

/** The whole server, where a destination is deleted and another one gets its id. */
let dataDir = ''
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'usher-again-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

type Running = Awaited<ReturnType<typeof startWholeServer>>
const overview = (usher: Running) => usher.api<Overview>('GET', '/v1/overview?window=1h')
const rowOf = async (usher: Running, id: number) =>
  (await overview(usher)).ledger.find(({ destinationId }) => destinationId === id)
const deadLetters = async (usher: Running) =>
  (await overview(usher)).needsAttention.filter(({ kind }) => kind === 'dead_letters')

test('a deleted destination leaves one entry with the others that were; another one under its id begins at zero and is sent nothing of it [SEC-48~] [OPS-40~]', async () => {
  await using refusing = await startReceiver()
  await using receiver = await startReceiver()
  refusing.setBehaviour({ answer: 400 })
  const auth = { type: 'none' }
  const s2s = { mode: 'compat', userDpid: 0, auth }
  let total = 0
  {
    await using usher = await startWholeServer(dataDir)
    const { dataSourceId, segmentIds } = await defineOverApi(usher, {
      traits: [{ name: 'look' }],
      segments: [{ name: 'Lookers', rule: ({ look }) => `${look}T` }],
      url: `${receiver.url}/unused`,
      auth,
    })
    const settings = { ...s2s, userDpid: dataSourceId }
    const make = async (destinationId: number, url: string) => {
      const draft = { destinationId, name: `D${destinationId}`, destinationType: 'S2S', s2s: { ...settings, url } }
      await usher.api('POST', '/v1/destinations/', draft)
      const body = { sid: segmentIds[0] }
      return usher.api<{ mappingId: number }>('POST', `/v1/destinations/${destinationId}/mappings`, body)
    }
    const remove = async (destinationId: number, mappingId: number) => {
      await usher.api('DELETE', `/v1/destinations/${destinationId}/mappings/${mappingId}`)
      await usher.api('DELETE', `/v1/destinations/${destinationId}`)
    }
    const mappings = [await make(4003, `${refusing.url}/a`), await make(4004, `${refusing.url}/b`)]
    await expect.poll(async () => (await rowOf(usher, 4004))?.name, { timeout: 10_000 }).toBe('D4004')
    // Until both mappings are in effect, a visitor each time.
    let visitors = 0
    const visit = async () => {
      visitors += 1
      const device = String(visitors).padStart(38, '7')
      await fetch(`${usher.edgeUrl}/event?d_uuid=${device}&d_cid=${dataSourceId}%01p${visitors}&d_rtbd=json&c_do=look`)
      return (await deadLetters(usher)).map(({ name }) => name).toSorted()
    }
    await expect.poll(visit, { timeout: 10_000 }).toEqual(['D4003', 'D4004'])
    const isIdle = async () => (await overview(usher)).ledger.every(({ waiting }) => waiting === 0)
    await expect.poll(isIdle, { timeout: 10_000 }).toBe(true)
    const letters = (await overview(usher)).figures.dead
    const former = (await rowOf(usher, 4003))?.dead ?? 0
    expect(former).toBeGreaterThan(0)

    await remove(4003, mappings[0]?.mappingId ?? 0)
    await remove(4004, mappings[1]?.mappingId ?? 0)
    await make(4003, `${receiver.url}/new`)
    const gone = { destinationId: null, name: null, count: letters, reason: 'http_400' }
    await expect.poll(async () => await deadLetters(usher), { timeout: 10_000 }).toMatchObject([gone])
    expect(await rowOf(usher, 4003)).toMatchObject({ dead: 0, acknowledged: 0 })
    expect((await overview(usher)).figures.dead).toBe(letters)

    for (const as of ['same', 'current']) {
      const order = { destinationId: 4003, status: 'dead', as, dryRun: true }
      const { plan } = await usher.api<ReplayAnswer>('POST', '/v1/deliveries/replay', order)
      expect(plan).toMatchObject({ unchanged: 0, rebuilt: 0, withoutDestination: former })
    }
    const { list } = await usher.api<{ list: DeliveryDetail[] }>('GET', '/v1/deliveries?status=dead&destinationId=4003')
    expect(list[0]).toMatchObject({ destinationName: null })
    total = letters
  }
  await using again = await startWholeServer(dataDir)
  expect(await rowOf(again, 4003)).toMatchObject({ dead: 0 })
  expect(await deadLetters(again)).toMatchObject([{ destinationId: null, count: total }])

  // Let go, as the page on delivery says.
  const discard = (order: object) => again.api('POST', '/v1/deliveries/discard', order)
  const gone = { withoutDestination: true }
  expect(await discard({ ...gone, dryRun: true })).toEqual({ matched: total, discarded: 0 })
  expect(await discard(gone)).toEqual({ matched: total, discarded: total })
  expect(await discard(gone)).toEqual({ matched: 0, discarded: 0 })
  expect([await deadLetters(again), (await overview(again)).figures.dead]).toEqual([[], 0])
  const discarded = await again.api<{ total: number }>('GET', '/v1/deliveries?reason=discarded&status=superseded')
  expect(discarded.total).toBe(total)
  expect(new Set(receiver.records.map(({ path }) => path))).toEqual(new Set(['/unused']))
})
