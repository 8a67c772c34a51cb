import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { flatJson } from './flat-json.ts'
import { parseMediaType } from './media-type.ts'
import { DEVICE, NEW_DEVICE, type Reply, startTestEdge, type TestEdge } from './test-edge.conformance.ts'

const PLAIN = 'text/plain;charset=UTF-8'
const JSON_TYPE = 'application/json'

function post(edge: TestEdge, body: string | Buffer, type?: string, target = '/event?a=1'): Promise<Reply> {
  return edge.call(target, { method: 'POST', body, headers: type === undefined ? {} : { 'content-type': type } })
}

/** Keys and values of the last call, without those of the server. */
function lastSignals(edge: TestEdge): Record<string, readonly string[]> {
  const signals = edge.calls.at(-1)?.signals
  const own = (signals?.names ?? []).filter((name) => !name.startsWith('h_'))
  return Object.fromEntries(own.map((name) => [name, signals?.all(name) ?? []]))
}

async function multipart(fields: readonly (readonly [string, string | Blob])[]) {
  const form = new FormData()
  for (const [name, value] of fields) form.append(name, value)
  const message = new Response(form)
  return { body: Buffer.from(await message.arrayBuffer()), type: String(message.headers.get('content-type')) }
}

test.each([
  'application/x-www-form-urlencoded',
  'application/x-www-form-urlencoded; charset=UTF-8',
  'Application/X-WWW-Form-UrlEncoded;charset="utf-8"',
  'application/x-www-form-urlencoded ; Charset=utf8',
  'application/x-www-form-urlencoded;charset=iso-8859-1',
  'application/x-www-form-urlencoded;',
  PLAIN,
  'text/plain',
  'TEXT/PLAIN; Charset=utf-8; format=flowed',
  undefined,
  ';charset=utf-8',
])('a form is read under the type %s [COL-14] [COL-16] [COL-34]', async (type) => {
  await using edge = await startTestEdge()
  const reply = await post(edge, `c_likes=famous%20popstar&x=b+c&x=%C3%A9,2&d_uuid=${DEVICE}`, type)
  expect([reply.status, reply.codes()]).toEqual([200, []])
  expect(lastSignals(edge)).toEqual({ a: ['1'], c_likes: ['famous popstar'], x: ['b c', 'é', '2'] })
  expect(edge.calls[0]?.deviceId).toBe(DEVICE)
})

const jsonBody = JSON.stringify({
  c_likes: 'famous popstar, and 100 % €',
  c_list: ['a', 2, true, null],
  c_price: 9.5,
  c_none: null,
  d_sid: [111, 222],
  d_cid: ['123\u0001987', '456%01a+b%011'],
  d_uuid: DEVICE,
})

test.each([
  JSON_TYPE,
  'application/json; charset=utf-8',
  'APPLICATION/JSON',
  'text/json',
  'application/vnd.own+json',
  PLAIN,
  undefined,
])('one flat JSON object is read under the type %s [COL-14]', async (type) => {
  await using edge = await startTestEdge()
  for (const body of [jsonBody, `\ufeff ${jsonBody}\r\n`, gzipSync(jsonBody)]) {
    const headers = typeof body === 'string' ? {} : { 'content-encoding': 'gzip' }
    const reply = await edge.call('/event?a=1', {
      method: 'POST',
      body,
      headers: type === undefined ? headers : { ...headers, 'content-type': type },
    })
    expect([reply.status, reply.codes()]).toEqual([200, []])
    expect(lastSignals(edge)).toEqual({
      a: ['1'],
      c_likes: ['famous popstar, and 100 % €'],
      c_list: ['a', '2', 'true'],
      c_price: ['9.5'],
      d_sid: ['111', '222'],
    })
    expect(edge.calls.at(-1)).toMatchObject({
      deviceId: DEVICE,
      traitIds: [111, 222],
      declaredIds: [
        { dataSourceId: 123, id: '987', authState: 0 },
        { dataSourceId: 456, id: 'a+b', authState: 1 },
      ],
    })
  }
})

test('FormData is read: its names and texts are literal [COL-14]', async () => {
  await using edge = await startTestEdge()
  const { body, type } = await multipart([
    ['c_likes', 'famous popstar, and 100 %\r\n--€'],
    ['x', '1'],
    ['x', ''],
    ['odd "name"', 'v'],
    ['d_cid', '123%01987'],
  ])
  expect((await post(edge, body, type)).codes()).toEqual([])
  expect(lastSignals(edge)).toEqual({
    a: ['1'],
    c_likes: ['famous popstar, and 100 %\r\n--€'],
    x: ['1', ''],
    'odd "name"': ['v'],
  })
  expect(edge.calls[0]?.declaredIds).toMatchObject([{ dataSourceId: 123, id: '987' }])
})

test('a declared character set is decoded; one that is not known, or does not fit, is refused with a code [COL-37] [COL-38]', async () => {
  await using edge = await startTestEdge()
  const latin1 = Buffer.from('c_city=K\u00f6ln', 'latin1')
  for (const type of ['application/x-www-form-urlencoded', 'text/plain']) {
    expect((await post(edge, latin1, `${type}; charset=ISO-8859-1`)).codes()).toEqual([])
    expect(lastSignals(edge)).toEqual({ a: ['1'], c_city: ['K\u00f6ln'] })
    expect((await post(edge, latin1, type)).codes()).toEqual([311])
    expect((await post(edge, 'c_city=b', `${type}; charset=klingon`)).codes()).toEqual([901])
  }
  expect(
    (await post(edge, Buffer.from('{"c_city":"K\u00f6ln"}', 'utf16le'), `${JSON_TYPE}; charset=utf-16le`)).codes(),
  ).toEqual([])
  expect(lastSignals(edge)).toEqual({ a: ['1'], c_city: ['K\u00f6ln'] })
  expect((await post(edge, Buffer.from('{"a":"\xff"}', 'latin1'), JSON_TYPE)).codes()).toEqual([311])
  expect((await post(edge, '{"a":"\\ud800"}', JSON_TYPE)).codes()).toEqual([311])
})

test.each([
  ['the type text/html is neither a form nor JSON', 'a=1&gdpr=1', 'text/html'],
  ['the type application/octet-stream is neither a form nor JSON', 'd_consent=0', 'application/octet-stream'],
  ['the type application/xml is neither a form nor JSON', '<US_Privacy>1YYY</US_Privacy>', 'application/xml'],
  ['text that is neither a form nor JSON', 'hello, world', PLAIN],
  ['text that is neither a form nor JSON', 'x=1\r\ny=2\r\n', PLAIN],
  ['text that is neither a form nor JSON', '<a b="c">', PLAIN],
  ['text that is neither a form nor JSON', 'word', undefined],
  ['the JSON is broken', '{"a":1', JSON_TYPE],
  ['the JSON is broken', 'a=1', JSON_TYPE],
  ['the JSON is broken', '{a:1}', PLAIN],
  ['the JSON is no object', '[{"a":1}]', PLAIN],
  ['the JSON is no object', '"a=1"', JSON_TYPE],
  ['the JSON object is not flat', '{"a":{"b":1}}', JSON_TYPE],
  ['the JSON object is not flat', '{"a":[[1]]}', JSON_TYPE],
  ['the JSON object is not flat', '{"a":[{}]}', undefined],
  ['the multipart type has no boundary', 'a=1', 'multipart/form-data'],
  [
    'the multipart body is cut off',
    '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1',
    'multipart/form-data; boundary=b',
  ],
  ['the multipart body is cut off', 'a=1', 'multipart/form-data; boundary=b'],
  [
    'a multipart field has no name',
    '--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--',
    'multipart/form-data; boundary=b',
  ],
  [
    'a multipart field is encoded',
    '--b\r\nContent-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64\r\n\r\nMQ==\r\n--b--',
    'multipart/form-data; boundary="b"',
  ],
])(
  'a body that cannot be read refuses the call with 901, and says why: %s (%j, %s) [COL-119] [SEC-02]',
  async (why, body, type) => {
    await using edge = await startTestEdge()
    for (const target of [
      '/event?d_rtbd=json&a=1',
      '/?d_rtbd=json&a=1',
      '/id?d_rtbd=json',
      '/ibs:dpid=1&dpuuid=x&d_rtbd=json',
      '/demoptout?d_rtbd=json&d_uuid=1',
    ]) {
      const reply = await post(edge, body, type, target)
      expect([reply.status, reply.codes(), reply.cookies]).toEqual([200, [901], []])
      expect(reply.json()['errors']).toEqual([{ code: 901, msg: `Request body cannot be read: ${why}` }])
    }
    expect((await post(edge, body, type, '/event')).headers['content-type']).toBe('image/gif')
    expect([edge.calls, edge.optOuts]).toEqual([[], []])
    expect(edge.rejected).toEqual(new Array(6).fill('901'))
  },
)

test.each([
  ['a=2&d_uuid=1', 'text/html'],
  [`a=2&d_uuid=${DEVICE}`, 'application/octet-stream'],
  ['<gdprs/>', 'application/xml; charset=utf-8'],
  [Buffer.from([0, 255, 1]), 'image/png'],
])(
  'a body of another type is left alone and told by 901, and the address counts: %j as %s [COL-14] [COL-16~]',
  async (body, type) => {
    await using edge = await startTestEdge()
    const why = {
      code: 901,
      msg: `Request body cannot be read: the type ${type.split(';')[0]} is neither a form nor JSON`,
    }
    const reply = await post(edge, body, type, `/event?a=1&d_uuid=${DEVICE}&d_rtbd=json`)
    expect([reply.status, reply.codes()]).toEqual([200, [901]])
    expect(reply.json()).toMatchObject({ uuid: DEVICE, errors: [why] })
    expect(lastSignals(edge)).toEqual({ a: ['1'], d_rtbd: ['json'] })
    const pixel = await post(edge, body, type, `/event?a=3&d_uuid=${DEVICE}`)
    expect([pixel.headers['content-type'], pixel.codes()]).toEqual(['image/gif', [901]])
    expect(lastSignals(edge)).toEqual({ a: ['3'] })
    // A refusal in the address counts all the same.
    expect((await post(edge, body, type, '/event?gdpr=1')).codes()).toEqual([315])
    await post(edge, body, type, `/demoptout/consent?d_uuid=${DEVICE}`)
    expect(edge.calls.at(-1)).toMatchObject({ deviceId: DEVICE, consent: { reason: 'page_withdrawn' } })
    await post(edge, body, type, `/demoptout?d_uuid=${DEVICE}`)
    expect(edge.optOuts).toMatchObject([{ level: 'partner', deviceId: DEVICE }])
    const cookies = (await post(edge, body, type, '/demoptout')).cookies
    expect(cookies.join()).toContain('NOTARGET')
  },
)

test('a file among the fields is refused [COL-119]', async () => {
  await using edge = await startTestEdge()
  const { body, type } = await multipart([['a', new Blob(['1'])]])
  const reply = await post(edge, body, type, '/event?d_rtbd=json')
  expect(reply.json()['errors']).toEqual([
    { code: 901, msg: 'Request body cannot be read: a multipart field is a file' },
  ])
})

test('an empty body is none, whatever its type [COL-14]', async () => {
  await using edge = await startTestEdge()
  for (const type of ['text/html', JSON_TYPE, 'multipart/form-data', PLAIN, undefined])
    expect((await post(edge, '', type)).codes()).toEqual([])
  expect(edge.calls).toHaveLength(5)
})

test.each([
  ['gdpr=1', PLAIN],
  ['{"gdpr":1}', JSON_TYPE],
  ['{"gdpr":0,"gdpr":1}', JSON_TYPE],
  ['{"gdpr":true,"gdpr":0}', PLAIN],
  ['{"GDPR":"1"}', undefined],
  ['{"gdpr":[0,1]}', JSON_TYPE],
  ['--b\r\nContent-Disposition: form-data; name=gdpr\r\n\r\nyes\r\n--b--\r\n', 'multipart/form-data; boundary=b'],
])('a privacy flag counts in every kind of body: %s as %s [COL-275]', async (body, type) => {
  await using edge = await startTestEdge()
  for (const target of ['/event?gdpr=0', '/id?gdpr=0', '/ibs:dpid=1&dpuuid=x&gdpr=0'])
    expect((await post(edge, body, type, target)).codes()).toEqual([315])
  expect(edge.calls).toEqual([])
})

test('long numbers of JSON stay as they are written, for they are IDs [SEC-07~]', async () => {
  await using edge = await startTestEdge()
  await post(edge, `{"d_uuid":${DEVICE},"c_n":12345678901234567890,"c_small":1e-7,"c_big":1E400}`, JSON_TYPE)
  expect(edge.calls[0]?.deviceId).toBe(DEVICE)
  expect(lastSignals(edge)).toEqual({ a: ['1'], c_n: ['12345678901234567890'], c_small: ['1e-7'], c_big: ['1E400'] })
})

test('the limits of a form hold for every kind of body [COL-15] [SEC-01]', async () => {
  await using edge = await startTestEdge()
  const large = 'x'.repeat(32_769)
  const fields = await multipart([
    ['a', large],
    ['d_rtbd', 'json'],
    ['d_cb', 'cb'],
  ])
  for (const [body, type] of [
    [`a=${large}&d_rtbd=json&d_cb=cb`, PLAIN],
    [JSON.stringify({ a: large, d_rtbd: 'json', d_cb: 'cb' }), JSON_TYPE],
    [fields.body, fields.type],
  ] as const) {
    const reply = await post(edge, body, type, '/event')
    expect([reply.codes(), reply.text.slice(0, 13)]).toEqual([[900], 'cb({"stuff":['])
  }
  expect((await post(edge, large, 'text/html', '/event')).codes()).toEqual([900])
  expect(edge.calls).toEqual([])
  await post(edge, JSON.stringify({ many: Array.from({ length: 1005 }, () => 1), long: 'y'.repeat(4097) }), JSON_TYPE)
  expect(edge.calls[0]?.signals.all('many')).toHaveLength(999)
  expect(edge.rejected).toContain('parameters')
})

test('a body where none belongs is counted', async () => {
  await using edge = await startTestEdge()
  const reply = await edge.raw('GET /event HTTP/1.1\r\nHost: a.example\r\nContent-Length: 3\r\n\r\na=1')
  expect(reply).toMatch(/^HTTP\/1\.1 200 .*connection: close/is)
  expect(edge.rejected).toEqual(['body_unexpected'])
})

test('what a beacon and a fetch of this runtime send as a text is processed [COL-14]', async () => {
  await using edge = await startTestEdge()
  const reply = await fetch(`http://127.0.0.1:${edge.port}/event?d_rtbd=json`, { method: 'POST', body: 'c_a=b' })
  expect(await reply.json()).toMatchObject({ uuid: NEW_DEVICE })
  expect(lastSignals(edge)).toMatchObject({ c_a: ['b'] })
})

test('a flat object is read as the engine reads it, but for two equal keys and the form of numbers', () => {
  const scalar = fc.oneof(fc.string(), fc.boolean(), fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }))
  const object = fc.dictionary(fc.string(), fc.oneof(scalar, fc.array(scalar), fc.constant(null)))
  fc.assert(
    fc.property(object, fc.constantFrom(undefined, 2), (value, indent) => {
      const read = flatJson(JSON.stringify(value, undefined, indent))
      const expected = Object.entries(JSON.parse(JSON.stringify(value)) as object).flatMap(([key, values]) =>
        (Array.isArray(values) ? values : [values]).filter((one) => one !== null).map((one) => [key, String(one)]),
      )
      expect(read.ok && read.pairs.map(([key, text]) => [key, text])).toEqual(
        expected.map(([key, text]) => [
          key,
          expect.toSatisfy((got: string) => got === text || Number(got) === Number(text)),
        ]),
      )
    }),
  )
})

test('a content type is read in any of its spellings', () => {
  const { essence, parameters } = parseMediaType(' Text/Plain ;CharSet = "a\\"b;c" ; x=1;x=2;;y')
  expect([essence, [...parameters]]).toEqual([
    'text/plain',
    [
      ['charset', 'a"b;c'],
      ['x', '1'],
    ],
  ])
  expect(parseMediaType('').essence).toBe('')
})
