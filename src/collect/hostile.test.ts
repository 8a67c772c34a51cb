// Slow: tens of thousands of generated requests.
import { expect, test } from 'vitest'
import fc from '../testkit/properties.ts'
import { TEST_SEED } from '../testkit/seed.ts'
import { startTestEdge } from './test-edge.conformance.ts'

/** Statuses a caller may ever see from calls that were handed on without trouble [SEC-02], [SEC-04], [SEC-11]. */
const ALLOWED = new Set(['200', '302', '400', '404', '408', '413', '414', '429', '431'])
const REQUESTS = 4000
const AT_ONCE = 40

const printable = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((byte) => String.fromCharCode(byte)),
  maxLength: 60,
})
const bytes = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)),
  maxLength: 60,
})
const piece = fc.oneof(
  fc.constantFrom(
    '%',
    '%0',
    '%00',
    '%01',
    '%0d%0a',
    '%zz',
    '%ff',
    '%c0%af',
    '%ed%a0%80',
    '%2C',
    ',',
    '+',
    '"',
    '=',
    '&',
    '&&',
    '?',
    '#',
    '//',
    '..',
    '__proto__',
    'constructor',
    'd_rtbd=json',
    'd_cb=',
    's_c_il[1].x',
    'd_cid=',
    'd_cid_ic=ic',
    'd_cid_ns=',
    '123%01',
    '20915%01',
    'd_uuid=',
    'd_mid=',
    '0'.repeat(38),
    'd_orgid=',
    'AB@AdobeOrg',
    'gdpr=1',
    'gdpr_consent=',
    'CPXxRfAPXxRfA',
    'd_event=click',
    'd_rd=',
    'redir=',
    'https%3A%2F%2Fa.example%2F%3F',
    '${DD_UUID}',
    '%25d_uuid%25',
    'd_sid=1,2,x',
    'd_tdpid=',
    'd_cts=1',
    'd_nsid=',
    'd_coppa=true',
    'd_ptfm=ios',
  ),
  fc.string({ unit: fc.constantFrom(...'abcXYZ019-_.~!*();:@/$'), maxLength: 12 }),
)
const path = fc.constantFrom(
  '/event?',
  '/?',
  '/id?',
  '/ibs:',
  '/ibs?',
  '/demoptout?',
  '/demoptout.jpg?',
  '/optOutStatus?',
  '/dest5.html?',
  '/x?',
  '',
)
const target = fc.tuple(path, fc.array(piece, { maxLength: 14 })).map(([start, pieces]) => start + pieces.join(''))
const header = fc.oneof(
  fc.constantFrom(
    'Host: a.example',
    'Host: dpm.demdex.net',
    'Host: ',
    'Host: a b',
    'Cookie: demdex=NOTARGET',
    'Cookie: demdex=12; dextp=1-1-x|',
    'Cookie: ;;=;demdex',
    'Origin: null',
    'Origin: https://a.example',
    'Origin: \x80',
    'Referer: %%',
    'Sec-GPC: 1',
    'Content-Encoding: gzip',
    'Content-Encoding: br',
    'Content-Type: text/plain',
    'Transfer-Encoding: chunked',
    'Content-Length: 0',
    'Expect: 100-continue',
    'Upgrade: websocket',
    'X-Forwarded-For: ,,',
  ),
  fc
    .tuple(
      fc.constantFrom('X-Any', '__proto__', 'Cookie', 'Referer', 'User-Agent', 'Origin', 'Host'),
      fc.oneof({ weight: 9, arbitrary: printable }, { weight: 1, arbitrary: bytes }),
    )
    .map(([name, value]) => `${name}: ${value}`),
)
const request = fc
  .tuple(
    fc.constantFrom('GET', 'GET', 'GET', 'POST', 'HEAD', 'OPTIONS', 'TRACE', 'BREW'),
    target,
    fc.array(header, { maxLength: 5 }),
    bytes,
  )
  .map(([method, where, headers, body]) => {
    const length =
      method === 'POST' && !headers.some((line) => /^(content-length|transfer)/i.test(line))
        ? [`Content-Length: ${body.length}`]
        : []
    return `${method} ${where} HTTP/1.1\r\n${[...headers, ...length, 'Connection: close'].join('\r\n')}\r\n\r\n${body}`
  })

/** A body is announced that may never come. */
const mayWait = (text: string) => /transfer-encoding: chunked|expect: 100/i.test(text)

test('thousands of hostile requests: an allowed status each, never a 5xx, no fault, and the edge still serves [SEC-02] [SEC-04] [SEC-06~] [SEC-12] [COL-111]', async () => {
  await using edge = await startTestEdge()
  const requests = fc.sample(request, REQUESTS)
  const statuses = new Map<string, number>()
  for (let at = 0; at < requests.length; at += AT_ONCE) {
    const batch = requests.slice(at, at + AT_ONCE)
    const answers = await Promise.all(
      batch.map((text) => edge.raw(Buffer.from(text, 'latin1'), mayWait(text) ? 300 : 30_000)),
    )
    answers.forEach((answer, i) => {
      // A request whose body never comes is waited for, and none of ours.
      const final = answer.replace(/^HTTP\/1\.1 100 [^\r]*\r\n\r\n/, '')
      const status = final === '' ? 'none' : final.slice(9, 12)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      const isUnfinished = status === 'none' && mayWait(batch[i] ?? '')
      expect(isUnfinished || ALLOWED.has(status), `${status} for ${JSON.stringify(batch[i])}`).toBe(true)
    })
  }
  console.log(`seed ${TEST_SEED}: ${[...statuses].map(([status, count]) => `${status} ${count}`).join(', ')}`)
  expect(edge.faults).toEqual([])
  expect((await edge.call('/event?d_rtbd=json')).json()).toHaveProperty('uuid')
})

test('whatever the parameters, a well-formed request is 200 or 302, and JSON stays an object [SEC-02] [COL-111] [CLI-3] [CLI-21]', async () => {
  await using edge = await startTestEdge({ config: { redirectAnyHost: true } })
  const call = fc
    .tuple(fc.constantFrom('/event?d_rtbd=json&', '/id?'), fc.array(piece, { maxLength: 14 }))
    .map(([start, pieces]) => start + pieces.join('').replace(/[^\x21-\x7e]|#/g, ''))
  await fc.assert(
    fc.asyncProperty(call, async (where) => {
      const reply = await edge.call(where)
      expect([200, 302]).toContain(reply.status)
      if (reply.status === 302) return
      const body = reply.text.replace(/^[\w$.[\]]+\((.*)\)$/s, '$1')
      expect(typeof JSON.parse(body)).toBe('object')
      expect(body.startsWith('{')).toBe(true)
    }),
    { numRuns: 1500 },
  )
  expect(edge.faults).toEqual([])
})
