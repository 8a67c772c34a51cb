import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { type Agent, request as httpRequest, type RequestOptions } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TEST_CERTIFICATE } from '../../src/collect/test-certificate.conformance.ts'
import { freePort } from '../../src/testkit/free-port.ts'
import { ADMIN_TOKEN } from '../../src/testkit/spawn-usher.ts'
import { startWholeServer } from '../../src/testkit/start-whole-server.ts'
import { hasNginx, nginxPath } from './nginx.mjs'

/** docs/behind-a-proxy.md as it is written, with other ports and certificates: a real nginx before a whole server. */
const root = join(import.meta.dirname, '..', '..')
const guide = readFileSync(join(root, 'docs', 'behind-a-proxy.md'), 'utf8')
const blocksOf = (language: string) =>
  [...guide.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, text = '']) => text)
const [edgeBlock = '', adminBlock = '', plainBlock = '', schemeBlock = ''] = blocksOf('nginx')
const [settings = ''] = blocksOf('yaml')

const EDGE = 'collect.example.com'
const ADMIN = 'usher.example.com'
const DEVICE = '12345678901234567890123456789012345678'

let folder = ''
let usher: Awaited<ReturnType<typeof startWholeServer>>
let tlsPort = 0
let plainPort = 0
/** Of nginx behind a load balancer that ends TLS. */
let innerPort = 0
const servers: ChildProcess[] = []

async function startNginx(name: string, config: string): Promise<void> {
  const prefix = join(folder, name)
  mkdirSync(prefix)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (one) => `${one}_temp_path ${prefix}/${one};`,
  )
  const main = `daemon off; master_process off; pid ${prefix}/pid; error_log stderr warn; events { worker_connections 256; }`
  writeFileSync(join(prefix, 'nginx.conf'), `${main} http { access_log off; ${temporary.join(' ')}\n${config}\n}`)
  const child = spawn(nginxPath(), ['-e', 'stderr', '-p', prefix, '-c', join(prefix, 'nginx.conf')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  servers.push(child)
  let said = ''
  child.stderr?.on('data', (part) => {
    said += String(part)
  })
  const isAnswering = async () =>
    (await call({ port: portIn(config), path: '/healthz', tls: config.includes('ssl;') })).status !== 0
  for (let tries = 0; tries < 200 && child.exitCode === null && !(await isAnswering()); tries++) await pause(50)
  if (child.exitCode !== null || !(await isAnswering())) throw new Error(`nginx does not answer: ${said}`)
}

const portIn = (config: string) => Number(/listen (\d+)/.exec(config)?.[1])

/** The guide's blocks for this machine. */
function here(block: string): string {
  return block
    .replaceAll('127.0.0.1:8080', new URL(usher.edgeUrl).host)
    .replaceAll('127.0.0.1:8081', new URL(usher.adminUrl).host)
    .replaceAll('listen 443', `listen ${tlsPort}`)
    .replaceAll('listen 80', `listen ${plainPort}`)
    .replace(/\/etc\/nginx\/tls\/\w+\.(pem|key)/g, `${folder}/tls.$1`)
}

interface Call {
  readonly port?: number
  readonly host?: string
  readonly path: string
  readonly tls?: boolean
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer
  readonly agent?: Agent
  /** Resolves with what has come once this is in it, and closes. */
  readonly until?: RegExp
}

interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

function call({
  port = tlsPort,
  host = EDGE,
  path,
  tls = true,
  method = 'GET',
  headers = {},
  body,
  agent,
  until,
}: Call): Promise<Reply> {
  const options: RequestOptions = {
    host: '127.0.0.1',
    port,
    path,
    method,
    agent: agent ?? false,
    headers: { host: `${host}:${port}`, ...headers },
  }
  return new Promise((resolve) => {
    const request = tls
      ? tlsRequest({ ...options, servername: host, ca: TEST_CERTIFICATE.cert, checkServerIdentity: () => undefined })
      : httpRequest(options)
    request.on('error', (error) => resolve({ status: 0, headers: {}, text: String(error) }))
    request.on('response', (response) => {
      let text = ''
      const answer = () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
      response.on('data', (part) => {
        text += String(part)
        if (until?.test(text) !== true) return
        answer()
        request.destroy()
      })
      response.on('end', answer)
    })
    request.end(body)
  })
}

const cookieOf = ({ headers }: Reply) => headers['set-cookie']?.find((one) => one.startsWith('demdex=')) ?? ''

describe.skipIf(!hasNginx() && process.env['CI'] !== 'true')('nginx as docs/behind-a-proxy.md sets it up', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'usher-nginx-'))
    for (const [name, pem] of [
      ['tls.pem', TEST_CERTIFICATE.cert],
      ['tls.key', TEST_CERTIFICATE.key],
      ['usher.yaml', settings],
    ] as const)
      writeFileSync(join(folder, name), pem)
    const env = {
      USHER_CONFIG: join(folder, 'usher.yaml'),
      USHER_EDGE_REDIRECT_ANY_HOST: '1',
      USHER_EDGE_LIMITS_CONNECTIONS_PER_ADDRESS_MAX: '2',
    }
    usher = await startWholeServer(join(folder, 'data'), { env })
    ;[tlsPort, plainPort, innerPort] = [await freePort(), await freePort(), await freePort()]
    await startNginx('outer', [edgeBlock, adminBlock, plainBlock].map(here).join('\n'))
    const inner = [edgeBlock, adminBlock]
      .map((block) => block.replaceAll('$scheme', '$visitor_scheme').replaceAll('listen 443 ssl', 'listen 80'))
      .map((block) => here(block).replaceAll(`listen ${plainPort}`, `listen ${innerPort}`))
    await startNginx('inner', [schemeBlock, ...inner].join('\n'))
  })
  afterAll(async () => {
    for (const child of servers) {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      if (child.exitCode === null && child.kill('SIGTERM')) await gone
    }
    await usher?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('the guide has every block that is tested here', () => {
    expect([blocksOf('nginx').length, blocksOf('yaml').length]).toEqual([4, 1])
  })

  test('over TLS with keep-alive the cookie is secure, comes back, and stays the same visitor [SEC-99] [COL-124]', async () => {
    const agent = new TlsAgent({ keepAlive: true, maxSockets: 1 })
    const first = await call({ path: '/event?d_rtbd=json', agent })
    const cookie = cookieOf(first)
    expect(cookie).toMatch(
      /^demdex=\d{38}; Domain=\.collect\.example\.com; Path=\/; Max-Age=15552000; Secure; SameSite=None; HttpOnly$/,
    )
    expect(first.headers['strict-transport-security']).toBe('max-age=31536000')
    const sent = { cookie: cookie.split(';')[0] ?? '' }
    // Longer than any one of the connections behind it is used for.
    for (let times = 0; times < 5; times++) {
      const next = await call({ path: `/event?d_rtbd=json&c_n=${times}`, headers: sent, agent })
      expect([next.status, cookieOf(next).split(';')[0]]).toEqual([200, sent.cookie])
    }
    const posted = await call({
      path: '/event?d_rtbd=json',
      method: 'POST',
      headers: { ...sent, 'content-type': 'application/x-www-form-urlencoded' },
      body: 'c_look=shoes',
      agent,
    })
    expect([posted.status, cookieOf(posted).split(';')[0]]).toEqual([200, sent.cookie])
    agent.destroy()
  })

  test('all visitors together may have more connections than one address [SEC-03]', async () => {
    const replies = await Promise.all(Array.from({ length: 20 }, () => call({ path: '/event?d_rtbd=json' })))
    expect(replies.map(({ status }) => status)).toEqual(new Array(20).fill(200))
  })

  test('the address of the visitor decides, not that of the proxy [SEC-09] [COL-141]', async () => {
    await usher.api('POST', '/v1/datasources/', { dataSourceId: 2001, name: 'Shop' })
    await usher.api('POST', '/v1/traits/', {
      sid: 200001,
      name: 'Of that network',
      traitType: 'RULE_BASED_TRAIT',
      traitRule: 'h_ip == "203.0.113.0"',
      dataSourceId: 2001,
      folderId: 0,
    })
    const path = `/event?d_uuid=${DEVICE}&d_rtbd=json&d_cts=1`
    const from = async (forwarded: string) =>
      (await call({ path, headers: { 'x-forwarded-for': forwarded } })).text.includes('200001')
    await expect.poll(() => from('203.0.113.9')).toBe(true)
    const other = '/event?d_uuid=22345678901234567890123456789012345678&d_rtbd=json&d_cts=1'
    expect(
      (await call({ path: other, headers: { 'x-forwarded-for': '203.0.113.9, 198.51.100.7' } })).text,
    ).not.toContain('200001')
  })

  test('what is as large as the edge allows passes, and what is larger is refused as it would be without nginx [SEC-01]', async () => {
    const path = (bytes: number) => `/event?d_rtbd=json&c_a=${'x'.repeat(bytes - '/event?d_rtbd=json&c_a='.length)}`
    expect((await call({ path: path(8192) })).status).toBe(200)
    const long = await call({ path: path(8193) })
    // An answer of nginx would be a page.
    expect([long.status, long.text]).toEqual([414, ''])
    const headers = Object.fromEntries(Array.from({ length: 3 }, (_, at) => [`x-filler-${at}`, 'x'.repeat(5000)]))
    expect((await call({ path: '/event?d_rtbd=json', headers })).status).toBe(200)
    const many = await call({ path: '/event?d_rtbd=json', headers: { ...headers, 'x-filler-9': 'x'.repeat(5000) } })
    expect([many.status, many.text]).toEqual([431, ''])
    const post = (bytes: number) =>
      call({
        path: '/event?d_rtbd=json',
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: Buffer.alloc(bytes, 'x'),
      })
    expect((await post(1_048_576)).text).toContain('900')
    expect((await post(1_048_577)).status).toBe(413)
  })

  test('addresses arrive as they were sent, and long redirects come back whole', async () => {
    const target = `https://partner.example/a%2Fb//c?x=${'y'.repeat(4000)}`
    const cookie = `demdex=${DEVICE}; dextp=${Array.from({ length: 200 }, (_, at) => `${at + 1}-1-1764000000000`).join('|')}`
    const reply = await call({ path: `/event?d_event=click&d_rd=${encodeURIComponent(target)}`, headers: { cookie } })
    expect([reply.status, reply.headers.location]).toEqual([302, target])
  })

  test('plain HTTP goes on to TLS, and a post stays one', async () => {
    const reply = await call({ port: plainPort, tls: false, path: '/event?a=%2F', method: 'POST' })
    expect([reply.status, reply.headers.location]).toEqual([308, `https://${EDGE}/event?a=%2F`])
  })

  test('behind a load balancer the cookie follows the visitor, and his address is found behind both [SEC-99]', async () => {
    const inner = (headers: Record<string, string>) =>
      call({ port: innerPort, tls: false, path: '/event?d_rtbd=json', headers })
    expect(cookieOf(await inner({ 'x-forwarded-proto': 'https' }))).toContain('; Secure; SameSite=None')
    expect(cookieOf(await inner({ 'x-forwarded-proto': 'http' }))).not.toContain('Secure')
    expect(cookieOf(await inner({}))).not.toContain('Secure')
  })

  describe('the admin listener', () => {
    const admin = (path: string, more: Partial<Call> = {}) => call({ host: ADMIN, path, ...more })
    const page = () => ({
      origin: `https://${ADMIN}:${tlsPort}`,
      'content-type': 'application/json',
      'x-usher-csrf': '1',
    })

    test('a person signs in, changes something and signs out [SEC-19] [SEC-66~]', async () => {
      expect((await admin('/')).text).toContain('<title>')
      const link = await usher.newSetupLink()
      const signedIn = await admin('/v1/session', {
        method: 'POST',
        headers: page(),
        body: JSON.stringify({ setupToken: link?.setupToken }),
      })
      const [cookie = ''] = signedIn.headers['set-cookie'] ?? []
      expect([signedIn.status, cookie]).toEqual([
        204,
        expect.stringMatching(/^__Host-usher_session=[\w-]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict; Secure$/),
      ])
      const session = { ...page(), cookie: cookie.split(';')[0] ?? '' }
      const made = await admin('/v1/datasources/', { method: 'POST', headers: session, body: '{"name":"By hand"}' })
      expect([made.status, made.text]).toEqual([201, expect.stringContaining('By hand')])
      const forged = { ...session, origin: `https://evil.example:${tlsPort}` }
      expect((await admin('/v1/datasources/', { method: 'POST', headers: forged, body: '{"name":"x"}' })).status).toBe(
        403,
      )
      expect((await admin('/v1/session', { method: 'DELETE', headers: session })).status).toBe(204)
    })

    test('live events arrive while they happen [OPS-45~]', async () => {
      const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, accept: 'text/event-stream' }
      const live = admin('/v1/live', { headers, until: /event: rates[\s\S]*event: rates/ })
      expect((await live).status).toBe(200)
    })

    test('the progress of a check is passed on, and a body may be as large as the API takes [API-34~]', async () => {
      const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' }
      expect((await admin('/v1/verify', { method: 'POST', headers })).text).toContain('"report"')
      const whole = await admin('/v1/traits/', { method: 'POST', headers, body: `"${'x'.repeat(1_048_574)}"` })
      // Read to its end by the API, which finds no object in it.
      expect([whole.status, JSON.parse(whole.text)]).toEqual([
        400,
        expect.objectContaining({ code: 'invalid_request' }),
      ])
      expect((await admin('/v1/traits/', { method: 'POST', headers, body: `"${'x'.repeat(1_048_575)}"` })).status).toBe(
        413,
      )
    })

    test('the metrics need a token, although the proxy is on this machine [SEC-87~]', async () => {
      expect((await admin('/metrics')).status).toBe(401)
      expect((await admin('/metrics', { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } })).text).toContain(
        'usher_',
      )
      expect((await fetch(`${usher.adminUrl}/metrics`)).status).toBe(200)
    })
  })
})
