import { afterEach, expect, test } from 'vitest'
import type { Lookup } from './checked-connector.ts'
import { type Egress, openEgress } from './egress.ts'
import { classifyNetworkError } from './egress-error.ts'

let egress: Egress | undefined
afterEach(() => egress?.close())

const failing =
  (code: string): Lookup =>
  (_name, done) =>
    done(Object.assign(new Error(code), { code }), [])

/** What systems and name servers say when a name has no address. */
test.each<[string, Lookup]>([
  ['an empty answer', (_name, done) => done(null, [])],
  ['an answer that is no address', (_name, done) => done(null, [{ address: 'nowhere', family: 4 }])],
  [
    'one address and something else',
    (_name, done) =>
      done(null, [
        { address: '127.0.0.1', family: 4 },
        { address: '', family: 6 },
      ]),
  ],
  ['an empty answer, later', (_name, done) => void setImmediate(() => done(null, []))],
  ...['ENOTFOUND', 'ENODATA', 'ESERVFAIL', 'EREFUSED', 'ETIMEOUT', 'EAI_AGAIN', 'EAI_NONAME', 'EAI_SYSTEM'].map(
    (code): [string, Lookup] => [code, failing(code)],
  ),
  // Of the name server, not of the partner.
  ['ECONNREFUSED', failing('ECONNREFUSED')],
])('%s of the name server is called dns, and nothing was sent [SEC-23] [SEC-28~]', async (_name, lookup) => {
  for (const allowPrivate of [true, false]) {
    egress = openEgress({ allowPrivate, ownListeners: [], lookup })
    const request = { method: 'POST', headers: [], body: '{}', timeoutMs: 5_000, poolKey: 'd1' } as const
    const answer = await egress.request({ ...request, url: 'https://partner.test/' })
    expect(answer).toMatchObject({ status: 'not_sent', error: 'dns', detail: null })
    await egress.close()
  }
})

test.each([
  ['EHOSTDOWN', 'unreachable'],
  ['ENETDOWN', 'unreachable'],
  ['EACCES', 'unreachable'],
  ['EMFILE', 'unreachable'],
  ['UND_ERR_HEADERS_TIMEOUT', 'timeout'],
  ['ECONNRESET', 'connection_reset'],
  ['EPIPE', 'connection_reset'],
  ['UND_ERR_SOCKET', 'connection_reset'],
])('%s is called %s', (code, expected) => {
  expect(classifyNetworkError(Object.assign(new Error(code), { code })).error).toBe(expected)
})
