import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadConfig } from './config.ts'
import type { DiskSpace } from './lib/disk-space.ts'
import { type Overrides, startUsher } from './main.ts'
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

test('the configured token and the one of the data directory are both accepted, no other [OPS-14] [OPS-22]', async () => {
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
  for (const url of [usher.edgeUrl, usher.adminUrl]) {
    const ready = await fetch(`${url}/readyz`)
    expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('disk_full')])
  }
  expect((await fetch(`${usher.edgeUrl}/demoptout.jpg?d_uuid=${leaver}`)).status).toBe(200)

  state = 'ok'
  await expect.poll(async () => (await fetch(`${usher.edgeUrl}/readyz`)).status, { timeout: 10_000 }).toBe(200)
  expect((await event()).status).toBe(200)
  expect(await (await event(leaver)).json()).toMatchObject({ errors: [{ code: 171 }] })
})
