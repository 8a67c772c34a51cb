import { expect, test } from 'vitest'
import type { CallError } from '../model/collected-call.ts'
import { type DeclaredIds, readDeclaredIds } from './declared-ids.ts'
import { emptyParameters, parseParameters } from './parse-query.ts'
import { dataSource, testDirectory } from './test-edge.conformance.ts'

const directory = testDirectory([dataSource(77, { status: 'INACTIVE' }), dataSource(78)])

function read(query: string, denied: readonly number[] = []): DeclaredIds & { codes: number[]; pairs: string[] } {
  const into = emptyParameters()
  parseParameters(query, 0, query.length, true, { parametersMax: 1000, valueCharactersMax: 4096 }, into)
  const errors: CallError[] = []
  const result = readDeclaredIds(into.declared, directory, new Set(denied), errors)
  return {
    ...result,
    codes: errors.map((error) => error.code),
    pairs: result.ids.map(({ dataSourceId, id, authState }) => `${dataSourceId}:${id}:${authState}`),
  }
}

test.each([
  ['d_cid=123%01987', ['123:987:0']],
  ['d_cid_ic=456%01321', ['456:321:0']],
  ['d_cid=123%01987&d_cid_ic=456%01321', ['123:987:0', '456:321:0']],
  ['d_cid=123%01456&d_cid=123%01789&d_cid_ic=543%01333', ['123:456:0', '123:789:0', '543:333:0']],
  ['d_cid=123%01sample_id%011&d_sid=123456', ['123:sample_id:1']],
  ['d_dpid=123&d_dpuuid=987', ['123:987:0']],
  ['d_rtbd=json&d_cb=myCallback&key=val&d_dpuuid=1234&d_dpid=5678', ['5678:1234:0']],
  [
    'd_cid_ic=MyHashedEmailDataSource%0155e79200c1635b37ad31a378c39feb12f120f116625093a19bc32fff15041149&d_cid_ic=MyCRMDataSource%0168079982765673198504052656074456196039&location=US',
    [
      '902:55e79200c1635b37ad31a378c39feb12f120f116625093a19bc32fff15041149:0',
      '903:68079982765673198504052656074456196039:0',
    ],
  ],
])('the documented form %s is read [COL-78] [COL-79] [COL-40]', (query, expected) => {
  expect(read(query)).toMatchObject({ pairs: expected, codes: [] })
})

test('parts are split while encoded and decoded once [COL-80]', () => {
  expect(read('d_cid=123%01a%2Bb%3D%26%2501c').pairs).toEqual(['123:a+b=&%01c:0'])
})

test('blanks around the parts do not count [COL-81]', () => {
  expect(read('d_cid=%20123%20%01%20a%20%01%201').pairs).toEqual(['123:a:1'])
})

test('IDs keep their case [COL-164] [COL-36]', () => {
  expect(read('d_cid=123%01User&d_cid=123%01USER').pairs).toEqual(['123:User:0', '123:USER:0'])
})

test.each([
  ['d_cid_ic=39217_myIntegrationCode', 'no separator [COL-82]'],
  ['d_cid=123', 'no separator'],
  ['d_cid=%01abc', 'no data source'],
  ['d_cid=12x%01abc', 'a data source that is no number'],
  ['d_cid_ic=nobody%01abc', 'an unknown integration code'],
  ['d_cid=123%01', 'no user ID [COL-263]'],
  ['d_cid=123%01%011', 'no user ID but a state [COL-263]'],
  ['d_cid_ic=ic%011', 'a state in place of the user ID [COL-263]'],
  ['d_cid=123%01a%011%01b', 'four fields [COL-79]'],
  ['d_dpid=123', 'half a pair [COL-83]'],
  ['dpuuid=abc', 'half a pair [COL-83]'],
  ['d_dpid=123&dpuuid=abc', 'halves of two pairs [COL-83]', 2],
  ['d_cid=123%01a%0Ab', 'a control character [SEC-07]'],
])('%s is 300: %s [COL-85]', (query, _why, count = 1) => {
  expect(read(query)).toMatchObject({ pairs: [], codes: [...new Array(count).fill(300), 104] })
})

test('an unknown or inactive data source is 302 [COL-84] [COL-85]', () => {
  expect(read('d_cid=99999%01a&d_cid=77%01a').codes).toEqual([302, 302, 104])
})

test('old and new forms are used together [COL-83]', () => {
  const result = read('dpid=5678&dpuuid=a&d_cid=123%01b&d_dpid=123&d_dpuuid=c')
  expect(result.pairs).toEqual(['5678:a:0', '123:b:0', '123:c:0'])
  expect(result.deprecatedPair).toMatchObject({ dataSourceId: 123, id: 'c' })
})

test('104 comes only when every ID is bad [COL-88]', () => {
  expect(read('d_cid=1x%01a&d_cid=123%01b').codes).toEqual([300])
})

test('the fourth ID of a data source is 310, however it is named [COL-87] [COL-120]', () => {
  expect(read('d_cid_ic=one%01a&d_cid_ic=one%01b&d_cid=901%01c&d_cid_ic=one%01d')).toMatchObject({
    pairs: ['901:a:0', '901:b:0', '901:c:0'],
    codes: [310],
  })
  expect(read('d_cid_ic=one&d_cid_ic=one&d_cid_ic=one&d_cid_ic=one').codes).toEqual([300, 300, 300, 300, 104])
})

test('beyond ten IDs: one 301 with the counts, and 309 for each that is discarded; 310 first [COL-86] [COL-87] [COL-115] [SEC-1]', () => {
  // IDs of browsers, of persons and of a mobile device count together.
  const nine = [1, 123, 2].flatMap((id) => ['a', 'b', 'c'].map((user) => `d_cid=${id}%01${user}`))
  const idfa = 'AEBE52E7-03EE-455A-B3C4-E57283966239'
  const result = read([...nine, `d_cid=20915%01${idfa}`, 'd_cid=456%01a', 'd_cid=3%01a', 'd_cid=1%01d'].join('&'))
  expect(result.codes).toEqual([310, 301, 309, 309])
  expect(result.pairs).toHaveLength(10)
  expect(result.pairs[9]).toBe(`20915:${idfa}:0`)
})

test('a state we do not know counts as unknown, without a code [COL-89~]', () => {
  expect(read('d_cid=123%01a%017')).toMatchObject({ pairs: ['123:a:0'], codes: [] })
  expect(read('d_cid=123%01a%012').pairs).toEqual(['123:a:2'])
})

test('the analytics code and unknown name spaces are dropped silently [COL-91] [COL-262~]', () => {
  expect(read('d_cid_ic=AVID%01abc&d_cid_ns=elsewhere%01x')).toMatchObject({ pairs: [], codes: [] })
  expect(read('d_cid_ns=ic%01abc%011').pairs).toEqual(['900:abc:1'])
})

test.each([
  ['20914', 'e4fe9bde-caa0-47b6-908d-ffba3fa184f2', 'E4FE9BDE-CAA0-47B6-908D-FFBA3FA184F2'],
  ['20915', 'AEBE52E7-03EE-455A-B3C4-E57283966239', 'a53cc5a2-6aa1-4210-8ded-a88b29b6212z'],
  ['121963', 'fcb2a29c-315a-5e6b-bcfd-d889ba19aada', 'fcb2a29c315a5e6bbcfdd889ba19aada'],
  ['389146', '8a1dF-2', 'a_b'],
  ['963906', '7d5b3b62-0f12', 'a.b'],
  ['488258', 'df07c7dc-cea7-4a89-b328-810ff5acb15d', 'DF07c7dc-cea7-4a89-b328-810ff5acb15d'],
  ['1171485', '095f142a-ace8-ac5d-b86a-92c8be18b197', '095f142a-ace8-ac5d-b86a-92c8be18b19'],
  ['1171489', '7XCBNROQJQPYW', 'a'.repeat(129)],
  ['1171489', 'a'.repeat(128), ''.padEnd(128, '!')],
])(
  'device advertising IDs of %s have one exact form; a violation is 312 [COL-64] [COL-65] [AUD-168]',
  (source, good, bad) => {
    expect(read(`d_cid=${source}%01${good}`)).toMatchObject({ pairs: [`${source}:${good}:0`], codes: [] })
    expect(read(`d_cid=${source}%01${bad}`)).toMatchObject({ pairs: [], codes: [312, 300, 104] })
  },
)

test('global data sources have integration codes [COL-63]', () => {
  expect(read('d_cid_ic=DSID_20914%01e4fe9bde-caa0-47b6-908d-ffba3fa184f2').pairs).toHaveLength(1)
  expect(read('d_cid_ic=DSID_20915%01AEBE52E7-03EE-455A-B3C4-E57283966239').pairs).toHaveLength(1)
})

test('the all-zero advertising ID is refused [COL-66]', () => {
  expect(read('d_cid=20914%0100000000-0000-0000-0000-000000000000').codes).toEqual([312, 300, 104])
})

test('values that integrations send by mistake are denied [COL-151] [COL-147]', () => {
  for (const id of [
    'null',
    'undefined',
    'NaN',
    '%5Bobject%20Object%5D',
    '%25USER%25',
    '%24%7BUSER%7D',
    '%7B%7Buser%7D%7D',
    '00000000-0000-0000-0000-000000000000',
  ]) {
    expect(read(`d_cid=123%01${id}`), id).toMatchObject({ pairs: [], codes: [303], deniedCount: 1 })
  }
  expect(read('d_dpid=123&d_dpuuid=0').codes).toEqual([303])
})

test('a data source an operator denied is 304 [COL-147]', () => {
  expect(read('d_cid=78%01a&d_cid=123%01b', [78])).toMatchObject({ pairs: ['123:b:0'], codes: [304] })
})
