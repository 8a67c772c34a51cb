import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { loadConfig } from '../config.ts'
import type { Overview } from '../contract.ts'
import { findKeyProblems } from '../main/checked-keys.ts'
import { freePort } from '../testkit/free-port.ts'
import { startWholeServer } from '../testkit/start-whole-server.ts'
import { run } from './program.ts'

/** A real server's data directory, damaged while the server is stopped, and what the operator is told. */
let dataDir = ''
let out = ''
let errors = ''
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'usher-verify-'))
  out = ''
  errors = ''
  for (const name of ['USHER_ADMIN_PORT', 'USHER_EDGE_PORT']) vi.stubEnv(name, String(await freePort()))
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text)
    return true
  })
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    errors += String(text)
    return true
  })
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  rmSync(dataDir, { recursive: true, force: true })
})

const profiles = () => join(dataDir, 'profiles')
const deviceOf = (visitor: number) => `5${String(visitor).padStart(37, '0')}`
const VISITORS = 120
const LEAVERS = 15

const start = () => startWholeServer(dataDir, { env: { USHER_DURABILITY: 'disk' } })
type Server = Awaited<ReturnType<typeof start>>

/** Visitors one after another, so that each is a write of its own; some opt out. */
async function visit(): Promise<void> {
  await using server = await start()
  for (let visitor = 0; visitor < VISITORS; visitor++)
    expect((await fetch(`${server.edgeUrl}/event?d_uuid=${deviceOf(visitor)}&d_cid=2001%01p${visitor}`)).status).toBe(
      200,
    )
  for (let visitor = 0; visitor < LEAVERS; visitor++)
    expect((await fetch(`${server.edgeUrl}/demoptout.jpg?d_uuid=${deviceOf(visitor)}`)).status).toBe(200)
}

async function isKnown(server: Server, visitor: number): Promise<boolean> {
  return server.api('GET', `/v1/profiles/${deviceOf(visitor)}`).then(
    () => true,
    () => false,
  )
}

async function missingOf(server: Server): Promise<number[]> {
  const visitors = Array.from({ length: VISITORS - LEAVERS }, (_, i) => i + LEAVERS)
  const known = await Promise.all(visitors.map((visitor) => isKnown(server, visitor)))
  return visitors.filter((_, i) => !known[i])
}

async function stillOut(server: Server): Promise<number> {
  let count = 0
  for (let visitor = 0; visitor < LEAVERS; visitor++) {
    const answer = await fetch(`${server.edgeUrl}/event?d_uuid=${deviceOf(visitor)}&d_rtbd=json`)
    if (((await answer.json()) as { errors?: { code: number }[] }).errors?.some(({ code }) => code === 171)) count += 1
  }
  return count
}

function damage(pattern: RegExp, at: (size: number) => number, bytes: number, change: (part: Buffer) => void): string {
  const file =
    readdirSync(profiles()).filter((name) => pattern.test(name) && statSync(join(profiles(), name)).size > 0)[0] ?? ''
  const content = readFileSync(join(profiles(), file))
  const start = at(content.length)
  change(content.subarray(start, start + bytes))
  writeFileSync(join(profiles(), file), content)
  return file
}

const flip = (part: Buffer) => {
  part[0] = (part[0] as number) ^ 8
}

async function attentionOf(server: Server) {
  const { needsAttention } = await server.api<Overview>('GET', '/v1/overview?window=1h')
  return needsAttention.filter(({ kind }) => kind === 'damage')
}

async function corruptTotal(server: Server): Promise<number> {
  const page = await (await fetch(`${server.adminUrl}/metrics`)).text()
  return Number(/^usher_store_record_corrupt_total (\d+)/m.exec(page)?.[1])
}

const verify = (...args: string[]) => {
  out = ''
  errors = ''
  return run(['verify', '--data-dir', dataDir, ...args])
}

test('one flipped bit of the log: nobody is lost, the server is ready, and everybody who asks is told [SEC-60] [SEC-79]', async () => {
  await visit()
  const file = damage(/\.log$/, (size) => Math.floor(size / 2), 1, flip)
  {
    await using server = await start()
    expect((await fetch(`${server.edgeUrl}/readyz`)).status).toBe(200)
    expect(await missingOf(server)).toEqual([])
    expect(await stillOut(server)).toBe(LEAVERS)
    expect(await corruptTotal(server)).toBe(1)
    expect(await attentionOf(server)).toMatchObject([{ severity: 'warning', count: 1, reason: 'corrected' }])
    expect(await run(['verify', '--url', server.adminUrl, '--token', 'a-test-token-of-enough-characters'])).toBe(1)
    expect(out).toContain(`${file}, the log of what was written last: 1 damaged place`)
    expect(out).toContain('nothing is lost')
    expect(errors).toContain('1 problem. Stop the server and run: usher verify --repair, or restore a backup.')
    expect(await verify('--repair')).toBe(1)
    expect(errors).toContain(`a server is running on ${dataDir}: stop it`)
  }
  expect(await verify('--repair')).toBe(0)
  expect(out).toContain(`${file}, the log of what was written last: 1 damaged place`)
  expect(out).toContain('Nothing is lost.')
  expect(await verify()).toBe(0)
  expect(out).toContain('no problem found')
  await using server = await start()
  expect(await attentionOf(server)).toEqual([])
})

test('a damaged list of opt-outs is named, kept, and written anew; lost is only what the database lost as well [SEC-60] [SEC-79]', async () => {
  await visit()
  const list = join(dataDir, 'opt-outs.list')
  const whole = readFileSync(list, 'utf8')
  const damaged = whole.replace(/A(?=[^A]*$)/, 'B')
  {
    await using server = await start()
    writeFileSync(list, damaged)
    expect(await run(['verify', '--url', server.adminUrl, '--token', 'a-test-token-of-enough-characters'])).toBe(1)
    expect(out).toMatch(
      /opt-outs\.list, the second copy of every opt-out: 1 damaged place, \d+ bytes; .*nothing is lost/,
    )
  }
  expect(await verify('--repair')).toBe(0)
  expect(out).toContain('Repaired. Damaged files set aside: 1; records')
  const kept = /kept as (.*-opt-outs\.list)/.exec(out)?.[1] ?? ''
  expect(readFileSync(kept, 'utf8')).toBe(damaged)
  expect(await verify()).toBe(0)

  const [table = ''] = readdirSync(join(dataDir, 'profiles')).filter((name) => name.endsWith('.ldb'))
  writeFileSync(list, readFileSync(list, 'utf8').replace(/A(?=[^A]*$)/, 'B'))
  rmSync(join(dataDir, 'profiles', table))
  expect(await verify('--repair')).toBe(0)
  expect(out).toContain('Repaired. Damaged files set aside: 2; missing, or shorter than they were: 1; records')
  expect(out).toMatch(
    /opt-outs\.list, the second copy of every opt-out: 1 damaged place, \d+ bytes; what stood there is lost/,
  )
})

test('a part of the log that cannot be read: what it held is counted, opt-outs hold, the rest is there [SEC-60] [SEC-79]', async () => {
  await visit()
  damage(
    /\.log$/,
    (size) => size - 9_000,
    4_096,
    (part) => part.fill(0),
  )
  await using server = await start()
  const missing = await missingOf(server)
  expect(await stillOut(server)).toBe(LEAVERS)
  const [told] = await attentionOf(server)
  expect(told).toMatchObject({ severity: 'critical', count: 1, reason: 'lost' })
  expect(await corruptTotal(server)).toBeGreaterThanOrEqual(Math.max(1, missing.length))
  expect(await run(['verify', '--url', server.adminUrl, '--token', 'a-test-token-of-enough-characters'])).toBe(1)
  expect(Number(/(\d+) writes of records are lost/.exec(out)?.[1])).toBeGreaterThanOrEqual(missing.length)
})

test('a damaged block of a table is named before a start, and repaired; nothing else is lost [SEC-60] [OPS-14~]', async () => {
  await visit()
  await (await start()).close()
  const file = damage(
    /\.ldb$/,
    () => 300,
    200,
    (part) => part.fill(0x5a),
  )
  expect(await verify()).toBe(1)
  expect(out).toMatch(new RegExp(`${file}, a table of records: 1 damaged place, \\d+ bytes; what stood there is lost`))
  expect(out).toMatch(/in partitions \d+ to \d+: .*profile/)
  expect(out).toContain(join(dataDir, 'damaged'))
  // What stood in the block may be missed by what stood in another one.
  expect(errors).toMatch(/\d problems?\. Run: usher verify --repair, or restore a backup\./)
  expect(await verify('--repair', '--json')).toBe(0)
  const { damage: repaired, report } = JSON.parse(out) as { damage: { file: string }[]; report: { records: number } }
  expect(repaired.map((one) => one.file)).toEqual([file])
  expect(report.records).toBeGreaterThan(0)
  expect(await verify()).toBe(0)
  await using server = await start()
  expect((await missingOf(server)).length).toBeLessThan(VISITORS / 4)
  expect(await stillOut(server)).toBe(LEAVERS)
})

test.each([
  ['CURRENT', (): unknown => writeFileSync(join(profiles(), 'CURRENT'), 'MANIFEST-xx\n')],
  ['the list of tables', (): unknown => damage(/^MANIFEST/, () => 9, 1, flip)],
])('a damaged %s: the start, the check and the way out are sentences [SEC-60]', async (_name, spoil) => {
  await visit()
  spoil()
  const way = /is damaged: .*usher verify --repair --data-dir .*restore a backup \(docs\/damage\.md\)/
  for (const command of ['serve', 'verify']) {
    errors = ''
    expect(await run([command, '--data-dir', dataDir])).toBe(1)
    expect(errors).toMatch(way)
    expect(errors).not.toMatch(/\n {4}at /)
  }
  expect(await verify('--repair')).toBe(0)
  expect(await verify()).toBe(0)
  await using server = await start()
  expect(await missingOf(server)).toEqual([])
  expect(await stillOut(server)).toBe(LEAVERS)
})

test('damaged definitions are found, and no repair claims to have mended them [SEC-60~]', async () => {
  await visit()
  const file = join(dataDir, 'catalog.sqlite')
  const content = readFileSync(file)
  // Neither the header nor the tables that every start reads.
  content.fill(0x5a, content.length - 4_096)
  writeFileSync(file, content)
  expect(await verify()).toBe(1)
  expect(out).toContain('catalog.sqlite, the definitions: ')
  expect(errors).toMatch(
    /problems?\. No repair helps the definitions: restore a backup\. What each means: docs\/damage\.md/,
  )
  expect(errors).not.toContain('verify --repair')
  const told = out.split('\n').filter((line) => line.includes('catalog.sqlite'))
  expect(await verify('--repair')).toBe(1)
  expect(errors).toMatch(/problems? left\. No repair helps the definitions: restore a backup\./)
  expect(out.split('\nLeft:\n')[1]?.trimEnd().split('\n')).toEqual(told)
  rmSync(file)
  expect(await verify()).toBe(1)
  expect(out).toContain('catalog.sqlite, the definitions: the file is missing')
})

test('a token that a start would refuse is named by the check, and the rest is judged as always [OPS-14~] [OPS-22~]', async () => {
  await visit()
  writeFileSync(join(dataDir, 'admin.token'), 'short')
  expect(await run(['verify', '--data-dir', dataDir])).toBe(1)
  expect(out).toContain('admin.token has fewer than 24 characters')
  expect(out).toContain('checked, 1 problem:')
})

test.each(['optout.key', 'ecid.key', 'master.key'])(
  'a %s that is gone is named by check and repair, with where another is [SEC-60~] [OPS-14~]',
  async (name) => {
    await visit()
    rmSync(join(dataDir, name))
    const [sentence] = findKeyProblems(loadConfig({ env: { USHER_DATA_DIR: dataDir } }))
    expect(sentence).toContain(`${join(dataDir, name)} is missing although the data directory is in use`)
    expect(sentence).toMatch(/restore one into another folder, and take it from there|Put back the copy/)
    for (const args of [[], ['--repair']]) {
      expect(await verify(...args)).toBe(1)
      expect(out).toContain(`\n  ${sentence}\n`)
      expect(errors).toMatch(/1 problem( left)?\. No repair helps a key: put back the file as it is said above\./)
      expect(errors).not.toContain('verify --repair')
    }
  },
)

test('in an empty data directory with the list of opt-outs and its key every opt-out holds again [SEC-79] [SEC-90~]', async () => {
  await visit()
  const kept = ['opt-outs.list', 'optout.key'].map((name) => [name, readFileSync(join(dataDir, name))] as const)
  rmSync(dataDir, { recursive: true })
  mkdirSync(dataDir)
  for (const [name, content] of kept) writeFileSync(join(dataDir, name), content, { mode: 0o600 })
  await using server = await start()
  expect(await missingOf(server)).toHaveLength(VISITORS - LEAVERS)
  expect(await stillOut(server)).toBe(LEAVERS)
})

test('repairing a running server by its address, or a folder without data, is refused with what to do [OPS-14~]', async () => {
  expect(await run(['verify', '--repair', '--url', 'http://127.0.0.1:1'])).toBe(2)
  expect(errors).toContain('--repair works on a data directory')
  expect(await verify('--repair')).toBe(1)
  expect(errors).toContain('holds no data of Usher')
  await visit()
  expect(await verify('--repair')).toBe(0)
  expect(out).toContain('nothing to repair')
})

test('every command of docs/damage.md runs as it stands there [OPS-14~]', async () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/damage.md'), 'utf8')
  const commands = [...page.matchAll(/^```sh\nbin\/usher (.*)\n```$/gm)].map(([, command = '']) => command)
  expect(commands).toEqual(['verify', 'verify --repair', 'verify'])
  await visit()
  for (const command of commands) expect(await run([...command.split(' '), '--data-dir', dataDir])).toBe(0)
})
