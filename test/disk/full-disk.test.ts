import { spawn } from 'node:child_process'
import { closeSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { ProfileView } from '../../src/contract.ts'
import type { DiskSpace } from '../../src/lib/disk-space.ts'
import { defineOverApi } from '../../src/testkit/define-over-api.ts'
import { freePort } from '../../src/testkit/free-port.ts'
import { startReceiver } from '../../src/testkit/receiver.ts'
import { openSmallDisk, type SmallDisk } from '../../src/testkit/small-disk.ts'
import { ADMIN_TOKEN, spawnUsher } from '../../src/testkit/spawn-usher.ts'
import { startWholeServer } from '../../src/testkit/start-whole-server.ts'

/** The whole server on a real file system without a byte left. */
const root = join(fileURLToPath(import.meta.url), '../../..')
const deviceId = (visitor: number) => String(visitor).padStart(38, '6')
const JSON_HEADERS = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' }

/** On a small disk a server that thinks it is large: events are taken until a write finds no room. */
const roomy = (disk: SmallDisk) => async (): Promise<DiskSpace> => ({
  freeBytes: disk.freeBytes(),
  totalBytes: 96 * 1024 * 1024,
  state: 'ok',
})

test('with not a byte left opt-outs are taken, told and kept, events and API writes are refused with 503, and readiness is false from the first write that found no room; with room all goes on [SEC-61] [SEC-11~] [SEC-79]', async () => {
  using disk = openSmallDisk(96)
  await using receiver = await startReceiver()
  const told = () =>
    receiver.records.flatMap(({ body }) =>
      (JSON.parse(body) as { Users: { DataPartner_UUID: string; Segments: { Status: string }[] }[] }).Users.flatMap(
        (user) => user.Segments.map((segment) => `${user.DataPartner_UUID} ${segment.Status}`),
      ),
    )
  const optOut = (edgeUrl: string, visitor: number) => fetch(`${edgeUrl}/demoptout?d_uuid=${deviceId(visitor)}`)
  {
    await using usher = await startWholeServer(disk.folder, { readDiskSpace: roomy(disk) })
    const defined = await defineOverApi(usher, {
      traits: [{ name: 'look' }],
      segments: [{ name: 'Lookers', rule: ({ look }) => `${look}T` }],
      url: `${receiver.url}/aam`,
      auth: { type: 'none' },
    })
    const visit = (visitor: number) =>
      fetch(
        `${usher.edgeUrl}/event?d_rtbd=json&d_uuid=${deviceId(visitor)}&d_cid=${defined.dataSourceId}%01v${visitor}&c_do=look`,
      )
    for (let visitor = 0; visitor < 10; visitor++) expect((await visit(visitor)).status).toBe(200)
    await expect.poll(() => told().length, { timeout: 10_000 }).toBe(10)

    disk.fill()
    expect(disk.freeBytes()).toBe(0)
    // The first write that finds no room. Files may still have some of their own.
    const define = (at: number) =>
      fetch(`${usher.adminUrl}/v1/datasources/`, {
        method: 'POST',
        headers: JSON_HEADERS,
        body: JSON.stringify({ name: `more ${at}`, idType: 'COOKIE', description: 'x'.repeat(10_000) }),
      })
    let refused = await define(0)
    for (let at = 1; at < 1_000 && refused.status === 201; at++) refused = await define(at)
    expect([refused.status, await refused.json()]).toMatchObject([503, { code: 'disk_full' }])
    for (const url of [usher.edgeUrl, usher.adminUrl]) {
      const ready = await fetch(`${url}/readyz`)
      expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('disk_full')])
    }
    expect((await visit(1)).status).toBe(503)
    for (let visitor = 0; visitor < 100; visitor++) expect((await optOut(usher.edgeUrl, visitor)).status).toBe(200)
    await expect.poll(() => told().filter((one) => one.endsWith(' 0')).length, { timeout: 10_000 }).toBe(10)

    disk.free()
    await expect.poll(async () => (await fetch(`${usher.edgeUrl}/readyz`)).status, { timeout: 20_000 }).toBe(200)
    expect((await visit(200)).status).toBe(200)
    expect(await (await visit(3)).json()).toMatchObject({ errors: [{ code: 171 }] })
    await usher.api('POST', '/v1/datasources/', { name: 'one more', idType: 'COOKIE' })
  }
  await using again = await startWholeServer(disk.folder, { readDiskSpace: roomy(disk) })
  const { optOut: kept } = await again.api<ProfileView>('GET', `/v1/profiles/${deviceId(99)}`)
  expect(kept).toMatchObject({ level: 'partner' })
}, 120_000)

test('a first opt-out that finds the store without room is not the one refused for it [SEC-61] [SEC-79]', async () => {
  using disk = openSmallDisk(96)
  await using usher = await startWholeServer(disk.folder, { readDiskSpace: roomy(disk) })
  disk.fill()
  // More than the last page of the store's log has room for.
  for (let round = 0; round < 10; round++) {
    const calls = Array.from({ length: 30 }, (_, at) =>
      fetch(`${usher.edgeUrl}/demoptout?d_uuid=${deviceId(30 * round + at)}`),
    )
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(Array(30).fill(200))
  }
  const ready = await fetch(`${usher.edgeUrl}/readyz`)
  expect(ready.status).toBe(503)
}, 60_000)

test('a start without room left uses what was kept for it and takes opt-outs; without that it ends with a sentence, also the first one [SEC-61]', async () => {
  using disk = openSmallDisk(96)
  const first = await spawnUsher({ dataDir: disk.folder })
  expect(await first.stop()).toBe(0)
  disk.fill()
  const second = await spawnUsher({ dataDir: disk.folder })
  expect((await fetch(`${second.edgeUrl}/readyz`)).status).toBe(503)
  expect((await fetch(`${second.edgeUrl}/demoptout?d_uuid=${deviceId(1)}`)).status).toBe(200)
  expect(await second.stop()).toBe(0)

  rmSync(join(disk.folder, 'reserve.bin'), { force: true })
  expect(await startInVain(disk, disk.folder)).toEqual([1, expect.stringMatching(NO_ROOM)])
  expect(await startInVain(disk, join(disk.folder, 'new'))).toEqual([1, expect.stringMatching(NO_ROOM)])
  disk.free()
  const third = await spawnUsher({ dataDir: disk.folder })
  expect(await (await fetch(`${third.edgeUrl}/event?d_rtbd=json&d_uuid=${deviceId(1)}`)).status).toBe(503)
  const view = await third.api<ProfileView>('GET', `/v1/profiles/${deviceId(1)}`)
  expect(view.optOut).toMatchObject({ level: 'partner' })
  expect(await third.stop()).toBe(0)
}, 120_000)

/** One sentence that says why and one what to do; no trace of where in the code. */
const NO_ROOM = /^error: there is no room left on the disk \([^\n]+\)\.\nFree some space [^\n]+\n$/

/**
 * Fills the disk and starts; a start that found room, since the one before took a file away, is ended, and it is tried again.
 * @returns the exit status and what a person reads
 */
async function startInVain(disk: SmallDisk, dataDir: string): Promise<[status: number | null, text: string]> {
  for (let tries = 1; tries <= 5; tries++) {
    disk.fill()
    const ended = await startOnce(dataDir)
    if (ended !== undefined) return ended
  }
  throw new Error('every start found room')
}

/** @returns undefined: it was ready, and ended */
async function startOnce(dataDir: string): Promise<[status: number | null, text: string] | undefined> {
  const child = spawn(process.execPath, [join(root, 'bin', 'usher'), 'serve'], {
    env: {
      PATH: process.env['PATH'],
      USHER_DATA_DIR: dataDir,
      USHER_EDGE_PORT: String(await freePort()),
      USHER_ADMIN_PORT: String(await freePort()),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let isReady = false
  child.stdout.on('data', (piece: Buffer) => {
    if (!piece.toString().includes('"msg":"ready"')) return
    isReady = true
    child.kill('SIGKILL')
  })
  let text = ''
  child.stderr.on('data', (piece: Buffer) => {
    text += piece.toString()
  })
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return isReady ? undefined : [status, text]
}

test('a log on the same full disk does not end the process [SEC-61] [SEC-12]', async () => {
  using disk = openSmallDisk(96)
  const out = openSync(`${disk.folder}.log`, 'a')
  const edgePort = await freePort()
  const child = spawn(process.execPath, [join(root, 'bin', 'usher'), 'serve'], {
    env: {
      PATH: process.env['PATH'],
      USHER_DATA_DIR: disk.folder,
      USHER_EDGE_PORT: String(edgePort),
      USHER_ADMIN_PORT: String(await freePort()),
      USHER_LOG_LEVEL: 'debug',
    },
    stdio: ['ignore', out, out],
  })
  const gone = new Promise<number | null>((resolve) => child.once('exit', resolve))
  try {
    const call = (path: string) =>
      fetch(`http://127.0.0.1:${edgePort}${path}`).then(
        ({ status }) => status,
        () => 0,
      )
    await expect.poll(() => call('/healthz'), { timeout: 20_000 }).toBe(200)
    disk.fill()
    // Each is a line of log, far more than the last page has room for.
    for (let at = 0; at < 200; at++) expect(await call(`/event?d_uuid=${deviceId(at)}`)).toBe(503)
    expect(await call(`/demoptout?d_uuid=${deviceId(1)}`)).toBe(200)
    disk.fill()
    for (let at = 0; at < 50; at++) expect(await call(`/event?d_uuid=${deviceId(at)}`)).toBe(503)
    expect(await call('/healthz')).toBe(200)
  } finally {
    disk.free()
    child.kill('SIGTERM')
    closeSync(out)
  }
  expect(await gone).toBe(0)
}, 60_000)
