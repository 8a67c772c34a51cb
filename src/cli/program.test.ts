import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { freePort } from '../testkit/free-port.ts'
import { buildProgram, run } from './program.ts'

const RIGHT = 'the-right-token-of-this-test'
const closers: (() => void)[] = []
let out = ''
let errors = ''
beforeEach(() => {
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
})
afterEach(() => {
  vi.restoreAllMocks()
  for (const close of closers.splice(0)) close()
})

async function serve(listener: RequestListener): Promise<string> {
  const port = await freePort()
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${port}`
}

describe('usage', () => {
  test.each([
    ['no such command', ['sing'], 'unknown command'],
    ['no such option', ['partner', '--loud'], 'unknown option'],
    ['a missing argument', ['profile'], 'missing required argument'],
    ['an empty ID', ['profile', ''], '"" is no ID: it is neither a device ID of 38 digits nor a data source and an ID'],
    ['a blank as an ID', ['profile', ' '], '" " is no ID: it is neither'],
    ['an ID that an address leaves out', ['profile', '..'], '".." is no ID: it is neither'],
    ['a port that is none', ['partner', '--port', '70000'], 'is not a number from 0 to 65535'],
    ['a port that is no whole number', ['partner', '--port', '80.5'], "'--port <port>' argument '80.5' is invalid"],
    ['a port in another notation', ['partner', '--port', '0x1f90'], 'is not a number from 0 to 65535'],
    ['a delay in another notation', ['partner', '--delay', '1e3'], 'is not a number from 0 to 600000'],
    ['a share without digits', ['partner', '--fail-rate', ''], 'is not a number from 0 to 1'],
    ['an unknown algorithm', ['partner', '--algorithm', 'sha512'], 'is not one of md5, sha1, sha256'],
    ['an empty key', ['partner', '--key', ''], '--key is empty'],
    [
      'a key that no destination takes',
      ['partner', '--port', '0', '--key', 'short'],
      '--key has at least 16 characters',
    ],
    ['a header that is none', ['partner', '--port', '0', '--header', 'a b'], '--header: is not an HTTP header name'],
    ['an empty header', ['partner', '--port', '0', '--header', ''], '--header: is not an HTTP header name'],
    [
      'a header that no signature may have',
      ['partner', '--port', '0', '--header', 'Content-Type'],
      '--header: the header Content-Type is set by the sender and cannot be chosen',
    ],
    ['an empty host', ['partner', '--port', '0', '--host', ''], '--host wants an address or a name of this machine'],
    ['a host with a blank', ['partner', '--port', '0', '--host', 'a b'], '--host wants an address or a name'],
    ['OAuth without a secret', ['partner', '--oauth', 'id'], '--oauth wants id:secret'],
    ['OAuth with an empty secret', ['partner', '--oauth', 'id:'], '--oauth wants id:secret, neither of them empty'],
    [
      'a journal that cannot be written',
      ['partner', '--port', '0', '--journal', '/no/such/file'],
      '--journal cannot be written',
    ],
    [
      'a key copied with its line end',
      ['partner', '--port', '0', '--key', 'a-key-both-sides-know\n'],
      '--key ends with U+000A',
    ],
    ['a secret copied with a blank', ['partner', '--port', '0', '--oauth', 'id:secret '], '--oauth ends with U+0020'],
    ['a token with a line end', ['link', '--token', 'abc\n'], '--token holds a blank, a line end'],
    ['an address that is none', ['link', '--url', 'localhost:8081'], '--url wants an address such as http://'],
  ])('%s: exit 2 [OPS-14~]', async (_name, argv, expected) => {
    expect(await run(argv)).toBe(2)
    expect(errors).toContain(expected)
  })

  test('every command has --help, exit 0 [OPS-14~]', async () => {
    const names = buildProgram().commands.map((command) => command.name())
    expect(names).toEqual([
      'serve',
      'demo',
      'partner',
      'profile',
      'link',
      'verify',
      'backup',
      'restore',
      'clock',
      'version',
    ])
    for (const name of names) {
      out = ''
      expect(await run([name, '--help'])).toBe(0)
      expect(out).toContain(`Usage: usher ${name}`)
    }
  })

  test('an address this machine does not have: exit 1 with the settings of another [OPS-14~]', async () => {
    expect(await run(['partner', '--host', '192.0.2.1', '--port', '0'])).toBe(1)
    expect(errors).toContain('this machine has no address 192.0.2.1. Choose another: USHER_HOST, or --host')
  })

  test('a configuration that cannot be used: exit 2, with the key [OPS-20]', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'usher-cli-'))
    closers.push(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'x.yaml'), 'edge: { prot: 1 }')
    expect(await run(['profile', '1', '--config', join(folder, 'x.yaml')])).toBe(2)
    expect(errors).toContain('edge.prot')
  })

  test('version prints the version, and JSON with --json [OPS-14~]', async () => {
    expect(await run(['version'])).toBe(0)
    expect(out).toMatch(/^usher \d+\.\d+\.\d+\n$/)
    out = ''
    expect(await run(['version', '--json'])).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ usher: expect.stringMatching(/^\d/), node: process.versions.node })
  })
})

const view = {
  profileId: `d:${'1'.repeat(38)}`,
  kind: 'device',
  firstSeen: '2026-11-20T00:00:00.000Z',
  lastSeen: '2026-11-21T00:00:00.000Z',
  ids: [{ dataSourceId: 77052, id: 'hd-9f21', syncedAt: '2026-11-20T00:00:00.000Z' }],
  traits: [{ sid: 100001, name: 'Shoes', count: 3, lastRealized: '2026-11-21', expires: '2027-03-20' }],
  segments: [{ sid: 100007, name: 'Intenders', status: 'in', since: '2026-11-20T00:00:00.000Z', until: null }],
  consent: { store: true, reason: 'none_applies' },
  optOut: null,
  deliveries: [],
} // prettier-ignore
const frequency = {
  op: 'frequency',
  holds: true,
  sid: 100001,
  count: 1,
  windowDays: 7,
  required: 2,
  windowOperator: '>=',
  requiredOperator: '<=',
}
const explain = { rule: { op: 'and', holds: true, children: [frequency] }, inSince: null, leavesAt: null, told: [] }

describe('client commands', () => {
  const asked: (string | undefined)[] = []
  const answerProfile: RequestListener = (request, response) => {
    asked.push(request.headers.authorization)
    if (request.headers.authorization !== `Bearer ${RIGHT}`)
      return void response.writeHead(401).end('{"code":"unauthorized","message":"the token is not known"}')
    if (!request.url?.includes('1111')) return void response.writeHead(404).end('{"code":"not_found","message":"-"}')
    response.end(JSON.stringify(request.url?.includes('/explain') ? explain : view))
  }

  test('profile shows IDs, traits, segments and why [OPS-14~]', async () => {
    const url = await serve(answerProfile)
    expect(await run(['profile', '1'.repeat(38), '--url', url, '--token', RIGHT])).toBe(0)
    for (const part of [
      'hd-9f21',
      'Shoes  3 times',
      'Intenders  in since',
      'yes frequency 100001: 1 times at least 7 days ago, asked for <= 2',
    ])
      expect(out).toContain(part)
    out = ''
    expect(await run(['profile', '1'.repeat(38), '--url', url, '--token', RIGHT, '--json'])).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ ...view, explain: { 100007: explain } })
  })

  test('what is not known, and a wrong token: exit 1 with what to do [OPS-14~]', async () => {
    const url = await serve(answerProfile)
    expect(await run(['profile', '99', '--url', url, '--token', RIGHT])).toBe(1)
    expect(errors).toContain('nothing is known of 99')
    expect(await run(['profile', '99', '--url', url, '--token', 'wrong'])).toBe(1)
    expect(errors).toContain('Sign in with --token')
  })

  test('the token file of the data directory is found [OPS-14~]', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'usher-cli-'))
    closers.push(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'admin.token'), `${RIGHT}\n`)
    expect(await run(['profile', '1'.repeat(38), '--url', await serve(answerProfile), '--data-dir', folder])).toBe(0)
    expect(asked.at(-1)).toBe(`Bearer ${RIGHT}`)
  })

  test.each([
    ['is too short', (path: string) => writeFileSync(path, 'x'), 'has fewer than 24 characters'],
    ['is a folder', (path: string) => mkdirSync(path), 'is a folder. Remove it'],
  ])('a token file that %s is named, with what to do: exit 1 [OPS-14~] [OPS-22]', async (_name, put, why) => {
    const folder = mkdtempSync(join(tmpdir(), 'usher-cli-'))
    closers.push(() => rmSync(folder, { recursive: true }))
    put(join(folder, 'admin.token'))
    const url = await serve((_request, response) => void response.writeHead(500).end())
    expect(await run(['link', '--url', url, '--data-dir', folder])).toBe(1)
    expect(errors).toContain(`error: ${join(folder, 'admin.token')} ${why}`)
  })

  test.each([
    ['a sound store: exit 0', 0, 0, '12 records checked, no problem found'],
    ['a damaged one: exit 1, with what and where', 2, 1, '2 link without reverse\n    d:1'],
  ])('verify reads the lines of the running server; %s [OPS-14~] [SEC-60]', async (_name, count, status, expected) => {
    const report = {
      records: 12,
      bytes: 900,
      kinds: {},
      findings: { damaged: { count: 0, samples: [] }, link_without_reverse: { count, samples: ['d:1'] } },
    }
    const url = await serve(
      (_request, response) => void response.end(`{"progress":{"done":1,"total":2}}\n${JSON.stringify({ report })}\n`),
    )
    expect(await run(['verify', '--url', url, '--token', RIGHT])).toBe(status)
    expect(out).toContain(expected)
    out = ''
    await run(['verify', '--url', url, '--token', RIGHT, '--json'])
    expect(JSON.parse(out)).toEqual(report)
  })

  test('clock tells how far the clock leapt and what to do; --confirm says that it is right [SEC-82~]', async () => {
    const view = {
      state: 'held',
      now: '2027-06-10T12:00:00.000Z',
      machine: '2027-07-20T12:00:00.000Z',
      leapSeconds: 40 * 86_400,
      since: '2027-06-10T11:59:00.000Z',
      offsetSeconds: 0,
    }
    const calls: string[] = []
    const url = await serve((request, response) => {
      calls.push(`${request.method} ${request.url}`)
      const isConfirmed = request.method === 'POST'
      response.end(JSON.stringify(isConfirmed ? { ...view, state: 'trusted', leapSeconds: 0, since: null } : view))
    })
    expect(await run(['clock', '--url', url, '--token', RIGHT])).toBe(0)
    expect(out).toContain('leapt 40 days ahead at 2027-06-10T11:59:00.000Z')
    expect(out).toContain('usher clock --confirm')
    out = ''
    expect(await run(['clock', '--confirm', '--url', url, '--token', RIGHT])).toBe(0)
    expect(out).toContain('The clock is trusted.')
    expect(calls).toEqual(['GET /v1/clock', 'POST /v1/clock/confirm'])
  })

  test('a server that is not Usher: exit 1 with its address and what to look at [OPS-14~]', async () => {
    const url = await serve((_request, response) => void response.writeHead(404).end())
    expect(await run(['link', '--url', url, '--token', RIGHT])).toBe(1)
    expect(errors).toContain(`${url} answered 404 and nothing`)
    expect(errors).toContain('Is it the admin address of Usher?')
  })

  test('verify without a server, on a folder that holds no data: exit 1, and the folder is not made [OPS-14~]', async () => {
    const dataDir = join(tmpdir(), `usher-cli-none-${process.pid}`)
    vi.stubEnv('USHER_ADMIN_PORT', String(await freePort()))
    expect(await run(['verify', '--data-dir', dataDir])).toBe(1)
    vi.unstubAllEnvs()
    expect(errors).toContain(`${dataDir} holds no data of Usher`)
    expect(existsSync(dataDir)).toBe(false)
  })

  test('no server: exit 1 with how to start one [OPS-14~]', async () => {
    expect(await run(['profile', '1', '--url', `http://127.0.0.1:${await freePort()}`])).toBe(1)
    expect(errors).toContain('ECONNREFUSED')
    expect(errors).toContain('usher serve')
  })
})
