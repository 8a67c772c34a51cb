import { expect, test } from 'vitest'
import { startTestEdge, type TestEdge } from './test-edge.conformance.ts'

const SIGNAL_OF = {
  'User-Agent': 'h_user-agent',
  Referer: 'h_referer',
  Referrer: 'h_referrer',
  'Accept-Language': 'h_accept-language',
  Date: 'h_date',
} as const

/** Sends header values byte for byte. */
async function signalsOf(edge: TestEdge, value: Buffer): Promise<readonly (readonly string[] | undefined)[]> {
  const lines = Object.keys(SIGNAL_OF).flatMap((name) => [Buffer.from(`${name}: `), value, Buffer.from('\r\n')])
  const head = Buffer.from('GET /event HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n')
  await edge.raw(Buffer.concat([head, ...lines, Buffer.from('\r\n')]))
  return Object.values(SIGNAL_OF).map((key) => edge.calls.at(-1)?.signals.all(key))
}

test.each([
  [
    'UTF-8',
    Buffer.from('https://shop.example/k\u00fcche?q=\u20ac \u{1f680}'),
    'https://shop.example/k\u00fcche?q=\u20ac \u{1f680}',
  ],
  ['UTF-8 that looks like two letters of Latin-1', Buffer.from('\u00c3\u00bc'), '\u00c3\u00bc'],
  ['Latin-1', Buffer.from('Caf\u00e9 M\u00fcller/1.0', 'latin1'), 'Caf\u00e9 M\u00fcller/1.0'],
  ['UTF-8 that is cut off', Buffer.from([0x61, 0xc3]), 'a\u00c3'],
  ['an overlong form', Buffer.from([0x61, 0xc0, 0xaf]), 'a\u00c0\u00af'],
  ['half a character', Buffer.from([0xed, 0xa0, 0x80]), '\u00ed\u00a0\u0080'],
  ['ASCII', Buffer.from('Agent/1.0 (x; y)'), 'Agent/1.0 (x; y)'],
])(
  'every header that becomes a signal is read as UTF-8, and as Latin-1 where it is none: %s [COL-23] [COL-24] [COL-37]',
  async (_, bytes, text) => {
    await using edge = await startTestEdge()
    expect(await signalsOf(edge, bytes)).toEqual(Object.keys(SIGNAL_OF).map(() => [text]))
  },
)

test.each(['xn--mller-kva.example', 'm\u00fcller.example', 'M\u00dcLLER.Example'])(
  'a referer from a host with letters of its own is known by them, listed as %s [COL-123]',
  async (listed) => {
    await using edge = await startTestEdge({ config: { refererHosts: [listed] } })
    for (const [host, code] of [
      ['m\u00fcller.example', undefined],
      ['www.m\u00fcller.example', undefined],
      ['m\u00fcller.evil', '109'],
    ]) {
      const answer = await edge.raw(
        Buffer.from(`GET /event HTTP/1.1\r\nHost: a.example\r\nReferer: https://${host}/\r\nConnection: close\r\n\r\n`),
      )
      expect([host, /X-Error: (.*)\r/.exec(answer)?.[1]]).toEqual([host, code])
    }
    expect((await edge.call('/event')).codes()).toEqual([]) // Without a referer.
  },
)
