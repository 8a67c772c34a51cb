import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { loadConfig } from './config.ts'
import type { DiskSpace } from './lib/disk-space.ts'
import { type Overrides, startUsher } from './main.ts'
import type { DestinationId } from './model/ids.ts'
import { newDeliveryId } from './store/delivery-keys.ts'
import type { StoredDelivery } from './store/delivery-record.ts'
import { openDeliveryStore } from './store/delivery-store.ts'
import { type RecordStore, StoreUnavailableError } from './store/record-store.ts'
import { freePort } from './testkit/free-port.ts'

/** The whole server in this process, on free ports and a data directory of its own. */

const TOKEN = 'a-configured-token-of-enough-characters'

let dataDir = ''
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'usher-main-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

async function start(env: Record<string, string> = {}, overrides: Overrides = {}) {
  const config = loadConfig({
    env: {
      USHER_DATA_DIR: dataDir,
      USHER_EDGE_PORT: String(await freePort()),
      USHER_ADMIN_PORT: String(await freePort()),
      USHER_LOG_LEVEL: 'silent',
      ...env,
    },
  })
  const usher = await startUsher(config, overrides)
  return Object.assign(usher, { [Symbol.asyncDispose]: () => usher.close() })
}

const listTraits = async (adminUrl: string, token: string) =>
  (await fetch(`${adminUrl}/v1/traits/`, { headers: { authorization: `Bearer ${token}` } })).status

test('the configured token and the one of the data directory are both accepted, no other [OPS-14~] [OPS-22]', async () => {
  await using usher = await start({ USHER_ADMIN_TOKEN: TOKEN })
  const ofThisMachine = readFileSync(join(dataDir, 'admin.token'), 'utf8').trim()
  expect(await listTraits(usher.adminUrl, TOKEN)).toBe(200)
  expect(await listTraits(usher.adminUrl, ofThisMachine)).toBe(200)
  expect(await listTraits(usher.adminUrl, `${TOKEN}x`)).toBe(401)
})

test('the first start says where the token is, unless one is configured; later starts do not', async () => {
  {
    await using usher = await start()
    expect(usher.newTokenFile).toBe(join(dataDir, 'admin.token'))
  }
  {
    await using usher = await start()
    expect(usher.newTokenFile).toBeUndefined()
  }
  rmSync(dataDir, { recursive: true })
  await using usher = await start({ USHER_ADMIN_TOKEN: TOKEN })
  expect(usher.newTokenFile).toBeUndefined()
})

test('with the disk full events are refused and readiness is false, but opt-outs are taken; space brings service back [SEC-61]', async () => {
  let state: DiskSpace['state'] = 'full'
  const readDiskSpace = async () => ({ state, freeBytes: 1, totalBytes: 100 })
  await using usher = await start({}, { readDiskSpace })
  const [visitor, leaver] = ['12345678901234567890123456789012345678', '12345678901234567890123456789012345679']
  const event = (deviceId = visitor) => fetch(`${usher.edgeUrl}/event?d_uuid=${deviceId}&c_a=1&d_rtbd=json`)
  const refused = await event()
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^\d+$/)])
  const answers = await Promise.all([usher.edgeUrl, usher.adminUrl].map((url) => fetch(`${url}/readyz`)))
  for (const ready of answers) {
    expect([ready.status, ready.headers.get('retry-after')]).toEqual([503, '1'])
    // One shape on both listeners [OPS-12].
    expect(await ready.json()).toEqual({ status: 'not_ready', reasons: expect.arrayContaining(['disk_full']) })
  }
  expect((await fetch(`${usher.edgeUrl}/demoptout.jpg?d_uuid=${leaver}`)).status).toBe(200)
  expect((await fetch(`${usher.edgeUrl}/demoptout/consent?d_uuid=${visitor}`)).status).toBe(200)

  state = 'ok'
  await expect.poll(async () => (await fetch(`${usher.edgeUrl}/readyz`)).status).toBe(200)
  for (const url of [usher.edgeUrl, usher.adminUrl])
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: 'ready', reasons: [] })
  expect((await event()).status).toBe(200)
  expect(await (await event(leaver)).json()).toMatchObject({ errors: [{ code: 171 }] })
})

test('while the store cannot be written readiness is false, and true again once it can, without an event [SEC-86~] [OPS-12]', async () => {
  let isBroken = false
  const wrapRecords = (opened: RecordStore) => {
    const commit = opened.commit.bind(opened)
    const refuse = () => Promise.reject(new StoreUnavailableError('the device is gone'))
    vi.spyOn(opened, 'commit').mockImplementation((...args) => (isBroken ? refuse() : commit(...args)))
    vi.spyOn(opened, 'flush').mockImplementation(() => (isBroken ? refuse() : Promise.resolve()))
    return opened
  }
  await using usher = await start({ USHER_ADMIN_TOKEN: TOKEN }, { wrapRecords })
  const event = async () => (await fetch(`${usher.edgeUrl}/event?c_a=1`)).status
  const readiness = () =>
    Promise.all([usher.edgeUrl, usher.adminUrl].map(async (url) => (await fetch(`${url}/readyz`)).json()))
  expect(await event()).toBe(200)
  isBroken = true
  expect(await event()).toBe(503)
  const notReady = { status: 'not_ready', reasons: ['store_unavailable'] }
  expect(await readiness()).toEqual([notReady, notReady])
  isBroken = false
  await expect.poll(readiness, { timeout: 10_000 }).toEqual([
    { status: 'ready', reasons: [] },
    { status: 'ready', reasons: [] },
  ])
  expect(await event()).toBe(200)
})

test('a delivery that ended can be found for 30 days, and is forgotten after 31 [SEC-48] [SEC-82~]', async () => {
  let records: RecordStore | undefined
  const wrapRecords = (opened: RecordStore) => {
    records = opened
    return opened
  }
  await using usher = await start({ USHER_ADMIN_TOKEN: TOKEN }, { wrapRecords })
  if (records === undefined) throw new Error('the store was not opened')
  const ended = makeDelivery()
  const deliveries = openDeliveryStore(records)
  await deliveries.freeze([ended])
  await deliveries.end(ended)

  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
  const status = async () => (await fetch(`${usher.adminUrl}/v1/deliveries/${ended.deliveryId}`, { headers })).status
  const advance = (days: number) =>
    fetch(`${usher.adminUrl}/v1/test/clock`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ advanceMs: days * 86_400_000 }),
    })
  expect((await advance(29)).status).toBe(200)
  expect(await status()).toBe(200)
  await advance(2)
  await expect.poll(status).toBe(404)
})

test('a denied ID stays denied over a restart, is shown to the operator, and let through again where that is allowed [COL-150]', async () => {
  const env = { USHER_ADMIN_TOKEN: TOKEN, USHER_EDGE_DENY_LIST_DEVICE_CALLS_PER_MINUTE: '2' }
  const device = '12345678901234567890123456789012345678'
  const codeOf = async (edgeUrl: string) =>
    (await fetch(`${edgeUrl}/event?d_uuid=${device}`)).headers.get('x-error') ?? 'none'
  const admin = async (adminUrl: string, method: string, path = '') => {
    const headers = { authorization: `Bearer ${TOKEN}` }
    const answer = await fetch(`${adminUrl}/v1/deny-list${path}`, { method, headers })
    return { status: answer.status, text: await answer.text() }
  }
  {
    await using usher = await start(env)
    for (const expected of ['none', 'none', '307']) expect(await codeOf(usher.edgeUrl)).toBe(expected)
  }
  let entryId = ''
  {
    await using usher = await start(env)
    expect(await codeOf(usher.edgeUrl)).toBe('307')
    const { list } = JSON.parse((await admin(usher.adminUrl, 'GET')).text) as { list: { entryId: string }[] }
    expect(list).toMatchObject([
      { idType: 'device', id: device, dataSourceId: null, cause: 'minute', times: 1, count: 2 },
    ])
    entryId = list[0]?.entryId ?? ''
    expect((await admin(usher.adminUrl, 'DELETE', `/${entryId}`)).status).toBe(403)
  }
  await using usher = await start({ ...env, USHER_EDGE_DENY_LIST_MAY_CLEAR: '1' })
  expect((await admin(usher.adminUrl, 'DELETE', `/${entryId}`)).status).toBe(204)
  expect(await codeOf(usher.edgeUrl)).toBe('none')
  expect((await admin(usher.adminUrl, 'GET')).text).toContain('"total":0')
})

function makeDelivery(): StoredDelivery {
  const deliveryId = newDeliveryId()
  return {
    deliveryId,
    destinationId: 423 as DestinationId,
    status: 'dead',
    reason: 'http_400',
    createdAtMs: Date.now(),
    finishedAtMs: Date.now(),
    method: 'POST',
    url: 'https://partner.example/in',
    body: '{}',
    users: [],
    attempts: [],
    nextAttemptMs: 0,
    replayOf: null,
    headers: [],
    roundId: deliveryId,
    roundSize: 1,
    attemptsBefore: 0,
    aamWouldDrop: false,
  }
}
