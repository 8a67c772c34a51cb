import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestAdmin, type TestAdmin, type TestAnswer } from '../testkit/start-test-admin.ts'

const IDLE_MS = 30 * 60_000
const LINK_MS = 3_600_000
const SESSION_MS = 12 * 3_600_000

let server: TestAdmin
beforeAll(async () => {
  server = await startTestAdmin({ config: { requestsPerSecond: 1_000 } })
})
afterAll(() => server[Symbol.asyncDispose]())

const NO_TOKEN = { authorization: '' }
const OWN_PAGE = { 'x-usher-csrf': '1', 'sec-fetch-site': 'same-origin' }

const advance = (advanceMs: number) => server.call('POST', '/v1/test/clock', { advanceMs })
const newLink = async () =>
  (await server.call('POST', '/v1/session/links')).body as { setupToken: string; expiresAt: string }
const signInWith = (setupToken: string) => server.call('POST', '/v1/session', { setupToken }, NO_TOKEN)

async function signIn(): Promise<string> {
  // Tries of one address are few; time gives them back.
  await advance(60_000)
  return cookieOf(await signInWith((await newLink()).setupToken))
}

function cookieOf(answer: TestAnswer): string {
  return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
}

describe('a set-up link [OPS-22]', () => {
  test('opens one session and no second one; the cookie is out of reach of scripts and of other sites [SEC-19] [SEC-66~]', async () => {
    const { setupToken } = await newLink()
    const opened = await signInWith(setupToken)
    expect([opened.status, opened.text]).toEqual([204, ''])
    expect(opened.headers.get('set-cookie')).toMatch(
      /^usher_session=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    )
    const again = await signInWith(setupToken)
    expect([again.status, again.body.code]).toEqual([401, 'setup_link_invalid'])
    expect(again.body.message).toContain('usher link')
    expect(again.headers.get('set-cookie')).toBeNull()
  })

  test('of two uses at one time one succeeds', async () => {
    const { setupToken } = await newLink()
    const statuses = (await Promise.all([signInWith(setupToken), signInWith(setupToken)])).map(({ status }) => status)
    expect(statuses.sort()).toEqual([204, 401])
  })

  test('is valid for an hour [SEC-65~]', async () => {
    const [kept, late] = [await newLink(), await newLink()]
    await advance(LINK_MS - 1)
    expect((await signInWith(kept.setupToken)).status).toBe(204)
    await advance(1)
    expect((await signInWith(late.setupToken)).status).toBe(401)
  })

  test('is not made by a session, only by the token', async () => {
    const cookie = await signIn()
    const answer = await server.call('POST', '/v1/session/links', undefined, { ...NO_TOKEN, ...OWN_PAGE, cookie })
    expect([answer.status, answer.body.code]).toEqual([403, 'token_needed'])
  })

  test('guesses from one address are slowed down with Retry-After [SEC-65~] [SEC-72~]', async () => {
    await using other = await startTestAdmin()
    const statuses: number[] = []
    for (let count = 0; count < 12; count++)
      statuses.push((await other.call('POST', '/v1/session', { setupToken: `guess ${count}` }, NO_TOKEN)).status)
    expect(statuses).toEqual([...Array(10).fill(401), 429, 429])
    const refused = await other.call('POST', '/v1/session', { setupToken: 'guess' }, NO_TOKEN)
    expect(refused.headers.get('retry-after')).toBe('5')
  })

  test('a page of another site cannot sign a visitor in', async () => {
    const { setupToken } = await newLink()
    const headers = { ...NO_TOKEN, 'sec-fetch-site': 'cross-site' }
    expect((await server.call('POST', '/v1/session', { setupToken }, headers)).status).toBe(403)
  })
})

describe('a session [SEC-66~]', () => {
  test('reads the API without a token, and says until when', async () => {
    const cookie = await signIn()
    const seen = await server.call('GET', '/v1/session', undefined, { ...NO_TOKEN, cookie: `theme=dark; ${cookie}` })
    expect([seen.status, seen.body.user]).toEqual([200, { name: 'Administrator' }])
    expect(Date.parse(seen.body.expiresAt)).toBeGreaterThan(0)
    expect((await server.call('GET', '/v1/traits', undefined, { ...NO_TOKEN, cookie })).status).toBe(200)
    expect(
      (await server.call('GET', '/v1/traits', undefined, { ...NO_TOKEN, cookie: 'usher_session=guess' })).status,
    ).toBe(401)
    expect((await server.call('GET', '/v1/session', undefined, NO_TOKEN)).status).toBe(401)
    expect((await server.call('GET', '/v1/session')).body.code).toBe('no_session')
  })

  test('survives a restart; link and session are kept only as hashes', async () => {
    const { setupToken } = await newLink()
    const cookie = await signIn()
    await server.restart()
    expect((await server.call('GET', '/v1/session', undefined, { ...NO_TOKEN, cookie })).status).toBe(200)
    const bytes = ['', '-wal']
      .map((ending) => {
        try {
          return readFileSync(server.file + ending, 'latin1')
        } catch {
          return ''
        }
      })
      .join('')
    expect(bytes).not.toContain(setupToken)
    expect(bytes).not.toContain(cookie.split('=')[1])
  })

  test('ends when its owner signs out', async () => {
    const cookie = await signIn()
    const out = await server.call('DELETE', '/v1/session', undefined, { ...NO_TOKEN, ...OWN_PAGE, cookie })
    expect([out.status, out.headers.get('set-cookie')]).toEqual([204, expect.stringContaining('Max-Age=0')])
    expect((await server.call('GET', '/v1/session', undefined, { ...NO_TOKEN, cookie })).status).toBe(401)
  })

  test('ends after 30 minutes of rest, and after 12 hours of use', async () => {
    const rested = await signIn()
    const ask = async (cookie: string) =>
      (await server.call('GET', '/v1/session', undefined, { ...NO_TOKEN, cookie })).status
    await advance(IDLE_MS - 1)
    expect(await ask(rested)).toBe(200)
    await advance(IDLE_MS)
    expect(await ask(rested)).toBe(401)

    const used = await signIn()
    for (let passedMs = 0; passedMs < SESSION_MS; passedMs += IDLE_MS / 2) {
      expect(await ask(used), `${passedMs}`).toBe(200)
      await advance(IDLE_MS / 2)
    }
    expect(await ask(used)).toBe(401)
  })
})

describe('a change with the cookie must come from our own page [SEC-66~]', () => {
  const create = (headers: Record<string, string>) =>
    server.call('POST', '/v1/datasources', { name: `of a session ${Math.random()}` }, { ...NO_TOKEN, ...headers })

  test.each([
    ['without the header', { 'sec-fetch-site': 'same-origin' }, 'csrf_header_missing'],
    ['with another value', { 'x-usher-csrf': '0', 'sec-fetch-site': 'same-origin' }, 'csrf_header_missing'],
    ['of another site', { 'x-usher-csrf': '1', 'sec-fetch-site': 'cross-site' }, 'origin_refused'],
    ['of a sister site', { 'x-usher-csrf': '1', 'sec-fetch-site': 'same-site' }, 'origin_refused'],
    ['of another origin', { 'x-usher-csrf': '1', origin: 'https://evil.example' }, 'origin_refused'],
    ['of an opaque origin', { 'x-usher-csrf': '1', origin: 'null' }, 'origin_refused'],
    ['of nowhere', { 'x-usher-csrf': '1' }, 'origin_unknown'],
  ] as const)('%s: 403', async (_what, headers, code) => {
    const answer = await create({ ...headers, cookie: await signIn() })
    expect([answer.status, answer.body.code]).toEqual([403, code])
  })

  test('with the header and the same origin it is made', async () => {
    const cookie = await signIn()
    expect((await create({ ...OWN_PAGE, cookie })).status).toBe(201)
    // Where the browser does not send Sec-Fetch-Site: plain HTTP on another machine.
    const byOrigin = { 'x-usher-csrf': '1', origin: server.admin.url, cookie }
    expect((await create(byOrigin)).status).toBe(201)
  })

  test('a bearer token needs none of it', async () => {
    expect((await server.call('POST', '/v1/datasources', { name: 'of a token' })).status).toBe(201)
  })
})

test('behind TLS the cookie is bound to the host and to encryption [SEC-19]', async () => {
  await using other = await startTestAdmin({ config: { tlsEndedInFront: true } })
  const { setupToken } = (await other.call('POST', '/v1/session/links')).body
  const opened = await other.call('POST', '/v1/session', { setupToken }, NO_TOKEN)
  expect(opened.headers.get('set-cookie')).toMatch(/^__Host-usher_session=[\w-]{43}; Path=\/; .*; Secure$/)
  const cookie = cookieOf(opened)
  expect((await other.call('GET', '/v1/session', undefined, { ...NO_TOKEN, cookie })).status).toBe(200)
  const bare = cookie.replace('__Host-', '')
  expect((await other.call('GET', '/v1/session', undefined, { ...NO_TOKEN, cookie: bare })).status).toBe(401)
})
