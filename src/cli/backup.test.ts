import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { Partner } from '../partner/partner.ts'
import { type DefinedOverApi, defineOverApi } from '../testkit/define-over-api.ts'
import { freePort } from '../testkit/free-port.ts'
import { startReceiver } from '../testkit/receiver.ts'
import { openSmallDisk } from '../testkit/small-disk.ts'
import { ADMIN_TOKEN } from '../testkit/spawn-usher.ts'
import { startWholeServer } from '../testkit/start-whole-server.ts'
import { run } from './program.ts'

/**
 * A server with visitors in a segment, a partner who knows, and a backup made while more of them came. Afterwards some
 * opted out. Each test restores that backup, or what became of it.
 */
const folder = mkdtempSync(join(tmpdir(), 'usher-backup-'))
const at = (name: string) => join(folder, name)
const MASTER_KEY = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='
const VISITORS = 40
const OUT_BEFORE = [0, 1]
const OUT_SINCE = [2, 3, 4]
const deviceOf = (visitor: number) => `6${String(visitor).padStart(37, '0')}`
type Server = Awaited<ReturnType<typeof startWholeServer>>

let receiver: Partner
let defined: DefinedOverApi<'look'>
let out = ''
let errors = ''
let target = ''
let targets = 0

const start = (dataDir: string, env = {}) =>
  startWholeServer(dataDir, { env: { USHER_MASTER_KEY: MASTER_KEY, USHER_OPT_OUTS_LIST_FILE: at('list'), ...env } })
const look = (usher: Server, visitor: number) =>
  fetch(
    `${usher.edgeUrl}/event?d_rtbd=json&d_uuid=${deviceOf(visitor)}&d_cid=${defined.dataSourceId}%01p${visitor}&c_do=look`,
  )
const leave = async (usher: Server, visitor: number) =>
  expect((await fetch(`${usher.edgeUrl}/demoptout.jpg?d_uuid=${deviceOf(visitor)}`)).status).toBe(200)
const codesOf = async (usher: Server, visitor: number) => {
  const answer = await fetch(`${usher.edgeUrl}/event?d_rtbd=json&d_uuid=${deviceOf(visitor)}`)
  return (((await answer.json()) as { errors?: { code: number }[] }).errors ?? []).map(({ code }) => code)
}
const members = () => receiver.state.members(String(defined.segmentIds[0])).toSorted()
const numbers = (visitors: readonly number[]) => visitors.map((visitor) => `p${visitor}`).toSorted()
const all = Array.from({ length: VISITORS }, (_, visitor) => visitor)

/** Until the partner has these and no others; the number of looks is bounded. */
async function toldOf(visitors: readonly number[]): Promise<void> {
  for (let looks = 0; looks < 1_000; looks++) {
    if (members().join() === numbers(visitors).join()) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`the partner has ${members().join()}`)
}

/** How often the partner was told that a visitor left. */
function toldOut(visitor: number): number {
  const isOut = new RegExp(`"p${visitor}"[^}]*"Status":"0"`)
  return receiver.records.filter(({ body }) => isOut.test(body)).length
}

function watchOutput(): void {
  out = ''
  errors = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text)
    return true
  })
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    errors += String(text)
    return true
  })
}

beforeAll(async () => {
  receiver = await startReceiver()
  vi.stubEnv('TEST_SEED', undefined)
  watchOutput()
  const usher = await start(at('data'))
  defined = await defineOverApi(usher, {
    traits: [{ name: 'look', ttl: 30 }],
    segments: [{ name: 'lookers', rule: ({ look }) => `${look}T` }],
    url: `${receiver.url}/aam`,
    auth: { type: 'basic', username: 'usher', password: 'a-secret-of-the-partner' },
  })
  for (const visitor of all) expect((await look(usher, visitor)).status).toBe(200)
  await toldOf(all)
  for (const visitor of OUT_BEFORE) await leave(usher, visitor)
  await toldOf(all.slice(2))
  // Events go on while it is made.
  let isMade = false
  const load = (async () => {
    for (let visitor = 1_000; !isMade && visitor < 5_000; visitor++) await look(usher, visitor)
  })()
  const status = await run(['backup', at('backup'), '--url', usher.adminUrl, '--token', ADMIN_TOKEN])
  expect([status, errors]).toEqual([0, ''])
  isMade = true
  await load
  for (const visitor of OUT_SINCE) await leave(usher, visitor)
  for (let looks = 0; looks < 1_000 && OUT_SINCE.some((visitor) => toldOut(visitor) === 0); looks++)
    await new Promise((resolve) => setTimeout(resolve, 20))
  await usher.close()
  vi.restoreAllMocks()
}, 120_000)
afterAll(async () => {
  await receiver.close()
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(() => {
  target = at(`restored-${++targets}`)
  vi.stubEnv('USHER_MASTER_KEY', MASTER_KEY)
  vi.stubEnv('TEST_SEED', undefined)
  watchOutput()
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})

const restore = (file: string, ...args: string[]) => {
  out = ''
  errors = ''
  return run(['restore', file, '--data-dir', target, ...args])
}
const withList = () => ['--opt-outs', at('list')]

test('what was acknowledged before a backup is there after a restore, and opt-outs made since hold and are told [SEC-90] [SEC-79] [OPS-14~]', async () => {
  expect(statSync(at('backup')).mode & 0o777).toBe(0o600)
  const bytes = readFileSync(at('backup'))
  for (const secret of [Buffer.from(MASTER_KEY, 'base64'), MASTER_KEY, 'a-secret-of-the-partner', 'lookers', 'SQLite'])
    expect(bytes.includes(secret)).toBe(false)
  expect(await restore(at('backup'), ...withList(), '--json')).toBe(0)
  const report = JSON.parse(out)
  expect(report.optOuts).toEqual({ listed: 5, applied: 3, profiles: 3, damagedLines: 0, isTorn: false, unlisted: 0 })
  expect(Object.values(report.check.findings).map((found) => (found as { count: number }).count)).toEqual([
    0, 0, 0, 0, 0,
  ])
  expect(readdirSync(target).filter((name) => statSync(join(target, name)).mode & 0o077)).toEqual([])
  expect(existsSync(join(target, 'master.key'))).toBe(false)
  expect(existsSync(join(target, 'admin.token'))).toBe(false)

  const before = OUT_SINCE.map(toldOut)
  const usher = await start(target)
  try {
    // By the restored server, whatever the old one had already told, and before any of them calls.
    await expect.poll(() => OUT_SINCE.map(toldOut), { timeout: 20_000 }).toEqual(before.map((count) => count + 1))
    for (const visitor of [...OUT_BEFORE, ...OUT_SINCE]) expect(await codesOf(usher, visitor)).toContain(171)
    for (const visitor of all.slice(5)) {
      const view = await usher.api<{ segments: { status: string }[] }>('GET', `/v1/profiles/${deviceOf(visitor)}`)
      expect(view.segments.map(({ status }) => status)).toEqual(['in'])
    }
    for (const visitor of OUT_SINCE) {
      const view = await usher.api<{ segments: { status: string }[] }>('GET', `/v1/profiles/${deviceOf(visitor)}`)
      expect(view.segments.filter(({ status }) => status === 'in')).toEqual([])
    }
    // Its definitions and secrets work: a new visitor is told with the stored password.
    expect((await look(usher, 9_000)).status).toBe(200)
    await expect.poll(() => members().includes('p9000'), { timeout: 20_000 }).toBe(true)
    expect(await run(['verify', '--url', usher.adminUrl, '--token', ADMIN_TOKEN])).toBe(0)
  } finally {
    await usher.close()
  }
})

test('without the list of opt-outs a restore asks for it and writes nothing; in so many words it goes on [SEC-90]', async () => {
  expect(await restore(at('backup'))).toBe(2)
  expect(errors).toContain('the list of opt-outs is needed')
  expect(await restore(at('backup'), '--opt-outs', at('no-such-list'))).toBe(2)
  expect(errors).toContain('no-such-list is not there')
  writeFileSync(at('empty-list'), '')
  expect(await restore(at('backup'), '--opt-outs', at('empty-list'))).toBe(1)
  expect(errors).toContain('empty-list is empty')
  expect(readdirSync(target)).toEqual([])
  expect(await restore(at('backup'), ...withList(), '--without-opt-outs')).toBe(2)
  expect(await restore(at('backup'), '--without-opt-outs')).toBe(0)
  expect(out).toContain('WITHOUT the list of opt-outs')
})

test('a torn last line of the list is told, and the others count [SEC-90]', async () => {
  copyFileSync(at('list'), at('torn-list'))
  appendFileSync(at('torn-list'), 'AAAA BBBB')
  expect(await restore(at('backup'), '--opt-outs', at('torn-list'))).toBe(0)
  expect(out).toContain('5 in it, 3 of them since the backup')
  expect(out).toContain('The last line of the list broke off')
})

test('a list of another installation, or what is no list at all, is refused, also where nobody in the backup opted out [SEC-90] [SEC-79]', async () => {
  vi.stubEnv('USHER_MASTER_KEY', undefined)
  for (const name of ['USHER_ADMIN_PORT', 'USHER_EDGE_PORT']) vi.stubEnv(name, String(await freePort()))
  const quiet = at('quiet')
  await (await startWholeServer(quiet)).close()
  expect(await run(['backup', at('of-quiet'), '--data-dir', quiet])).toBe(0)
  const ofQuiet = (list: string) => ['--master-key-file', join(quiet, 'master.key'), '--opt-outs', list]
  writeFileSync(at('nobody'), '')
  const noFirstLine = readFileSync(at('list'), 'utf8').split('\n').slice(1).join('\n')
  writeFileSync(at('without-first'), noFirstLine)
  for (const [list, words] of [
    [at('list'), 'is the list of another installation'],
    [at('nobody'), 'is empty'],
    [join(quiet, 'master.key'), 'it is no list, or of another installation'],
    [at('without-first'), 'it is no list, or of another installation'],
  ] as const) {
    expect(await restore(at('of-quiet'), ...ofQuiet(list))).toBe(1)
    expect(errors).toContain(words)
    expect(readdirSync(target)).toEqual([])
  }
  expect(await restore(at('of-quiet'), ...ofQuiet(join(quiet, 'opt-outs.list')))).toBe(0)
  expect(out).toContain('0 in it, 0 of them since the backup')
})

test('with damaged lines in the list a restore does what it can, and its exit status says that it was not all [SEC-90] [OPS-14~]', async () => {
  const lines = readFileSync(at('list'), 'utf8').split('\n')
  const ofLast = lines.findLastIndex((line) => line !== '')
  lines[ofLast] = (lines[ofLast] as string).replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))
  writeFileSync(at('hurt-list'), lines.join('\n'))
  expect(await restore(at('backup'), '--opt-outs', at('hurt-list'))).toBe(1)
  expect(out).toContain('4 in it, 2 of them since the backup')
  expect(out).toContain('1 lines of the list are damaged')
  expect(errors).toContain('the list of opt-outs was damaged')
})

test('a list that an older version began, without a first line, is taken when somebody in it is known to the backup [SEC-90]', async () => {
  writeFileSync(at('old-list'), readFileSync(at('list'), 'utf8').split('\n').slice(1).join('\n'))
  expect(await restore(at('backup'), '--opt-outs', at('old-list'))).toBe(0)
  expect(out).toContain('5 in it, 3 of them since the backup')
})

test('a list with lines of a kind this version does not know is refused, not half applied [SEC-80~] [SEC-90]', async () => {
  // Key 0000 45 00, record 00, as a later version may write it.
  const line = 'AABFAA== AA=='
  const { crc32 } = await import('node:zlib')
  copyFileSync(at('list'), at('later-list'))
  appendFileSync(at('later-list'), `${line} ${crc32(line).toString(16)}\n`)
  expect(await restore(at('backup'), '--opt-outs', at('later-list'))).toBe(1)
  expect(errors).toContain('restore with the version that wrote it')
  expect(readdirSync(target)).toEqual([])
})

/** Start and end of each chunk. */
function chunksOf(bytes: Buffer): { from: number; to: number }[] {
  const chunks: { from: number; to: number }[] = []
  for (let from = 13 + bytes.readUInt32BE(9); from < bytes.length; ) {
    const to = from + 5 + bytes.readUInt32BE(from + 1) + 16
    chunks.push({ from, to })
    from = to
  }
  return chunks
}

test('a backup that was changed, cut, moved about or made elsewhere is refused in words and leaves nothing [SEC-90]', async () => {
  const whole = readFileSync(at('backup'))
  const chunks = chunksOf(whole)
  expect(chunks.length).toBeGreaterThan(2)
  const [first, second] = chunks as [{ from: number; to: number }, { from: number; to: number }]
  const last = chunks.at(-1) as { from: number; to: number }
  const flipped = (place: number) => {
    const bytes = Buffer.from(whole)
    bytes[place] = (bytes[place] as number) ^ 1
    return bytes
  }
  const start = whole.subarray(0, first.from)
  const cases: readonly (readonly [string, Buffer])[] = [
    ['this is no backup of Usher', Buffer.from('anything else')],
    ['this is no backup of Usher', Buffer.alloc(0)],
    ['has format 3', flipped(8)],
    ['damaged', flipped(20)],
    ['damaged: chunk 0 fails its checksum', flipped(first.from + 100)],
    ['damaged: chunk 0', flipped(first.from)],
    ['damaged', flipped(first.from + 1)],
    ['damaged: chunk', flipped(whole.length - 1)],
    ['damaged: it ends too early', whole.subarray(0, whole.length - 1)],
    ['damaged: it ends too early', whole.subarray(0, last.from)],
    ['damaged: it ends too early', whole.subarray(0, first.to - 7)],
    ['damaged: chunk 0', Buffer.concat([start, whole.subarray(second.from)])],
    [
      'damaged: chunk 0',
      Buffer.concat([
        start,
        whole.subarray(second.from, second.to),
        whole.subarray(first.from, first.to),
        whole.subarray(second.to),
      ]),
    ],
    ['damaged: it goes on behind its end', Buffer.concat([whole, Buffer.of(0)])],
  ]
  for (const [words, bytes] of cases) {
    writeFileSync(at('bad'), bytes)
    expect([words, await restore(at('bad'), ...withList())]).toEqual([words, 1])
    expect(errors).toContain(words)
    expect(existsSync(target) ? readdirSync(target) : []).toEqual([])
  }
  vi.stubEnv('USHER_MASTER_KEY', Buffer.alloc(32, 7).toString('base64'))
  expect(await restore(at('backup'), ...withList())).toBe(1)
  expect(errors).toContain('made with another master key')
  vi.stubEnv('USHER_MASTER_KEY', undefined)
  expect(await restore(at('backup'), ...withList())).toBe(2)
  expect(errors).toContain('the master key of the installation is needed')
  expect(await restore(at('nowhere'), ...withList(), '--master-key-file', at('nokey'))).toBe(2)
  expect(existsSync(target) ? readdirSync(target) : []).toEqual([])
})

test('a restore goes into an empty folder only, and a file is replaced only with --force [SEC-90]', async () => {
  mkdirSync(target)
  writeFileSync(join(target, 'mine'), 'mine')
  expect(await restore(at('backup'), ...withList())).toBe(1)
  expect(errors).toContain('is not empty')
  expect(readdirSync(target)).toEqual(['mine'])
  writeFileSync(at('there'), 'mine')
  expect(await run(['backup', at('there'), '--data-dir', at('data')])).toBe(2)
  expect(errors).toContain('--force')
  expect(readFileSync(at('there'), 'utf8')).toBe('mine')
})

test('without a server the data directory is backed up itself, and the key file of the old one opens it [OPS-14~]', async () => {
  vi.stubEnv('USHER_MASTER_KEY', undefined)
  for (const name of ['USHER_ADMIN_PORT', 'USHER_EDGE_PORT']) vi.stubEnv(name, String(await freePort()))
  const old = at('old')
  await (await startWholeServer(old)).close()
  writeFileSync(at('second'), 'replaced')
  expect(await run(['backup', at('second'), '--data-dir', old, '--force'])).toBe(0)
  const ofOld = ['--opt-outs', join(old, 'opt-outs.list'), '--master-key-file', join(old, 'master.key')]
  expect(await restore(at('second'), ...ofOld)).toBe(0)
  expect(readFileSync(join(target, 'master.key'), 'utf8')).toBe(readFileSync(join(old, 'master.key'), 'utf8'))
  await (await startWholeServer(target)).close()
  expect(await run(['backup', at('third'), '--data-dir', at('nothing-here')])).toBe(1)
  expect(errors).toContain('holds no data of Usher')
})

test('a restore that is killed half-way leaves a folder that does not start, and says why [SEC-90]', async () => {
  const whole = readFileSync(at('backup'))
  // A pipe that gives half of it, then nothing.
  execFileSync('mkfifo', [at('pipe')])
  const bin = join(import.meta.dirname, '..', '..', 'bin', 'usher')
  const env = { PATH: process.env['PATH'], USHER_MASTER_KEY: MASTER_KEY }
  const args = [bin, 'restore', at('pipe'), '--data-dir', target, ...withList()]
  const child = spawn(process.execPath, args, { env, stdio: 'ignore' })
  const gone = new Promise((resolve) => child.once('exit', resolve))
  // Read and write, so that opening it waits for nobody.
  const pipe = openSync(at('pipe'), 'r+')
  const half = whole.subarray(0, Math.min(60_000, Math.floor(whole.length / 2)))
  writeSync(pipe, half)
  await expect.poll(() => existsSync(join(target, 'profiles')), { timeout: 20_000 }).toBe(true)
  child.kill('SIGKILL')
  await gone
  const ports = { USHER_ADMIN_PORT: String(await freePort()), USHER_EDGE_PORT: String(await freePort()) }
  const serve = spawnSync(process.execPath, [bin, 'serve', '--data-dir', target], {
    env: { ...env, ...ports },
    encoding: 'utf8',
  })
  expect(serve.status).toBe(2)
  expect(serve.stderr).toContain(`a restore into ${target} was begun and is not finished`)
  expect(await restore(at('backup'), ...withList())).toBe(1)
  expect(errors).toContain('empty the folder')
})

test('where there is no room for a backup that is said, and nothing of it is left [SEC-61~] [SEC-90]', async () => {
  using disk = openSmallDisk(4)
  for (const name of ['USHER_ADMIN_PORT', 'USHER_EDGE_PORT']) vi.stubEnv(name, String(await freePort()))
  disk.fill(20_000)
  expect(await run(['backup', join(disk.folder, 'backup'), '--data-dir', at('data')])).toBe(1)
  expect(errors).toContain('there is no room left for')
  expect(readdirSync(disk.folder).filter((name) => name.startsWith('backup'))).toEqual([])
})

test('a list that cannot be written where it was put stops the start [SEC-79]', async () => {
  await expect(start(target, { USHER_OPT_OUTS_LIST_FILE: at('no/such/list') })).rejects.toThrow('optOuts.listFile')
})
