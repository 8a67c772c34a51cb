import { describe, expect, test } from 'vitest'
import { mergeSecrets, parseS2sConfig, redactS2s, type S2sConfig } from '../../testkit/s2s-settings.ts'
import { createFingerprint } from './secret-fingerprint.ts'

const fingerprint = createFingerprint(Buffer.alloc(32, 1))
const base = { url: 'https://in.halden.example/aam', userDpid: 77052 }
const tokenUrl = 'https://in.halden.example/token'
function configOf(more: object): S2sConfig {
  const parsed = parseS2sConfig({ ...base, ...more }, { allowPrivate: false })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues))
  return parsed.config
}
const hmac = (...keys: unknown[]) => ({ auth: { type: 'hmac', keys: keys.map((key) => ({ key })) } })

// Keys as a partner gives them: the same end every year.
const [old, next] = ['halden-2025-secret', 'halden-2026-secret']
const two = configOf(hmac(old, next))
/** The keys after what was sent, or what is said of it. */
const sent = (stored: S2sConfig | undefined, ...keys: unknown[]) => {
  const { s2s, issues } = mergeSecrets(stored, { ...base, ...hmac(...keys) }, fingerprint)
  if (issues.length > 0) return issues.map(({ path, message }) => `${path}: ${message}`)
  return (s2s as { auth: { keys: { key: unknown }[] } }).auth.keys.map(({ key }) => key)
}
const cret = { set: true, last4: 'cret' }
const shownBy = (secret: string) => ({ set: true, last4: secret.slice(-4), fingerprint: fingerprint(secret) })
const FITS_TWO = /^auth\.keys\.[01]\.key: fits two stored keys.*: send the fingerprint.*or the key itself$/

describe('a signing key that is sent back as it was shown [OUT-72~] [SEC-63~]', () => {
  test.each([
    ['by the same last characters', [cret]],
    ['by nothing', [{ set: true }]],
    ['beside a key that is to be generated', [cret, undefined]],
    ['beside a new key', [cret, 'halden-2027-secret']],
    ['behind a new key', ['halden-2027-secret', cret]],
  ])('is refused where it fits both: %s', (_how, keys) => {
    expect(sent(two, ...keys)).toEqual([expect.stringMatching(FITS_TWO)])
  })

  test('is the one with its fingerprint, wherever it stands', () => {
    expect(sent(two, shownBy(next))).toEqual([next])
    expect(sent(two, shownBy(old))).toEqual([old])
    expect(sent(two, { set: true, fingerprint: fingerprint(next) })).toEqual([next])
    expect(sent(two, { set: true, fingerprint: fingerprint(next).toUpperCase() })).toEqual([next])
    expect(sent(two, shownBy(next), shownBy(old))).toEqual([next, old])
  })

  test('is the one of its place where all of them are sent back', () => {
    expect(sent(two, cret, cret)).toEqual([old, next])
    expect(sent(two, { set: true }, { set: true })).toEqual([old, next])
  })

  test('given as a text ends the rotation as well', () => {
    expect(sent(two, next)).toEqual([next])
    const { s2s } = mergeSecrets(two, { ...base, ...hmac(next) }, fingerprint)
    expect(s2s).toMatchObject({ auth: { rotationHeader: 'X-Signature-Next' } })
  })

  test('is found by its last characters where they are of one alone', () => {
    expect(sent(configOf(hmac(old, 'another-key-of-2026')), { set: true, last4: '2026' })).toEqual([
      'another-key-of-2026',
    ])
    expect(sent(configOf(hmac(old)), cret)).toEqual([old])
  })
})

describe('what fits no stored secret is refused with what to send', () => {
  const instead = (what: string) => `send the ${what} itself, or what an answer shows of the stored one`
  test.each<[string, unknown, string]>([
    ['another end', { set: true, last4: 'zzzz' }, `no stored key ends in zzzz: ${instead('key')}`],
    ['no end', { set: true, last4: '' }, `the last4 of the stored key is not empty: ${instead('key')}`],
    [
      'the fingerprint of another',
      { ...cret, fingerprint: '000000000000' },
      `no stored key has the fingerprint 000000000000: ${instead('key')}`,
    ],
    [
      'an object of another form',
      { key: old },
      'expected a text, or {"set": true, "last4": "…", "fingerprint": "…"} as an answer shows it',
    ],
    [
      'a secret that is not set',
      { set: false },
      'expected a text, or {"set": true, "last4": "…", "fingerprint": "…"} as an answer shows it',
    ],
    [
      'a member that no answer shows',
      { ...cret, finger_print: '000000000000' },
      'expected a text, or {"set": true, "last4": "…", "fingerprint": "…"} as an answer shows it',
    ],
    [
      'a last4 that is no text',
      { set: true, last4: 4 },
      'expected a text, or {"set": true, "last4": "…", "fingerprint": "…"} as an answer shows it',
    ],
  ])('%s', (_what, key, message) => {
    expect(sent(two, key)).toEqual([`auth.keys.0.key: ${message}`])
  })

  test('nothing is stored yet', () => {
    expect(sent(undefined, cret)).toEqual(['auth.keys.0.key: no key is stored yet: send the key itself'])
  })

  test.each<[string, object, object, string]>([
    [
      'headers.X-Key',
      { headers: { 'X-Key': 'canary-of-a-header-5f2c' } },
      { headers: { 'X-Key': { set: true, last4: 'zzzz' } } },
      `no stored secret ends in zzzz: ${instead('secret')}`,
    ],
    [
      'headers.X-Other',
      { headers: { 'X-Key': 'canary-of-a-header-5f2c' } },
      { headers: { 'X-Other': { set: true, last4: '5f2c' } } },
      'no secret is stored here: send the secret itself',
    ],
    [
      'auth.password',
      { auth: { type: 'basic', username: 'a', password: 'correct horse' } },
      { auth: { type: 'basic', username: 'a', password: { set: true, last4: 'zzzz' } } },
      `no stored secret ends in zzzz: ${instead('secret')}`,
    ],
    [
      'auth.clientSecret',
      { auth: { type: 'basic', username: 'a', password: 'correct horse' } },
      { auth: { type: 'oauth2', tokenUrl, clientId: 'a', clientSecret: { set: true, last4: 'orse' } } },
      'no secret is stored here: send the secret itself',
    ],
    [
      'auth.credentials',
      { auth: { type: 'oauth2', tokenUrl, credentials: 'short' } },
      { auth: { type: 'oauth2', tokenUrl, credentials: { set: true, fingerprint: 'x' } } },
      `no stored secret has the fingerprint x: ${instead('secret')}`,
    ],
  ])('%s', (path, stored, changed, message) => {
    expect(mergeSecrets(configOf(stored), { ...base, ...changed }, fingerprint).issues).toEqual([{ path, message }])
  })
})

test('settings without auth are refused while a secret of it is stored: nothing is lost by being left out [SEC-63~]', () => {
  const message =
    'is left out, and its stored secrets would be lost: send it as an answer shows it, or {"type": "none"} to end it'
  const stored = configOf({ auth: { type: 'basic', username: 'a', password: 'correct horse' } })
  const issuesOf = (before: ReturnType<typeof configOf> | undefined, next: object) =>
    mergeSecrets(before, next, fingerprint).issues
  expect(issuesOf(stored, base)).toEqual([{ path: 'auth', message }])
  expect(issuesOf(stored, { ...base, auth: { type: 'none' } })).toEqual([])
  expect(issuesOf(undefined, base)).toEqual([])
  expect(issuesOf(configOf({ auth: { type: 'none' } }), base)).toEqual([])
})

test('of two headers that differ in capitals alone, as earlier versions saved them, each keeps its own value', () => {
  const stored = { ...configOf({}), headers: { 'X-Key': 'first-header-secret', 'x-key': 'second-header-secret' } }
  const byLast4 = { ...base, headers: { 'X-Key': cret, 'x-key': cret } }
  for (const sentBack of [redactS2s(stored, fingerprint), byLast4])
    expect(mergeSecrets(stored, sentBack, fingerprint).s2s).toMatchObject({ headers: stored.headers })
})

test('a fingerprint is the same for the same secret, and another under another key of the installation [SEC-63~]', () => {
  expect(fingerprint(old)).toMatch(/^[0-9a-f]{12}$/)
  expect(createFingerprint(Buffer.alloc(32, 1))(old)).toBe(fingerprint(old))
  expect(createFingerprint(Buffer.alloc(32, 2))(old)).not.toBe(fingerprint(old))
  expect(fingerprint(next)).not.toBe(fingerprint(old))
})
