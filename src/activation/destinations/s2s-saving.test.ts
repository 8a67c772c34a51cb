import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { parseS2sConfig, parseSavedS2sConfig } from '../../testkit/s2s-settings.ts'
import { buildDestinationRules } from '../destination-rules.ts'

const KEY = 'sample_partner_private_key'
const base = { url: 'https://in.halden.example/aam', userDpid: 77052 }
const issues = (more: object) => {
  const parsed = parseS2sConfig({ ...base, ...more }, { allowPrivate: false })
  return parsed.ok ? [] : parsed.issues.map(({ path, message }) => `${path}: ${message}`)
}
const hmac = (key: string, more: object = {}) => ({ auth: { type: 'hmac', keys: [{ key }], ...more } })
const tokenUrl = 'https://in.halden.example/token'

describe('what copying adds to a secret is refused where it stands, with its name', () => {
  const copies = [
    ['a line end', (text: string) => `${text}\n`, 'ends with U+000A (a line break)'],
    ['a Windows line end', (text: string) => `${text}\r\n`, 'ends with U+000A (a line break)'],
    ['a blank behind', (text: string) => `${text} `, 'ends with U+0020 (a blank)'],
    ['a blank before', (text: string) => ` ${text}`, 'begins with U+0020 (a blank)'],
    ['a tab', (text: string) => `\t${text}`, 'begins with U+0009 (a tab)'],
    ['a byte order mark', (text: string) => `\ufeff${text}`, 'begins with U+FEFF (a byte order mark)'],
    ['a zero-width space', (text: string) => `${text}\u200b`, 'ends with U+200B (a zero-width space)'],
    ['a no-break space', (text: string) => `${text}\u00a0`, 'ends with U+00A0 (a no-break space)'],
    [
      'a line end within',
      (text: string) => `${text.slice(0, 7)}\n${text.slice(7)}`,
      'holds the control character U+000A (a line break)',
    ],
    ['U+0000', (text: string) => `${text}\0x`, 'holds the character U+0000'],
  ] as const
  const places = [
    ['auth.keys.0.key', KEY, (value: string) => hmac(value)],
    ['auth.keys.0.key', `whsec_${Buffer.alloc(32, 1).toString('base64')}`, (value: string) => hmac(value)],
    [
      'auth.ed25519Key',
      `whsk_${Buffer.alloc(32, 1).toString('base64')}`,
      (value: string) => hmac(KEY, { ed25519Key: value }),
    ],
    [
      'auth.password',
      'correct horse',
      (value: string) => ({ auth: { type: 'basic', username: 'usher', password: value } }),
    ],
    ['auth.username', 'partner-name', (value: string) => ({ auth: { type: 'basic', username: value, password: 'x' } })],
    [
      'auth.clientSecret',
      'p@ss+word%',
      (value: string) => ({ auth: { type: 'oauth2', tokenUrl, clientId: 'a', clientSecret: value } }),
    ],
    [
      'auth.clientId',
      'client-name',
      (value: string) => ({ auth: { type: 'oauth2', tokenUrl, clientId: value, clientSecret: 'x' } }),
    ],
  ] as const
  for (const [path, good, configOf] of places) {
    test.each(copies)(`${path} ${good.slice(0, 6)} with %s`, (_what, copy, expected) => {
      expect(issues(configOf(good))).toEqual([])
      expect(issues(configOf(copy(good)))).toEqual([`${path}: ${expected}; copy it again without that`])
    })
  }

  test.each([' bm90', 'bm90\t', 'bm90\n', 'bm90 ', '\ufeffbm90', 'Basic bm90', 'basic  bm90'])(
    'the ready credentials %j, and a free header with white space around its value',
    (credentials) => {
      expect(issues({ auth: { type: 'oauth2', tokenUrl, credentials } })).toHaveLength(1)
      if (/^\s|\s$/.test(credentials)) expect(issues({ headers: { 'X-Key': credentials } })).toHaveLength(1)
    },
  )
})

test('a user name for basic authentication holds no colon, and the one of OAuth only without rawCredentials [OUT-79] [OPS-54~]', () => {
  expect(issues({ auth: { type: 'basic', username: 'a:b', password: 'x:y' } })).toEqual([
    'auth.username: holds a colon: basic authentication ends the name there',
  ])
  const oauth = { type: 'oauth2', tokenUrl, clientId: 'a b:c', clientSecret: 'p@ss+wörd%' }
  expect(issues({ auth: oauth })).toEqual([])
  expect(issues({ auth: { ...oauth, rawCredentials: false } })).toEqual([])
  expect(issues({ auth: { ...oauth, rawCredentials: true } })).toEqual([
    'auth.clientId: holds a colon: a raw id ends there; leave rawCredentials out',
  ])
  expect(issues({ auth: { ...oauth, clientId: 'a b', rawCredentials: true } })).toEqual([])
})

test('the ready credentials stand alone: what would not be used beside them is refused [OUT-79]', () => {
  const auth = { type: 'oauth2', tokenUrl, credentials: 'bm90', clientId: 'a', clientSecret: 'b', rawCredentials: true }
  expect(issues({ auth })).toEqual(
    ['clientId', 'clientSecret', 'rawCredentials'].map(
      (name) => `auth.${name}: is not used beside credentials; give one or the other`,
    ),
  )
})

test.each([
  ['23 bytes', `whsec_${Buffer.alloc(23).toString('base64')}`],
  ['a sign of the other alphabet', `whsec_${'-'.repeat(32)}`],
  ['a length that cannot be', `whsec_${'A'.repeat(33)}`],
  ['stray bits at the end', `whsec_${'A'.repeat(42)}B=`],
  ['a blank inside', `whsec_${'A'.repeat(20)} ${'A'.repeat(20)}`],
  ['capitals', `WHSEC_${'A'.repeat(32)}`],
  ['nothing but its prefix', 'whsec_          x'],
])('a key with whsec_ must be Base64 of at least 24 bytes: %s is refused [SEC-51]', (_what, key) => {
  expect(issues(hmac(key))[0]).toMatch(/^auth\.keys\.0\.key: /)
})

test('a key with whsec_ of 24 bytes and more is taken, with and without padding [SEC-51]', () => {
  for (const bytes of [24, 25, 26, 32, 64]) {
    const text = Buffer.alloc(bytes, 9).toString('base64')
    for (const key of [text, text.replace(/=+$/, '')]) expect(issues(hmac(`whsec_${key}`))).toEqual([])
  }
})

test('an Ed25519 key is 32 bytes, or 64 with its own public half [SEC-51]', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32)
  const half = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
  const check = (bytes: Buffer, prefix = 'whsk_') =>
    issues(hmac(KEY, { ed25519Key: prefix + bytes.toString('base64') }))
  expect(check(seed)).toEqual([])
  expect(check(Buffer.concat([seed, half]))).toEqual([])
  for (const length of [31, 33, 48, 63, 65])
    expect(check(Buffer.alloc(length, 1))).toEqual(['auth.ed25519Key: is whsk_ and the Base64 of 32 or 64 bytes'])
  expect(check(seed, 'whpk_')).toHaveLength(1)
  expect(check(Buffer.concat([seed, Buffer.alloc(32)]))).toEqual([
    'auth.ed25519Key: has a public half that is not that of its private one',
  ])
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
  expect(issues(hmac(KEY, { ed25519Key: pem }))).toHaveLength(1)
  expect(issues(hmac(KEY, { ed25519Key: pem.trim().replaceAll('\n', ' ') }))).toHaveLength(1)
})

test.each([
  'Content-Encoding',
  'content-md5',
  'Content-Digest',
  'Repr-Digest',
  'Digest',
  'Content-Range',
  'Content-Location',
  'Content-Language',
  'Content-Type',
  'Content-Length',
  'Accept-Encoding',
  'User-Agent',
  'Date',
  'Range',
  'If-None-Match',
  'If-Unmodified-Since',
  'TE',
  'Trailer',
  'Upgrade',
  'Expect',
  'Keep-Alive',
  'HTTP2-Settings',
  'X-HTTP-Method-Override',
  'X-Real-IP',
  'X-Forwarded-For',
  'Forwarded',
  'Via',
  'Sec-Fetch-Site',
  'webhook-signature',
])('the header %s would lie about what is sent, so nobody sets it by hand [SEC-29]', (name) => {
  expect(issues({ headers: { [name]: 'x' } })[0]).toContain(`headers.${name}: the header ${name} `)
  if (name !== 'User-Agent') expect(issues(hmac(KEY, { header: name }))[0]).toContain(`the header ${name} `)
})

test.each([
  'X-Account',
  'Accept',
  'Accept-Language',
  'Cookie',
  'X-Api-Key',
  'Traceparent',
  'Prefer',
  'Idempotency-Key',
])('the header %s is the partner’s own business [SEC-29]', (name) => {
  expect(issues({ headers: { [name]: 'x' } })).toEqual([])
})

test('a key of another kind, the same key twice, and the same name twice are no signature and no rotation [OUT-72~] [OUT-73~] [SEC-54~]', () => {
  for (const kind of ['whpk_', 'whsk_', 'WHPK_'])
    expect(issues(hmac(`${kind}${'A'.repeat(43)}=`))[0]).toMatch(/^auth.keys.0.key: /)
  const two = (other: object, more: object = {}) => ({
    auth: { type: 'hmac', keys: [{ key: KEY }, { key: KEY, ...other }], ...more },
  })
  expect(issues(two({}))[0]).toMatch(/^auth.keys.1.key: is the same/)
  expect(issues(two({ algorithm: 'sha256' }))[0]).toMatch(/^auth.keys.1.key: is the same/)
  // Another algorithm under the same key is a change that a partner can follow in time.
  expect(issues(two({ algorithm: 'sha1' }))).toEqual([])
  expect(issues(two({ key: `${KEY} of next year` }))).toEqual([])
  expect(issues(hmac(KEY, { rotationHeader: 'x-signature' }))[0]).toMatch(/^auth.rotationHeader: /)
  expect(issues(hmac(KEY, { rotationHeader: 'X-Signature-Next' }))).toEqual([])
})

describe('no two signatures go out under one name, in any case [OUT-72~] [OUT-73~]', () => {
  const signed = (keys: readonly object[], more: object = {}) =>
    issues({ auth: { type: 'hmac', keys: keys.map((one, at) => ({ key: `${KEY} ${at}`, ...one })), ...more } })
  const both = (name: string) => `both signatures would go out as ${name}; give one of the two keys another header`

  test.each<[string, readonly object[], object, string]>([
    [
      'the first has the default of the second',
      [{ header: 'X-Signature-Next' }, {}],
      {},
      `auth.keys.0.header: ${both('X-Signature-Next')}`,
    ],
    [
      'the first has that of a chosen name',
      [{ header: 'x-sig-NEXT' }, {}],
      { header: 'X-Sig' },
      `auth.keys.0.header: ${both('X-Sig-Next')}`,
    ],
    ['the second has that of all', [{}, { header: 'x-signature' }], {}, `auth.keys.1.header: ${both('x-signature')}`],
    ['both name one', [{ header: 'X-Sig' }, { header: 'x-sig' }], {}, `auth.keys.1.header: ${both('x-sig')}`],
    [
      'the second name of one signature is its own',
      [{ header: 'X-Own' }],
      { rotationHeader: 'x-own' },
      'auth.rotationHeader: is the name that the signature has already; it takes another one',
    ],
  ])('%s', (_what, keys, more, expected) => {
    expect(signed(keys, more)).toEqual([expected])
  })

  test('names that differ are taken, also the one that a rotation before left behind', () => {
    expect(signed([{}, {}], { rotationHeader: 'X-Signature-Next' })).toEqual([])
    expect(signed([{ header: 'X-Signature-Next' }, { header: 'X-Signature' }])).toEqual([])
    expect(signed([{ header: 'X-Own' }], { rotationHeader: 'X-Signature' })).toEqual([])
  })
})

test('one header is not sent twice, and not beside a signature of its name', () => {
  expect(issues({ headers: { 'X-Key': 'a', 'x-key': 'b' } })).toEqual([
    'headers.x-key: the header x-key is there twice',
  ])
  const signed = { ...hmac(KEY, { header: 'X-Sign', rotationHeader: 'X-Old' }) }
  for (const name of ['x-sign', 'X-Sign-Next', 'x-OLD'])
    expect(issues({ ...signed, headers: { [name]: 'a' } })).toEqual([
      `headers.${name}: the header ${name} carries the signature`,
    ])
})

test('the client ID that partners compare has nothing around it and nothing unseen', () => {
  for (const clientId of [' 74323', '74323\n', '74\u200b323']) expect(issues({ clientId })[0]).toMatch(/^clientId: /)
  expect(issues({ clientId: 'Halden 7' })).toEqual([])
})

test('a destination that was saved before these rules goes on being sent to', () => {
  const stored = {
    ...base,
    auth: { type: 'hmac', header: 'X-Signature', keys: [{ key: `${KEY}\n` }] },
    headers: { 'Content-Encoding': 'gzip', 'X-Key': ' a' },
    clientId: ' 7',
  }
  expect(parseSavedS2sConfig(stored).ok).toBe(true)
  expect(parseS2sConfig(stored, { allowPrivate: false }).ok).toBe(false)
  const definitions = {
    version: 1,
    dataSources: [],
    segments: [],
    mappings: [],
    destinations: [
      { destinationId: 1, name: 'a', destinationType: 'S2S', status: 'ACTIVE', mappingVersion: 1, config: stored },
    ],
  }
  const build = buildDestinationRules(definitions as never)
  let step = build.next()
  for (let at = 0; at < 100 && step.done !== true; at++) step = build.next()
  expect([...(step.value?.byId.values() ?? [])].map(({ unusable }) => unusable)).toEqual([undefined])
})
