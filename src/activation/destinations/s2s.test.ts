import { expect, test } from 'vitest'
import {
  inForce,
  mergeSecrets as merge,
  parseS2sConfig,
  parseSavedS2sConfig,
  redactS2s as redact,
  type S2sConfig,
  secretsOf,
  userDpidsOf,
  withGeneratedKeys,
} from '../../testkit/s2s-settings.ts'
import { createFingerprint } from './secret-fingerprint.ts'

// operating.md OPS-50, with a key in place of the dots, without the batch half of `hybrid` and its schedule.
const example = {
  protocol: 'https',
  delivery: 'realtime',
  format: 'aam-json',
  mode: 'durable',
  url: 'https://in.halden.example/aam',
  userDpid: 77052,
  clientId: '74323',
  usersPerMessage: 10,
  auth: {
    type: 'hmac',
    header: 'X-Signature',
    algorithm: 'sha256',
    keys: [{ key: 'sample_partner_private_key', from: '2026-11-22T00:00:00.000Z' }],
  },
}
const fingerprint = createFingerprint(Buffer.alloc(32, 1))
const redactS2s = (config: S2sConfig, generated?: readonly string[]) => redact(config, fingerprint, generated)
const mergeSecrets = (previous: S2sConfig | undefined, next: unknown) => merge(previous, next, fingerprint).s2s
const parse = (more: object = {}, rules = { allowPrivate: false }) => parseS2sConfig({ ...example, ...more }, rules)
const issues = (more: object) => {
  const parsed = parse(more)
  return parsed.ok ? [] : parsed.issues.map(({ path, message }) => `${path}: ${message}`)
}
const paths = (more: object) => issues(more).map((text) => text.slice(0, text.indexOf(':')))
function configOf(more: object = {}): S2sConfig {
  const parsed = parse(more)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues))
  return parsed.config
}

test('the documented destination is accepted, with the documented defaults [OPS-42~] [OPS-50~] [OUT-01~] [OUT-39]', () => {
  expect(configOf()).toMatchObject(example)
  const parsed = parseS2sConfig({ url: example.url, userDpid: [77052, 20914, 77052] }, { allowPrivate: false })
  expect(parsed).toMatchObject({
    ok: true,
    config: {
      protocol: 'https',
      delivery: 'realtime',
      format: 'aam-json',
      mode: 'durable',
      method: 'POST',
      successStatuses: [200],
      usersPerMessage: 10,
      batchMaxWaitMs: 50,
      auth: { type: 'none' },
      numbersAs: 'string',
      destinationIdKey: 'AAM_Destination_Id',
      includeRegions: true,
      sendWithoutPartnerId: false,
      supportsUnsegment: true,
      unsegmentOnUnmap: false,
      onlyWhileSeen: false,
    },
  })
  expect(parsed.ok && userDpidsOf(parsed.config)).toEqual([77052, 20914])
})

test('a destination without the data source of its users is refused with what is expected [OPS-42~]', () => {
  for (const userDpid of [undefined, 'x'])
    expect(issues({ userDpid })).toEqual(['userDpid: expected the id of a data source, or a list of 1 to 20'])
  // No data source has an id beyond.
  for (const [userDpid, path] of [
    [2 ** 31, 'userDpid'],
    [[1, 2 ** 31], 'userDpid.1'],
  ] as const)
    expect(paths({ userDpid })).toEqual([path])
  expect(issues({ userDpid: 2 ** 31 - 1 })).toEqual([])
})

test('real time over file protocols is refused at the field, and what is not built yet says so [OUT-02~]', () => {
  for (const protocol of ['ftp', 'sftp', 's3']) {
    expect(paths({ protocol, delivery: 'realtime' })).toEqual(['delivery', 'protocol'])
    expect(issues({ protocol, delivery: 'batch' })).toEqual([
      'delivery: batch is not available yet; use realtime',
      `protocol: ${protocol} is not available yet; use https`,
    ])
  }
  expect(issues({ format: 'mapp' })).toEqual(['format: mapp is not available yet; use aam-json'])
  expect(issues({ delivery: 'hybrid', schedule: { every: '24h' }, file: {}, mapp: {} })).toEqual([
    'delivery: hybrid is not available yet, since batches are not; use realtime',
    'schedule: is of batches, which are not available yet; leave it out',
    'file: files are not available yet; leave it out',
    'mapp: Mapp is not available yet; leave it out',
  ])
  expect(paths({ schedule: null, file: null, mapp: null })).toEqual([])
})

test('what the mode or the method has no use for is refused [OUT-208], [OUT-209], [OPS-42~]', () => {
  expect(issues({ successStatuses: [200, 202] })).toEqual([
    'successStatuses: is for mode compat only; in durable every answer from 200 to 299 is a success',
  ])
  expect(paths({ mode: 'compat', successStatuses: [200, 202] })).toEqual([])
  const get = { method: 'GET', urlTemplate: '/x?id=<DP_UUID>' }
  const ofBody = { numbersAs: 'number', destinationIdKey: 'AAM_Destination_ID', includeRegions: false }
  expect(paths({ ...get, usersPerMessage: 2, ...ofBody })).toEqual(['usersPerMessage', ...Object.keys(ofBody)])
  expect(paths({ ...get, usersPerMessage: 1 })).toEqual([])
})

test('one that an earlier version saved goes on in real time and shows what is in force', () => {
  const saved = { ...example, delivery: 'hybrid', schedule: { every: '12h', mode: 'full' }, file: {} }
  const parsed = parseSavedS2sConfig(saved)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues))
  expect(inForce(parsed.config).delivery).toBe('realtime')
  const shown = redactS2s(parsed.config)
  expect(shown).toMatchObject({ delivery: 'realtime' })
  for (const member of ['schedule', 'file', 'mapp']) expect(shown).not.toHaveProperty(member)
  const sentAgain = mergeSecrets(parsed.config, JSON.parse(JSON.stringify(shown)))
  expect(parseS2sConfig(sentAgain, { allowPrivate: false }).ok).toBe(true)
})

test('only https goes out, on the usual ports, without credentials in the URL [OUT-20] [OUT-77] [SEC-25~]', () => {
  expect(paths({ url: 'http://in.halden.example/aam' })).toEqual(['url'])
  expect(issues({ url: 'https://in.halden.example:8444/' })[0]).toContain('port_not_allowed')
  expect(paths({ url: 'https://a:b@in.halden.example/' })).toEqual(['url'])
  expect(paths({ auth: { type: 'oauth2', tokenUrl: 'http://in.halden.example/token', credentials: 'x' } })).toEqual([
    'auth.tokenUrl',
  ])
  expect(parse({ url: 'http://127.0.0.1:9000/in' }, { allowPrivate: true }).ok).toBe(true)
  expect(
    parseS2sConfig(
      { ...example, url: 'http://127.0.0.1:9000/in' },
      { allowPrivate: false, allowedTargets: ['127.0.0.1:9000'] },
    ).ok,
  ).toBe(true)
})

test.each([
  'Host',
  'content-length',
  'Content-Type',
  'AUTHORIZATION',
  'Transfer-Encoding',
  'Connection',
  'Proxy-Authorization',
  'X-Forwarded-For',
  'bad name',
  '',
])('the header name %j is refused, for signatures and in general [OUT-67] [SEC-29]', (header) => {
  expect(paths({ auth: { ...example.auth, header } })).toEqual(['auth.header'])
  expect(paths({ headers: { [header]: 'x' } })[0]).toMatch(/^headers/)
})

test('header values hold no line break and at most 4 KiB [SEC-29]', () => {
  for (const value of ['a\r\nb', 'a\nb', 'a\0b', 'x'.repeat(4097)])
    expect(paths({ headers: { 'X-Account': value } })).toEqual(['headers.X-Account'])
  expect(paths({ headers: { 'X-Account': 'x'.repeat(4096) } })).toEqual([])
  expect(paths({ userAgent: 'a\nb' })).toEqual(['userAgent'])
})

test('signing keys have at least 16 characters and are one or two [OUT-72] [OUT-74~]', () => {
  const keys = (...texts: string[]) => paths({ auth: { ...example.auth, keys: texts.map((key) => ({ key })) } })
  expect(keys('short')).toEqual(['auth.keys.0.key'])
  expect(keys('x'.repeat(16), 'y'.repeat(15))).toEqual(['auth.keys.1.key'])
  expect(keys('x'.repeat(16), 'y'.repeat(16))).toEqual([])
  expect(keys()).toEqual(['auth.keys'])
  expect(keys('x'.repeat(16), 'y'.repeat(16), 'z'.repeat(16))).toEqual(['auth.keys'])
})

test('oauth2 takes the ready value, or a pair [OUT-79]', () => {
  const tokenUrl = 'https://in.halden.example/token'
  expect(paths({ auth: { type: 'oauth2', tokenUrl } })).toEqual(['auth.credentials'])
  expect(paths({ auth: { type: 'oauth2', tokenUrl, clientId: 'a' } })).toEqual(['auth.credentials'])
  expect(paths({ auth: { type: 'oauth2', tokenUrl, credentials: 'a\nb' } })).toEqual(['auth.credentials'])
  expect(paths({ auth: { type: 'oauth2', tokenUrl, clientId: 'a', clientSecret: 'b' } })).toEqual([])
})

test('numbers have their bounds, success is a 2xx, unknown keys are refused [OUT-38] [OUT-208] [SEC-69] [OUT-39]', () => {
  for (const usersPerMessage of [0, 11, 1.5]) expect(paths({ usersPerMessage })).toEqual(['usersPerMessage'])
  expect(paths({ batchMaxWaitMs: 1001 })).toEqual(['batchMaxWaitMs'])
  for (const status of [199, 300, 404, 500])
    expect(paths({ successStatuses: [200, status] })).toEqual(['successStatuses.1'])
  expect(parse({ usersPerMesage: 3 }).ok).toBe(false)
})

test('a GET destination needs its template [OUT-209]', () => {
  expect(paths({ method: 'GET' })).toEqual(['urlTemplate'])
  expect(issues({ method: 'GET', urlTemplate: '/x?<NOPE>' })[0]).toContain('column 4')
  expect(paths({ urlTemplate: '/x' })).toEqual(['urlTemplate'])
  expect(paths({ method: 'GET', urlTemplate: '/x?id=<DP_UUID>' })).toEqual([])
})

const [oldKey, newKey] = ['old_partner_private_key1', 'new_partner_private_key2']
const hmac = (keys: object[], more: object = {}) => ({ auth: { ...example.auth, keys, ...more } })

test('an answer shows that a secret is set and its last 4 characters, never more [OPS-50~] [SEC-63~]', () => {
  const config = configOf(hmac([{ key: oldKey }, { key: newKey, header: 'X-Second' }]))
  expect(redactS2s(config)).toMatchObject(
    hmac([{ key: { set: true, last4: 'key1' } }, { key: { set: true, last4: 'key2' }, header: 'X-Second' }]),
  )
  const oauth = configOf({
    auth: {
      type: 'oauth2',
      tokenUrl: example.url,
      clientId: 'id',
      clientSecret: 'short',
    },
  })
  const opaque = configOf({
    auth: { type: 'oauth2', tokenUrl: example.url, credentials: 'long-enough-secret' },
  })
  expect(redactS2s(oauth)).toMatchObject({ auth: { clientId: 'id', clientSecret: { set: true, last4: '' } } })
  expect(redactS2s(opaque)).toMatchObject({ auth: { credentials: { set: true, last4: 'cret' } } })
  for (const one of [config, oauth, opaque])
    for (const { value } of secretsOf(one)) expect(JSON.stringify(redactS2s(one))).not.toContain(value)
})

test('an object that was read and is sent again keeps its secrets [SEC-63~]', () => {
  for (const config of [
    configOf(hmac([{ key: oldKey }, { key: newKey }])),
    configOf({
      auth: {
        type: 'oauth2',
        tokenUrl: example.url,
        clientId: 'id',
        clientSecret: 'short',
      },
    }),
    configOf({ headers: { 'X-Api-Key': 'canary-of-a-header-5f2c', 'x-account': '7' } }),
    configOf({ auth: { type: 'basic', username: 'a', password: 'correct horse' } }),
  ]) {
    const sentAgain: unknown = JSON.parse(JSON.stringify(redactS2s(config)))
    expect(parseS2sConfig(mergeSecrets(config, sentAgain), { allowPrivate: false })).toEqual({ ok: true, config })
  }
})

test('a new secret replaces the stored one, and a shown one that is not stored is refused at its field', () => {
  const before = configOf(hmac([{ key: oldKey }]))
  expect(mergeSecrets(before, hmac([{ key: newKey }]))).toEqual(hmac([{ key: newKey }]))
  const unknown = parseS2sConfig(
    mergeSecrets(before, { ...example, ...hmac([{ key: { set: true, last4: 'nope' } }]) }),
    { allowPrivate: false },
  )
  expect(unknown).toMatchObject({ ok: false, issues: [{ path: 'auth.keys.0.key' }] })
  const created = parseS2sConfig(mergeSecrets(undefined, { ...example, ...hmac([{ key: { set: true } }]) }), {
    allowPrivate: false,
  })
  expect(created.ok).toBe(false)
})

test('removing the old key goes on with both names until the rotation is ended [OUT-73]', () => {
  const both = configOf(hmac([{ key: oldKey }, { key: newKey }]))
  const next = (from: S2sConfig, auth: object): S2sConfig => {
    const parsed = parseS2sConfig(mergeSecrets(from, { ...example, auth: { ...example.auth, ...auth } }), {
      allowPrivate: false,
    })
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues))
    return parsed.config
  }
  const removed = next(both, { keys: [{ key: { set: true, last4: 'key2' } }] })
  expect(removed.auth).toMatchObject({ keys: [{ key: newKey }], rotationHeader: 'X-Signature-Next' })
  const untouched = next(removed, { keys: [{ key: { set: true, last4: 'key2' } }] })
  expect(untouched.auth).toMatchObject({ rotationHeader: 'X-Signature-Next' })
  const ended = next(untouched, { keys: [{ key: { set: true, last4: 'key2' } }], rotationHeader: null })
  expect(ended.auth).toMatchObject({ keys: [{ key: newKey }], rotationHeader: null })
  expect(next(ended, { keys: [{ key: { set: true, last4: 'key2' } }] }).auth).not.toMatchObject({
    rotationHeader: 'X-Signature-Next',
  })
  // A second name the partner asked for stays as it is [OUT-73]; a rotation given up needs no second name.
  const fixed = configOf(hmac([{ key: oldKey }, { key: newKey, header: 'X-Second' }]))
  expect(next(fixed, { keys: [{ key: newKey, header: 'X-Second' }] }).auth).not.toHaveProperty('rotationHeader')
  expect(next(both, { keys: [{ key: oldKey }] }).auth).not.toHaveProperty('rotationHeader')
})

test('the time of an attempt can be set from 1 to 30 seconds in durable; in compat it is that of AAM [SEC-46] [SEC-45] [OUT-22]', () => {
  expect(configOf().timeoutMs).toBeUndefined()
  for (const timeoutMs of [1_000, 30_000]) expect(configOf({ timeoutMs }).timeoutMs).toBe(timeoutMs)
  for (const timeoutMs of [0, 999, 30_001, 1_500.5, '2000']) expect(paths({ timeoutMs })).toEqual(['timeoutMs'])
  expect(issues({ mode: 'compat', timeoutMs: 3_000 })).toEqual([
    'timeoutMs: is for mode durable only; compat waits 3,000 ms for an answer, as AAM does',
  ])
})

test('the value of every free header is write-only, and is kept under its name in any case [SEC-63~]', () => {
  const headers = { 'X-Api-Key': 'canary-of-a-header-5f2c', 'X-Account': '7', 'x.dotted': 'another-canary-9d1e' }
  const config = configOf({ headers })
  expect(redactS2s(config)).toMatchObject({
    headers: {
      'X-Api-Key': { set: true, last4: '5f2c' },
      'X-Account': { set: true, last4: '' },
      'x.dotted': { set: true, last4: '9d1e' },
    },
  })
  const changed = mergeSecrets(config, {
    ...example,
    headers: { 'x-api-key': { set: true, last4: '5f2c' }, 'X-Account': '8', 'X-New': 'new' },
  })
  expect(changed).toMatchObject({ headers: { 'x-api-key': headers['X-Api-Key'], 'X-Account': '8', 'X-New': 'new' } })
  expect(Object.keys((changed as { headers: object }).headers)).toEqual(['x-api-key', 'X-Account', 'X-New'])
  const unknown = mergeSecrets(config, { ...example, headers: { 'X-Other': { set: true } } })
  expect(parseS2sConfig(unknown, { allowPrivate: false })).toMatchObject({
    ok: false,
    issues: [{ path: 'headers.X-Other' }],
  })
})

test('a signing key that is left out is generated as Standard Webhooks writes keys, and shown once [OPS-50~] [OUT-74~]', () => {
  const made = withGeneratedKeys(undefined, { ...example, auth: { type: 'hmac' } })
  expect(made.generated).toEqual([expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/)])
  const [key = ''] = made.generated
  const parsed = parseS2sConfig(made.s2s, { allowPrivate: false })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues))
  expect(redactS2s(parsed.config, made.generated)).toMatchObject({
    auth: { keys: [{ key: { set: true, last4: key.slice(-4), value: key } }] },
  })
  expect(JSON.stringify(redactS2s(parsed.config))).not.toContain(key)
  // What was shown can be sent back; an entry without a key is the next one of a rotation.
  const next = {
    ...example,
    auth: { type: 'hmac', keys: [{ key: { set: true, last4: key.slice(-4), value: key } }, {}] },
  }
  const rotated = withGeneratedKeys(parsed.config, mergeSecrets(parsed.config, next))
  expect(rotated.generated).toHaveLength(1)
  expect(rotated.generated).not.toEqual([key])
  expect(rotated.s2s).toMatchObject({ auth: { keys: [{ key }, { key: rotated.generated[0] }] } })
  // Two calls make two keys, and nothing is made that nobody asked for.
  expect(withGeneratedKeys(undefined, { ...example, auth: { type: 'hmac' } }).generated).not.toEqual([key])
  for (const auth of [
    example.auth,
    { type: 'none' },
    { type: 'hmac', keys: [] },
    { type: 'hmac', keys: 'x' },
    undefined,
  ])
    expect(withGeneratedKeys(undefined, { ...example, auth }).generated).toEqual([])
  // A key in use is never replaced by being left out.
  const silent = withGeneratedKeys(parsed.config, { ...example, auth: { type: 'hmac' } })
  expect(silent.generated).toEqual([])
  expect(parseS2sConfig(silent.s2s, { allowPrivate: false })).toMatchObject({
    ok: false,
    issues: [{ path: 'auth.keys' }],
  })
})

test('an answer shows the hash that signs, also where none was named, and sent back it stays [OUT-66] [OPS-50~]', () => {
  const auth = { type: 'hmac', keys: [{ key: 'sample_partner_private_key' }] }
  const shown = (more: object) => redactS2s(configOf({ auth, ...more })) as { readonly auth: object }
  expect(shown({ mode: 'compat' }).auth).toMatchObject({ algorithm: 'sha1' })
  expect(shown({ mode: 'durable' }).auth).toMatchObject({ algorithm: 'sha256' })
  expect(shown({ mode: 'compat', auth: { ...auth, algorithm: 'md5' } }).auth).toMatchObject({ algorithm: 'md5' })
  expect(shown({ auth: { type: 'none' } }).auth).toEqual({ type: 'none' })
  // Whoever changes the mode alone does not change what the partner checks.
  const previous = configOf({ mode: 'compat', auth })
  const sentBack = mergeSecrets(previous, { ...(redactS2s(previous) as object), mode: 'durable' })
  expect(parseS2sConfig(sentBack, { allowPrivate: false })).toMatchObject({
    ok: true,
    config: { auth: { algorithm: 'sha1' } },
  })
})
