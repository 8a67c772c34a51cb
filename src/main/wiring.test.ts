import { mkdtempSync, rmSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Delivery } from '../contract.ts'
import { type DeviceId, deviceProfileId } from '../model/ids.ts'
import { profileKey } from '../store/keys.ts'
import type { RecordStore } from '../store/record-store.ts'
import { defineOverApi } from '../testkit/define-over-api.ts'
import { startReceiver } from '../testkit/receiver.ts'
import { startWholeServer } from '../testkit/start-whole-server.ts'

/** What only the composition joins: each part works without it, and the server does not. */

const KEY = 'a-signing-key-of-32-characters-ok'
const ANNA = '7'.repeat(38)
const BERT = `${'7'.repeat(37)}8`
const CARL = `${'7'.repeat(37)}9` as DeviceId

let dataDir = ''
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'usher-wiring-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

type Server = Awaited<ReturnType<typeof startWholeServer>>

/** Who looks is in segment Lookers, which a partner that answers is told of. */
async function define(usher: Server, url: string) {
  return defineOverApi(usher, {
    traits: [{ name: 'look' }, { name: 'buy' }],
    segments: [
      { name: 'Lookers', rule: ({ look }) => `${look}T` },
      { name: 'Buyers', rule: ({ buy }) => `${buy}T` },
    ],
    url,
    auth: { type: 'hmac', keys: [{ key: KEY }] },
  })
}

const call = (usher: Server, device: string, query: string) =>
  fetch(`${usher.edgeUrl}/event?d_uuid=${device}&d_rtbd=json&${query}`)

test('a changed rule reaches those who do not come, and their partners [AUD-143]', async () => {
  await using receiver = await startReceiver()
  await using usher = await startWholeServer(dataDir)
  const { dataSourceId, segmentIds, sids } = await define(usher, `${receiver.url}/aam`)
  const [lookers] = segmentIds
  const statusOf = async () => {
    const { segments } = await usher.api<{ segments: { sid: number; status: string }[] }>('GET', `/v1/profiles/${ANNA}`)
    return segments.find(({ sid }) => sid === lookers)?.status
  }
  await call(usher, ANNA, `d_cid=${dataSourceId}%01anna&c_do=look`)
  await expect.poll(statusOf).toBe('in')
  await expect.poll(() => receiver.records.length).toBe(1)

  const segment = await usher.api<object>('GET', `/v1/segments/${lookers}`)
  await usher.api('PUT', `/v1/segments/${lookers}`, { ...segment, segmentRule: `${sids.look}T AND ${sids.buy}T` })
  await expect.poll(statusOf).toBe('out')
  await expect.poll(() => receiver.records.length).toBe(2)
  expect(receiver.records[1]?.body).toMatch(/"Status":\s*"0"/)
})

test('in production the test clock is closed; nothing else is [OPS-27]', async () => {
  await using usher = await startWholeServer(dataDir, { env: { NODE_ENV: 'production' } })
  await expect(usher.api('POST', '/v1/test/clock', { advanceMs: 1 })).rejects.toThrow('answered 403')
  expect(await usher.api('GET', '/v1/traits/')).toEqual([])
})

test('a message that could not be addressed leaves as soon as its destination was corrected [SEC-24~]', async () => {
  await using receiver = await startReceiver()
  await using usher = await startWholeServer(dataDir)
  // The server's own address is never a partner's: the message is blocked, and would wait for five minutes.
  const { dataSourceId, destinationId } = await define(usher, `${usher.adminUrl}/aam`)
  await call(usher, ANNA, `d_cid=${dataSourceId}%01anna&c_do=look`)
  const blocked = () => usher.api<{ total: number }>('GET', '/v1/deliveries?status=blocked').then(({ total }) => total)
  await expect.poll(blocked).toBe(1)

  const destination = await usher.api<{ s2s: object }>('GET', `/v1/destinations/${destinationId}`)
  const s2s = { ...destination.s2s, url: `${receiver.url}/aam` }
  await usher.api('PUT', `/v1/destinations/${destinationId}`, { ...destination, s2s })
  await expect.poll(() => receiver.records.length).toBe(1)
  expect(await blocked()).toBe(0)
})

test('each filter of the messages narrows what is found [OPS-51]', async () => {
  await using receiver = await startReceiver()
  await using usher = await startWholeServer(dataDir)
  const { dataSourceId, destinationId, segmentIds } = await define(usher, `${receiver.url}/aam`)
  const list = (query: string) => usher.api<{ total: number; list: Delivery[] }>('GET', `/v1/deliveries?${query}`)
  await call(usher, ANNA, `d_cid=${dataSourceId}%01anna&c_do=look`)
  await expect.poll(async () => (await list('status=acknowledged')).total).toBe(1)
  await call(usher, BERT, `d_cid=${dataSourceId}%01bert&c_do=buy`)
  await expect.poll(async () => (await list('status=acknowledged')).total).toBe(2)

  const [ofBert, ofAnna] = (await list('page=0&pageSize=10')).list
  const between = new Date(
    (Date.parse(ofAnna?.createdAt ?? '') + Date.parse(ofBert?.createdAt ?? '')) / 2,
  ).toISOString()
  const found = async (query: string) => (await list(query)).list.map(({ deliveryId }) => deliveryId)
  const [anna, bert] = [ofAnna?.deliveryId, ofBert?.deliveryId]
  expect(await found(`destinationId=${destinationId}`)).toEqual([bert, anna])
  expect(await found(`destinationId=${destinationId + 1}`)).toEqual([])
  expect(await found(`deviceId=${ANNA}`)).toEqual([anna])
  expect(await found(`segmentId=${segmentIds[1]}`)).toEqual([bert])
  expect(await found('status=acknowledged')).toEqual([bert, anna])
  expect(await found('status=dead')).toEqual([])
  expect(await found('status=acknowledged&reason=http_500')).toEqual([])
  expect(await found(`from=${between}`)).toEqual([bert])
  expect(await found(`to=${between}`)).toEqual([anna])
  expect(await found('q=anna')).toEqual([anna])
})

test('the names that belong to the platform are no organisation, beside those the operator adds [COL-07]', async () => {
  const env = { USHER_EDGE_ALIASES: 'acme', USHER_EDGE_SYSTEM_HOSTS: 'sync-frame' }
  await using usher = await startWholeServer(dataDir, { env })
  const { port } = new URL(usher.edgeUrl)
  const errorsOf = (host: string) =>
    new Promise((resolve, reject) => {
      const path = '/id?d_orgid=5DC5123F5245B1D20A490D46%40AdobeOrg'
      get({ host: '127.0.0.1', port, path, headers: { host } }, (response) => {
        response.resume().once('end', () => resolve(response.headers['x-error'] ?? 'none'))
      }).once('error', reject)
    })
  expect(await errorsOf('acme.collect.example')).toBe('none')
  expect(await errorsOf('stranger.collect.example')).toBe('1')
  for (const host of ['dpm.collect.example', 'sync-frame.collect.example']) expect(await errorsOf(host)).toBe('none')
})

test('each counter counts what it is named after [SEC-87~]', async () => {
  await using receiver = await startReceiver()
  await using failing = await startReceiver({ behaviour: { answer: 500 } })
  let records: RecordStore | undefined
  await using usher = await startWholeServer(dataDir, {
    wrapRecords: (opened) => {
      records = opened
      return opened
    },
  })
  const { dataSourceId, destinationId, segmentIds } = await define(usher, `${receiver.url}/aam`)
  const healthy = await usher.api<{ s2s: object }>('GET', `/v1/destinations/${destinationId}`)
  // One that fails, and one that may not be reached: the server's own address.
  for (const url of [`${failing.url}/aam`, `${usher.adminUrl}/aam`]) {
    const s2s = { ...healthy.s2s, url, mode: 'compat', auth: { type: 'none' } }
    const other = { name: url, destinationType: 'S2S', s2s }
    const { destinationId: id } = await usher.api<{ destinationId: number }>('POST', '/v1/destinations/', other)
    const mapping = { sid: segmentIds[0], traitType: 'SEGMENT', startDate: '2026-01-01' }
    await usher.api('POST', `/v1/destinations/${id}/mappings/`, mapping)
  }
  // Definitions take effect within 5 s; in a server this small after one.
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  const damaged = { key: profileKey(deviceProfileId(CARL)), record: Buffer.from('this was a profile once') }
  await records?.commit({ puts: [damaged], deletes: [] })

  const metrics = () => fetch(`${usher.adminUrl}/metrics`).then((answer) => answer.text())
  const counted = async (name: string) => {
    const line = (await metrics()).split('\n').find((one) => one.startsWith(`usher_${name} `))
    return Number(line?.split(' ')[1] ?? 0)
  }
  const before = await counted('sweep_profiles_total')
  await call(usher, ANNA, `d_cid=${dataSourceId}%01anna&c_do=look`)
  await call(usher, ANNA, 'gdpr=1')
  await call(usher, CARL, 'c_do=buy')
  await fetch(`${usher.edgeUrl}/demoptout.jpg?d_uuid=${BERT}`)
  const elsewhere = encodeURIComponent('https://elsewhere.example/')
  await fetch(`${usher.edgeUrl}/ibs:dpid=${dataSourceId}&dpuuid=anna&redir=${elsewhere}`, { redirect: 'manual' })
  await fetch(`${usher.adminUrl}/v1/traits/`, { headers: { authorization: 'Bearer wrong' } })

  for (const name of [
    'http_requests_total{route="event",code="200"}',
    'collect_accepted_total{durability="process"}',
    'collect_rejected_total{code="315"}',
    'consent_decisions_total{basis="tcf_missing",result="missing"}',
    'optout_total{level="partner"}',
    'redirect_blocked_total{reason="host"}',
    'auth_failures_total{kind="token"}',
    'store_record_corrupt_total',
    'store_commit_seconds_count',
    'store_flush_seconds_count',
    'delivery_attempts_total{kind="s2s",result="acknowledged"}',
    'delivery_attempts_total{kind="s2s",result="failed"}',
    'delivery_dead_total{reason="http_500"}',
    'delivery_seconds_count',
    'egress_denied_total{reason="own_listener"}',
  ])
    await expect.poll(async () => `${name} ${(await counted(name)) > 0}`).toBe(`${name} true`)
  expect(await counted('store_record_corrupt_total')).toBe(1)

  await usher.api('POST', '/v1/test/clock', { advanceMs: 130 * 86_400_000 })
  await expect.poll(() => counted('sweep_profiles_total')).toBeGreaterThan(before)
})
