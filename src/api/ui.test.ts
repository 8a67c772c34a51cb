import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestAdmin, type TestAdmin } from '../testkit/start-test-admin.ts'
import { UI_PAGES } from './ui.ts'

const SCRIPT = `export const text = '${'usher '.repeat(500)}'\n`
const NO_TOKEN = { authorization: '' }
let folder = ''
let server: TestAdmin
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'usher-ui-'))
  const web = join(folder, 'web')
  mkdirSync(join(web, 'assets'), { recursive: true })
  writeFileSync(join(folder, 'secret.js'), 'outside of the UI')
  writeFileSync(join(web, 'index.html'), '<meta name="csp-nonce" content="__CSP_NONCE__"><div id="root"></div>')
  writeFileSync(join(web, 'usher.svg'), '<svg/>')
  writeFileSync(join(web, 'assets', 'index-C3PYG9eq.js'), SCRIPT)
  writeFileSync(join(web, 'assets', 'inter.woff2'), Buffer.alloc(4_000, 7))
  writeFileSync(join(web, 'assets', 'index.js.map'), '{}')
  server = await startTestAdmin({ uiFolder: web })
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(server.admin.url + path, { headers, redirect: 'manual' })

/** As it is written: a client's library would tidy the path. */
const getRaw = (path: string) =>
  new Promise<string>((resolve, reject) => {
    const socket = connect(server.admin.port, '127.0.0.1', () =>
      socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`),
    )
    let text = ''
    socket.on('data', (bytes) => {
      text += bytes.toString('utf8')
    })
    socket.on('end', () => resolve(text))
    socket.on('error', reject)
  })

describe('the page of the UI [OPS-11~]', () => {
  test.each(['/', '/messages', '/messages/dl_01', '/profiles', '/profiles/77052:hd-9f21', '/?window=1h', '/messages/'])(
    '%s answers it without a token',
    async (path) => {
      const page = await get(path)
      expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
      expect(await page.text()).toContain('id="root"')
    },
  )

  test("its paths are those of the UI's router, no more and no fewer", () => {
    const router = readFileSync(join(import.meta.dirname, '..', '..', 'web', 'src', 'router.tsx'), 'utf8')
    const paths = [...router.matchAll(/path: '([^']+)'/g)].map(([, path = '']) => path.replace('$', ':'))
    expect(paths.length).toBeGreaterThan(0)
    expect(paths.sort()).toEqual([...UI_PAGES].sort())
  })

  test('every answer has a nonce of its own, the same in page and policy; no inline code is allowed [SEC-21]', async () => {
    const nonces = new Set<string>()
    for (let count = 0; count < 20; count++) {
      const page = await get('/messages')
      const inPage = /content="([^"]+)"/.exec(await page.text())?.[1] ?? ''
      expect(Buffer.from(inPage, 'base64')).toHaveLength(16)
      expect(page.headers.get('content-security-policy')).toBe(
        `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${inPage}'; img-src 'self'; font-src 'self'; ` +
          "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      )
      expect(page.headers.get('cache-control')).toBe('no-store')
      expect(page.headers.get('x-content-type-options')).toBe('nosniff')
      expect(page.headers.get('referrer-policy')).toBe('no-referrer')
      nonces.add(inPage)
    }
    expect(nonces.size).toBe(20)
  })

  test.each(['/v1/nothing-here', '/api/v1/nothing', '/nothing', '/messages/a/b', '/index.html'])(
    '%s is no page: JSON, with a token 404',
    async (path) => {
      const answer = await server.call('GET', path)
      expect([answer.status, answer.body?.code]).toEqual([404, 'not_found'])
      expect((await get(path)).headers.get('content-type')).toMatch(/^application\/json/)
    },
  )

  test.each([
    '/nothing',
    '/messages/a/b',
    '/index.html',
    '/v1x',
    '/segments/7',
    '/messages/%E0%A4%A',
    '/%',
    '/profiles/a%2',
  ])(
    '%s opened in a browser is the page of the UI, which says that there is none, without signing in [OPS-11~]',
    async (path) => {
      const accept = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
      for (const method of ['GET', 'HEAD']) {
        const page = await fetch(server.admin.url + path, { method, headers: { accept } })
        expect([page.status, page.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8'])
        expect(page.headers.get('content-security-policy')).toContain("script-src 'self'")
        expect(page.headers.get('cache-control')).toBe('no-store')
        if (method === 'GET') expect(await page.text()).toContain('id="root"')
      }
    },
  )

  test.each([
    ['GET', '/v1/nothing-here'],
    ['GET', '/v1'],
    ['GET', '/api/v1/nothing'],
    ['GET', '/api/nothing'],
    ['GET', '/assets/missing.js'],
    ['GET', '/assets/a/b'],
    ['GET', '/v1/%E0%A4%A'],
    ['POST', '/nothing'],
    ['DELETE', '/messages/dl_01'],
  ])('%s %s stays JSON in a browser too', async (method, path) => {
    const answer = await fetch(server.admin.url + path, { method, headers: { accept: 'text/html,*/*' } })
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    expect(answer.status).toBeGreaterThanOrEqual(400)
  })

  test('a UI that is not built says what builds it, and appears once it is', async () => {
    const web = join(folder, 'later')
    await using other = await startTestAdmin({ uiFolder: web })
    const before = await other.call('GET', '/', undefined, NO_TOKEN)
    expect([before.status, before.text]).toEqual([200, expect.stringContaining('npm run build')])
    expect(before.text).not.toMatch(/<script|style=/)
    expect(before.headers.get('content-security-policy')).toContain("default-src 'none'")
    mkdirSync(web)
    writeFileSync(join(web, 'index.html'), 'built')
    expect((await other.call('GET', '/', undefined, NO_TOKEN)).text).toBe('built')
  })
})

describe('files of the UI', () => {
  test('those with a hash in their name may be kept for a year, compressed where the browser takes it', async () => {
    const plain = await get('/assets/index-C3PYG9eq.js', { 'accept-encoding': 'identity' })
    expect([plain.status, plain.headers.get('content-type')]).toEqual([200, 'text/javascript; charset=utf-8'])
    expect(plain.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(plain.headers.get('vary')).toBe('accept-encoding')
    expect(plain.headers.get('content-encoding')).toBeNull()
    expect(await plain.text()).toBe(SCRIPT)
    const asked = await get('/assets/index-C3PYG9eq.js', { 'accept-encoding': 'br, gzip' })
    expect(asked.headers.get('content-encoding')).toBe('gzip')
    expect(Number(asked.headers.get('content-length'))).toBeLessThan(SCRIPT.length / 10)
    expect(await asked.text()).toBe(SCRIPT)
  })

  test('a font is sent as it is, and the icon may change', async () => {
    const font = await get('/assets/inter.woff2', { 'accept-encoding': 'gzip' })
    expect([font.headers.get('content-type'), font.headers.get('content-encoding')]).toEqual(['font/woff2', null])
    expect(Buffer.from(await font.arrayBuffer())).toEqual(Buffer.alloc(4_000, 7))
    const icon = await get('/usher.svg')
    expect([icon.headers.get('content-type'), icon.headers.get('cache-control')]).toEqual([
      'image/svg+xml',
      'public, max-age=3600',
    ])
  })

  test.each([
    '/assets/../../secret.js',
    '/assets/..%2f..%2fsecret.js',
    '/assets/%2e%2e/%2e%2e/secret.js',
    '/assets/..%5c..%5csecret.js',
    '/assets/....//secret.js',
    '/assets/%2fetc%2fpasswd.js',
    '/assets/secret.js%00.js',
    '/../secret.js',
    '/assets/.hidden.js',
    '/assets/index.js.map',
    '/assets/',
    '/assets/missing.js',
  ])('%s leads nowhere', async (path) => {
    const answer = await getRaw(path)
    expect(answer).toMatch(/^HTTP\/1\.1 (40[0134])/)
    expect(answer).not.toContain('outside of the UI')
  })
})
