import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Delivery, DeliveryDetail, ExplainView, Found, ProfileView, ReplayAnswer } from '../contract.ts'
import { defineOverApi } from '../testkit/define-over-api.ts'
import { startReceiver } from '../testkit/receiver.ts'
import { startWholeServer } from '../testkit/start-whole-server.ts'

/** The whole server, asked as the Messages and Profiles pages and the search box ask it. */
const KEY = 'a-signing-key-of-32-characters-ok'
let dataDir = ''
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'usher-messages-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

const start = () => startWholeServer(dataDir)

const ANNA = '7'.repeat(38)
const BERT = `${'7'.repeat(37)}8`

test('what a message told, and to whom, is answered from its record; it is found by every ID in it [OPS-51] [SEC-41~] [SEC-48]', async () => {
  const receiver = await startReceiver()
  await using _receiver = { [Symbol.asyncDispose]: () => receiver.close() }
  await using usher = await start()
  const { dataSourceId, destinationId, sids, segmentIds } = await defineOverApi(usher, {
    traits: [{ name: 'look' }, { name: 'buy' }],
    segments: [
      { name: 'Lookers', rule: ({ look, buy }) => `FREQUENCY([${look}T]<=7D)>=1 AND NOT ${buy}T` },
      { name: 'Buyers', rule: ({ buy }) => `${buy}T` },
    ],
    url: `${receiver.url}/aam`,
    auth: { type: 'hmac', keys: [{ key: KEY }] },
  })
  const [lookers, buyers] = segmentIds
  const call = (device: string, id: string, what: string) =>
    fetch(`${usher.edgeUrl}/event?d_uuid=${device}&d_cid=${dataSourceId}%01${id}&d_rtbd=json&c_do=${what}`)
  const list = (query: string) => usher.api<{ total: number; list: Delivery[] }>('GET', `/v1/deliveries?${query}`)
  const ended = (total: number) => expect.poll(async () => (await list('status=acknowledged')).total).toBe(total)
  await call(ANNA, 'anna-1', 'look')
  await ended(1)
  await call(ANNA, 'anna-1', 'buy')
  await ended(2)
  await call(BERT, 'bert', 'look')
  await ended(3)

  const [bought] = (await list(`q=anna-1&segmentId=${buyers}`)).list
  const read = (id = '') => usher.api<DeliveryDetail>('GET', `/v1/deliveries/${id}`)
  const detail = await read(bought?.deliveryId)
  const code = (sid = 0) => String(sid)
  expect(detail).toMatchObject({
    destinationName: 'receiver',
    users: 1,
    signature: { header: 'X-Signature', matches: true, algorithm: 'sha256', keyNumber: 1 },
  })
  expect(detail.signature?.signedBytes).toBe(Buffer.byteLength(detail.request.body))
  expect(detail.signature?.sent).toBe(detail.request.headers['X-Signature'])
  expect(detail.recipients).toEqual([
    {
      profileId: `d:${ANNA}`,
      partnerIds: [{ dataSourceId, id: 'anna-1' }],
      active: [{ sid: buyers, name: 'Buyers', code: code(buyers) }],
      inactive: [{ sid: lookers, name: 'Lookers', code: code(lookers) }],
    },
  ])

  expect(bought).toMatchObject({
    destinationName: 'receiver',
    segments: [
      { sid: buyers, name: 'Buyers', status: 1, users: 1 },
      { sid: lookers, name: 'Lookers', status: 0, users: 1 },
    ],
    segmentCount: 2,
  })

  const found = async (q: string) => (await list(`q=${encodeURIComponent(q)}`)).total
  const ids = [bought?.deliveryId ?? '', ANNA, `d:${ANNA}`, ANNA.replace(/(.{4})/g, '$1 '), 'anna-1']
  expect(await Promise.all([...ids, `${dataSourceId}:anna-1`].map(found))).toEqual([1, 2, 2, 2, 2, 2])
  expect(await Promise.all(['bert', 'nobody', `${dataSourceId + 1}:anna-1`].map(found))).toEqual([1, 0, 0])
  expect((await list(`q=anna-1&deviceId=${BERT}`)).total).toBe(0)

  const ask = (body: object) => usher.api<ReplayAnswer>('POST', '/v1/deliveries/replay', { ...body, dryRun: true })
  const stays = { held: 0, withoutDestination: 0, underWay: 0, unknown: 0 }
  // Anna was told something newer since her first message.
  expect(await ask({ destinationId })).toEqual({
    matched: 3,
    queued: 0,
    replayId: null,
    plan: { ...stays, unchanged: 2, rebuilt: 1, nothingToTell: 0 },
  })
  expect((await list('')).total).toBe(3)

  const s2s = { url: `${receiver.url}/aam`, userDpid: dataSourceId, clientId: '1', delivery: 'realtime' }
  const auth = { type: 'hmac', keys: [{ key: `${KEY}-changed` }] }
  await usher.api('PATCH', `/v1/destinations/${destinationId}`, { s2s: { ...s2s, auth }, name: 'renamed' })
  await expect.poll(async () => (await read(bought?.deliveryId)).signature?.matches).toBe(false)
  const changed = await read(bought?.deliveryId)
  expect([changed.destinationName, changed.signature?.sent]).toEqual(['renamed', detail.signature?.sent])
  expect(JSON.stringify(changed)).not.toContain(KEY)

  const mappings = `/v1/destinations/${destinationId}/mappings/`
  for (const { mappingId } of await usher.api<{ mappingId: number }[]>('GET', mappings))
    await usher.api('DELETE', `${mappings}${mappingId}`)
  await usher.api('DELETE', `/v1/destinations/${destinationId}`)
  await expect.poll(async () => (await read(bought?.deliveryId)).signature).toBeNull()
  const orphan = await read(bought?.deliveryId)
  expect([orphan.destinationName, orphan.recipients]).toEqual([null, detail.recipients])
  expect((await list('q=bert')).list).toMatchObject([{ destinationName: null, segments: [{ name: 'Lookers' }] }])
  expect(await ask({ destinationId })).toMatchObject({ matched: 3, plan: { withoutDestination: 3 } })

  const search = (q: string) => usher.api<Found[]>('GET', `/v1/search?q=${encodeURIComponent(q)}`)
  expect(await search('anna-1')).toEqual([
    { kind: 'profile', id: `${dataSourceId}:anna-1`, name: `${dataSourceId}:anna-1`, detail: 'partner' },
  ])
  expect(await search(ANNA)).toMatchObject([{ kind: 'profile', id: ANNA }])
  expect(await search(bought?.deliveryId ?? '')).toMatchObject([{ kind: 'message', detail: 'acknowledged' }])
  expect(await search('buy')).toMatchObject([
    { kind: 'trait', id: sids.buy },
    { kind: 'segment', id: buyers },
  ])
})

test('a profile found by its partner ID leads to its devices, and each segment to why [OPS-52]', async () => {
  const receiver = await startReceiver()
  await using _receiver = { [Symbol.asyncDispose]: () => receiver.close() }
  await using usher = await start()
  const { dataSourceId, segmentIds, sids } = await defineOverApi(usher, {
    traits: [{ name: 'look' }, { name: 'buy' }],
    segments: [{ name: 'Early', rule: ({ look, buy }) => `${look}T AND FREQUENCY([${look}T]>=3D)<=1 AND NOT ${buy}T` }],
    url: `${receiver.url}/aam`,
    auth: { type: 'none' },
  })
  await fetch(`${usher.edgeUrl}/event?d_uuid=${ANNA}&d_cid=${dataSourceId}%01anna-1&d_rtbd=json&c_do=look`)
  const [only] = await usher.api<Found[]>('GET', '/v1/search?q=anna-1')
  const declared = await usher.api<ProfileView>('GET', `/v1/profiles/${encodeURIComponent(String(only?.id))}`)
  expect(declared).toMatchObject({ kind: 'declared', devices: [{ deviceId: ANNA }] })
  const explained = await usher.api<ExplainView>('GET', `/v1/profiles/${ANNA}/explain?segmentId=${segmentIds[0]}`)
  expect(explained.rule).toMatchObject({
    op: 'and',
    children: [
      { op: 'trait', sid: sids.look, holds: true, count: 1 },
      { op: 'frequency', sid: sids.look, windowDays: 3, windowOperator: '>=', required: 1, requiredOperator: '<=' },
      { op: 'not', holds: true, children: [{ op: 'trait', sid: sids.buy, holds: false, count: 0 }] },
    ],
  })
})
