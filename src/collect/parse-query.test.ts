import { expect, test } from 'vitest'
import type { Signals } from '../model/signals.ts'
import fc from '../testkit/properties.ts'
import { emptyParameters, type Parameters, parseParameters } from './parse-query.ts'

const limits = { parametersMax: 1000, valueCharactersMax: 4096 }

function parse(text: string, plusIsSpace = true): Parameters {
  const into = emptyParameters()
  parseParameters(text, 0, text.length, plusIsSpace, limits, into)
  return into
}

function grouped(found: Signals): Record<string, readonly string[]> {
  return Object.fromEntries(found.names.map((name) => [name, found.all(name)]))
}

function signals(text: string): Record<string, readonly string[]> {
  return grouped(parse(text).signals)
}

test('a plain key is a signal, and a prefix is part of its key [COL-19] [COL-20]', () => {
  expect(signals('product=camera&c_price=9')).toEqual({ product: ['camera'], c_price: ['9'] })
})

test('values come as repeated keys, as a comma list, or both [COL-28] [COL-29]', () => {
  expect(signals('x=1&x=2&y=3,4&y=5')).toEqual({ x: ['1', '2'], y: ['3', '4', '5'] })
})

test('an encoded comma is data [COL-30]', () => {
  expect(signals('x=a%2Cb,c')).toEqual({ x: ['a,b', 'c'] })
})

test('IDs, redirects, callbacks and organizations are never split at commas [COL-31]', () => {
  const { withheld, declared, privacy } = parse(
    'd_uuid=1,2&d_mid=3,4&d_blob=a,b&d_rd=http://a/?x=1,2&redir=b,c&d_cb=f,g&gdpr_consent=C,D&d_cid=1%012,3&d_cid_ic=i%012,3&d_cid_ns=n%012,3&d_dpuuid=4,5&dpuuid=6,7',
  )
  expect([...withheld.values()]).toEqual(['1,2', '3,4', 'a,b', 'http://a/?x=1,2', 'b,c', 'f,g'])
  expect(privacy.all('gdpr_consent')).toEqual(['C,D'])
  expect(declared).toEqual([
    { key: 'd_cid', raw: '1%012,3' },
    { key: 'd_cid_ic', raw: 'i%012,3' },
    { key: 'd_cid_ns', raw: 'n%012,3' },
    { key: 'd_dpuuid', raw: '4,5' },
    { key: 'dpuuid', raw: '6,7' },
  ])
  expect(signals('d_orgid=A,B@AdobeOrg')).toEqual({ d_orgid: ['A,B@AdobeOrg'] })
})

test('a semicolon separates nothing [COL-32~]', () => {
  expect(signals('x=1;2')).toEqual({ x: ['1;2'] })
})

test('one enclosing pair of quotes is stripped [COL-33]', () => {
  expect(signals('age=%2241%20to%2055%22&a="b"&c="')).toEqual({ age: ['41 to 55'], a: ['b'], c: ['"'] })
})

test('a plus is a blank in queries and forms, but data in declared IDs and sync paths [COL-34]', () => {
  expect(signals('x=a+b')).toEqual({ x: ['a b'] })
  const declared = 'd_cid=1%01a+b&d_cid_ic=i%01a+b&d_cid_ns=n%01a+b&d_dpuuid=c+d&dpuuid=e+f'
  expect(parse(declared).declared.map((part) => part.raw)).toEqual(['1%01a+b', 'i%01a+b', 'n%01a+b', 'c+d', 'e+f'])
  expect(parse('redir=a+b', false).withheld.get('redir')).toBe('a+b')
})

test('a key without a value is empty [COL-35]', () => {
  expect(signals('a=&b&c=1')).toEqual({ a: [''], b: [''], c: ['1'] })
})

test('broken escapes and bytes that are not UTF-8 spoil the call [COL-37] [COL-38]', () => {
  for (const bad of [
    'd_site=%esid!',
    'a=%',
    'a=%4',
    'a=%zz',
    'a=%ff',
    'a=%c0%80',
    'a=%ed%a0%80',
    '%zz=1',
    'd_uuid=%q',
    'ts=%q',
    'd_cid=1%01%q',
    'a=\xff',
  ]) {
    expect(parse(bad).malformed, bad).toBe(true)
  }
  expect(parse('d_site=%25esid!').signals.all('d_site')).toEqual(['%esid!'])
  expect(parse('a=\xc3\xa9').signals.all('a')).toEqual(['é'])
})

test('%01 is legal, and an escape is exactly two digits [COL-39] [COL-40]', () => {
  const { malformed, declared, signals: found } = parse('d_cid=123%01sample_id%011&a=x%01y')
  expect(malformed).toBe(false)
  expect(declared[0]?.raw).toBe('123%01sample_id%011')
  expect(found.all('a')).toEqual(['x\x01y'])
})

test('cache busters and load information are no signals [COL-17]', () => {
  expect(signals('_ts=1&ts=2&d_ld=_ts%3D1&d_bust=3&_ct=1&r_rand=4&dcs_region=9&a=b')).toEqual({ a: ['b'] })
})

test('unknown platform keys are kept as signals [COL-41~] [COL-55]', () => {
  expect(signals('d_zx=10022&d_unheard=1')).toEqual({ d_zx: ['10022'], d_unheard: ['1'] })
})

test('dots and digits in keys are kept [COL-26] [COL-27]', () => {
  expect(signals('c_contextData.a.adid=1&123=2')).toEqual({ 'c_contextData.a.adid': ['1'], '123': ['2'] })
})

test('keys that name prototypes are ordinary keys [SEC-06~]', () => {
  const { signals: found } = parse('__proto__=1&constructor=2&prototype=3&toString=4')
  expect([found.names, found.values]).toEqual([
    ['__proto__', 'constructor', 'prototype', 'toString'],
    ['1', '2', '3', '4'],
  ])
  expect(found.has('valueOf')).toBe(false)
  expect(({} as Record<string, unknown>)['1']).toBeUndefined()
})

test('parameters beyond 1,000 and values beyond 4 KiB are left out and counted [SEC-01]', () => {
  const many = parse(Array.from({ length: 1005 }, (_, i) => `k${i}=1`).join('&'))
  expect([many.signals.names.length, many.dropped]).toEqual([1000, 5])
  const list = parse(`a=${','.repeat(2000)}`)
  expect([list.signals.all('a').length, list.dropped]).toEqual([1000, 1001])
  const long = parse(`a=${'x'.repeat(4097)}&b=${'y'.repeat(4096)}&d_rd=${'z'.repeat(4097)}`)
  expect(long.signals.names).toEqual(['b'])
  expect([long.withheld.size, long.dropped]).toEqual([0, 2])
})

test('what is said of privacy is kept as it was sent, each different value of it, in any spelling of the key [COL-275]', () => {
  const { privacy, signals: found } = parse(
    'gdpr=0&GDPR=1&Gdpr=%200&gdpr=0,1&gdpr="0"&gpp=a+b&GPP_SID=7&us_privacy=1YNN&d_coppa=no&gdpr',
  )
  expect(privacy.all('gdpr')).toEqual(['0', '1', ' 0', '0,1', '"0"', ''])
  expect(privacy.given('gdpr')).toEqual(['0', '1', ' 0', '0,1', '"0"'])
  expect([privacy.all('gpp'), privacy.all('gpp_sid'), privacy.all('us_privacy')]).toEqual([['a b'], ['7'], ['1YNN']])
  expect([privacy.all('d_coppa'), found.all('d_coppa'), found.has('gpp')]).toEqual([['no'], ['no'], false])
  expect([parse('gdprs=1&d_copp=1&gdp').privacy.isEmpty, parse('gdpr=%zz').malformed]).toEqual([true, true])
})

test('no limit keeps a privacy flag from being seen [COL-275] [SEC-01]', () => {
  const many = parse(`${'k=1&'.repeat(1000)}gdpr=1&d_coppa=true&us_privacy=1YYN&k=1`)
  expect([many.privacy.all('gdpr'), many.privacy.all('d_coppa'), many.privacy.all('us_privacy')]).toEqual([
    ['1'],
    ['true'],
    ['1YYN'],
  ])
  expect([many.signals.names.length, many.dropped]).toEqual([1000, 4])
  const long = parse(`gdpr=${'0'.repeat(4097)}&us_privacy=${'1'.repeat(4097)}`)
  expect([long.privacy.given('gdpr').length, long.privacy.given('us_privacy').length, long.dropped]).toEqual([1, 1, 3])
})

test('a click target with an encoded equals sign is read [COL-190]', () => {
  expect(parse('d_rd%3Dhttp%3A%2F%2Fa.example').withheld.get('d_rd')).toBe('http://a.example')
})

test('header keys are kept in one spelling [COL-23]', () => {
  expect(signals('H_User-Agent=x')).toEqual({ 'h_user-agent': ['x'] })
})

test('what a client encodes is what we read, for any text', () => {
  const key = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).map((text) => `k${text}`)
  const value = fc.string({ unit: 'grapheme', maxLength: 30 })
  fc.assert(
    fc.property(fc.array(fc.tuple(key, value), { maxLength: 20 }), (pairs) => {
      const expected = new Map<string, string[]>()
      for (const [name, text] of pairs) {
        const plain = text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text
        expected.set(name, [...(expected.get(name) ?? []), plain])
      }
      const query = pairs.map(([name, text]) => `${encodeURIComponent(name)}=${encodeURIComponent(text)}`).join('&')
      const parsed = parse(query)
      expect(parsed.malformed).toBe(false)
      expect(grouped(parsed.signals)).toEqual(Object.fromEntries(expected))
    }),
  )
})

test('any bytes are parsed without an error', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)), maxLength: 200 }),
      (text) => {
        expect(() => parse(text)).not.toThrow()
        expect(() => parse(text, false)).not.toThrow()
      },
    ),
  )
})
