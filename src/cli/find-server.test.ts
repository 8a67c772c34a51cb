import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { SELF_SIGNED } from '../../test/hostile/bad-certificates.ts'
import { TEST_CERTIFICATE } from '../collect/test-certificate.conformance.ts'
import { createHttpClient } from '../lib/http-client.ts'
import { freePort } from '../testkit/free-port.ts'
import { ADMIN_TOKEN } from '../testkit/spawn-usher.ts'
import { startWholeServer } from '../testkit/start-whole-server.ts'
import { openLine, signInLine } from './link.ts'
import { run } from './program.ts'

/** Commands that are told nothing but the data directory, against real servers. */
let folder = ''
let dataDir = ''
let out = ''
let errors = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'usher-find-'))
  dataDir = join(folder, 'data')
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
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

const DEVICE = '12345678901234567890123456789012345678'
const serverFile = () => join(dataDir, 'server.json')

/** Settings under which `bin/usher link` has to find the server all the same. */
const withTls = () => {
  for (const [name, pem] of Object.entries(TEST_CERTIFICATE)) writeFileSync(join(folder, name), pem)
  return { USHER_TLS_CERT: join(folder, 'cert'), USHER_TLS_KEY: join(folder, 'key') }
}
test.each<[string, () => Record<string, string>, RegExp]>([
  ['another port', () => ({}), /^http:\/\/127\.0\.0\.1:\d+$/],
  [
    'a port that the system picks',
    () => ({ USHER_ADMIN_PORT: '0', USHER_EDGE_PORT: '0' }),
    /^http:\/\/127\.0\.0\.1:\d+$/,
  ],
  ['0.0.0.0', () => ({ USHER_HOST: '0.0.0.0' }), /^http:\/\/127\.0\.0\.1:\d+$/],
  ['another address of loopback', () => ({ USHER_HOST: '127.0.0.3' }), /^http:\/\/127\.0\.0\.3:\d+$/],
  ['a name', () => ({ USHER_HOST: 'localhost' }), /^http:\/\/localhost:\d+$/],
  // The certificate is of another name than the address that commands call.
  ['TLS', withTls, /^https:\/\/127\.0\.0\.1:\d+$/],
  ['TLS on 0.0.0.0', () => ({ ...withTls(), USHER_HOST: '0.0.0.0' }), /^https:\/\/127\.0\.0\.1:\d+$/],
])(
  'a server on %s: link, profile and verify find it by its data directory [OPS-14~] [OPS-22]',
  async (_name, env, address) => {
    await using usher = await startWholeServer(dataDir, { env: env() })
    expect(usher.adminUrl).toMatch(address)
    expect(await run(['link', '--data-dir', dataDir]), errors).toBe(0)
    const [, url = '', setupToken = ''] = /^Open (\S+)\/#setup=(\S+)/.exec(out) ?? []
    expect(url).toBe(usher.adminUrl)
    const http = createHttpClient(TEST_CERTIFICATE.cert)
    const headers = { 'content-type': 'application/json' }
    const signIn = { method: 'POST', headers, body: JSON.stringify({ setupToken }) }
    expect((await http.call(`${url}/v1/session`, signIn)).status).toBe(204)
    await http.call(`${usher.edgeUrl}/event?d_uuid=${DEVICE}&c_a=b`)
    http.close()
    out = ''
    expect(await run(['profile', DEVICE, '--data-dir', dataDir]), errors).toBe(0)
    expect(out).toContain(DEVICE)
    expect(await run(['verify', '--data-dir', dataDir]), errors).toBe(0)
  },
)

describe('the file in the data directory', () => {
  test('holds the addresses of a running server, for its owner only, and goes with it [OPS-14~]', async () => {
    {
      await using usher = await startWholeServer(dataDir)
      const { edgeUrl, adminUrl } = usher
      expect(JSON.parse(readFileSync(serverFile(), 'utf8'))).toEqual({
        pid: process.pid,
        edgeUrl,
        adminUrl,
        isReachedElsewhere: false,
      })
      if (process.platform !== 'win32') expect(statSync(serverFile()).mode & 0o777).toBe(0o600)
    }
    expect(existsSync(serverFile())).toBe(false)
  })

  test('of a server that was killed, or not whole, counts for nothing: with a token that is given the configured address is asked', async () => {
    const port = await freePort()
    vi.stubEnv('USHER_ADMIN_PORT', String(port))
    await using usher = await startWholeServer(dataDir, { env: { USHER_ADMIN_PORT: String(port) } })
    // A process that has ended for sure.
    const { pid } = spawnSync(process.execPath, ['-e', ''])
    const dead = { pid, edgeUrl: '', adminUrl: 'http://127.0.0.1:9', isReachedElsewhere: false }
    for (const text of [JSON.stringify(dead), '{"pid":1', '{}', '']) {
      writeFileSync(serverFile(), text)
      out = ''
      const given = ['--token', ADMIN_TOKEN]
      expect(await run(['link', '--data-dir', dataDir, ...given]), `${text} ${errors}`).toBe(0)
      expect(out).toContain(`Open ${usher.adminUrl}/#setup=`)
    }
  })

  test('gives way to --url, and says so where the server has no API', async () => {
    {
      await using usher = await startWholeServer(dataDir)
      writeFileSync(serverFile(), readFileSync(serverFile(), 'utf8').replace(usher.adminUrl, 'http://127.0.0.1:9'))
      expect(await run(['link', '--data-dir', dataDir, '--url', usher.adminUrl]), errors).toBe(0)
    }
    await using _edge = await startWholeServer(dataDir, { env: { USHER_ROLES: 'edge' } })
    expect(await run(['link', '--data-dir', dataDir])).toBe(2)
    expect(errors).toContain(`the server of ${dataDir} has no role admin: name another with --url`)
  })

  test('without it the token of the data directory goes to nobody: who listens where it is configured may be somebody else [SEC-62~]', async () => {
    await (await startWholeServer(dataDir)).close()
    const asked: string[] = []
    const somebody = createServer((request, response) => {
      asked.push(request.headers.authorization ?? request.url ?? '')
      response.end('{}')
    })
    const port = await freePort()
    await new Promise<void>((resolve) => somebody.listen(port, '127.0.0.1', resolve))
    vi.stubEnv('USHER_ADMIN_PORT', String(port))
    for (const command of [['link'], ['clock'], ['profile', DEVICE]]) {
      errors = ''
      expect(await run([...command, '--data-dir', dataDir])).toBe(1)
      expect(errors).toContain(`no server runs on ${dataDir}. Start it with usher serve --data-dir ${dataDir}`)
    }
    expect(await run(['verify', '--data-dir', dataDir])).toBe(0)
    expect(await run(['backup', join(folder, 'backup'), '--data-dir', dataDir])).toBe(0)
    expect(asked).toEqual([])
    await new Promise((resolve) => somebody.close(resolve))
  })

  test('a server on any port that does not run is told apart from one that cannot be found', async () => {
    vi.stubEnv('USHER_ADMIN_PORT', '0')
    expect(await run(['link', '--data-dir', dataDir, '--token', ADMIN_TOKEN])).toBe(2)
    expect(errors).toContain(`no server runs on ${dataDir}`)
  })
})

test('another certificate than that of the server is not trusted [OPS-14~]', async () => {
  await using usher = await startWholeServer(dataDir, { env: withTls() })
  writeFileSync(
    serverFile(),
    JSON.stringify({ ...JSON.parse(readFileSync(serverFile(), 'utf8')), certificate: SELF_SIGNED }),
  )
  expect(await run(['link', '--data-dir', dataDir])).toBe(1)
  expect(errors).toContain(`no answer from ${usher.adminUrl}`)
})

test('a certificate that is not trusted is said to be that, and not that nobody runs [OPS-14~]', async () => {
  await using usher = await startWholeServer(dataDir, { env: withTls() })
  expect(await run(['link', '--url', usher.adminUrl, '--token', ADMIN_TOKEN])).toBe(1)
  expect(errors).toContain('Its certificate is not one that this machine trusts')
  expect(errors).not.toContain('Is it running?')
})

test('the printed command is one that a shell takes, and people elsewhere are told [OPS-22]', () => {
  const made = { setupToken: 'abc', expiresAt: '' }
  expect(openLine('http://127.0.0.1:8081', made, './data', false)).toBe(
    'Open http://127.0.0.1:8081/#setup=abc\n  (works once, within an hour; a new one: bin/usher link)',
  )
  expect(openLine('http://127.0.0.1:8081', made, './data', true)).toContain(
    "or the proxy's, in place of http://127.0.0.1:8081",
  )
  const awkward = join(folder, "it's a $(folder)")
  const line = signInLine('http://127.0.0.1:8081', awkward)
  const command = line.slice(line.indexOf('bin/usher')).replace('bin/usher', 'printf "%s\\n"')
  const said = spawnSync('sh', ['-c', command], { encoding: 'utf8' }).stdout
  expect(said).toBe(`link\n--data-dir\n${awkward}\n`)
})
