import { expect, test } from 'vitest'
import { parseTarget } from '../lib/egress/target.ts'
import type { S2sConfig } from './destinations/s2s.ts'
import { type HashAlgorithm, signatureHeaders, signHmac } from './sign.ts'

// outbound.md section 4, "Verified test vectors".
const KEY = 'sample_partner_private_key'
const POST = 'POST message content'
const GET = '/from-aam-s2s?sids=1,2,3'
const vectors: [HashAlgorithm, string, string, string][] = [
  ['md5', POST, '070035bb5c646fd30d9c38119322f095', 'BwA1u1xkb9MNnDgRkyLwlQ=='],
  ['sha1', POST, 'fb015d47f69f64da15aad1a5f3f7b5289e3290f5', '+wFdR/afZNoVqtGl8/e1KJ4ykPU='],
  [
    'sha256',
    POST,
    '589cdebc4b5899e3a8955b5c5c6adc03728a89340c4d951f2b30b0fd9373f585',
    'WJzevEtYmeOolVtcXGrcA3KKiTQMTZUfKzCw/ZNz9YU=',
  ],
  ['md5', GET, '53bd6164e0cd5419e4265400fc5b0a18', 'U71hZODNVBnkJlQA/FsKGA=='],
  ['sha1', GET, '10a6a789e3f404b0f7fe196433e10b3e22a86761', 'EKanieP0BLD3/hlkM+ELPiKoZ2E='],
  [
    'sha256',
    GET,
    '72e2d416e490edf456b7d4f922c8805be4429e00f28fde04de6826a442496aed',
    'cuLUFuSQ7fRWt9T5IsiAW+RCngDyj94E3mgmpEJJau0=',
  ],
]

test.each(vectors)(
  '%s over %j has the documented signature [OUT-65] [OUT-66~] [SEC-50~]',
  (algorithm, message, hex, base64) => {
    expect(signHmac(algorithm, KEY, message)).toBe(base64)
    expect(Buffer.from(signHmac(algorithm, KEY, Buffer.from(message)), 'base64').toString('hex')).toBe(hex)
  },
)

test('a GET signs path and query exactly as they stand in the request line [OUT-69]', () => {
  const target = parseTarget(`https://partner.example:8443${GET}`)?.requestTarget ?? ''
  expect(signHmac('sha1', KEY, target)).toBe('EKanieP0BLD3/hlkM+ELPiKoZ2E=')
})

type Hmac = Extract<S2sConfig['auth'], { type: 'hmac' }>
const hmac = (auth: Partial<Hmac>): S2sConfig['auth'] => ({
  type: 'hmac',
  header: 'X-Signature',
  keys: [{ key: KEY }],
  ...auth,
})
const headers = (auth: Partial<Hmac>, mode: 'compat' | 'durable' = 'compat') =>
  signatureHeaders({ auth: hmac(auth), mode }, POST)

test('where the partner names no hash, compat signs with sha1 and durable with sha256 [OUT-66~]', () => {
  expect(headers({})).toEqual([['X-Signature', '+wFdR/afZNoVqtGl8/e1KJ4ykPU=']])
  expect(headers({}, 'durable')).toEqual([['X-Signature', 'WJzevEtYmeOolVtcXGrcA3KKiTQMTZUfKzCw/ZNz9YU=']])
  expect(headers({ algorithm: 'md5' }, 'durable')).toEqual([['X-Signature', 'BwA1u1xkb9MNnDgRkyLwlQ==']])
})

test('a rotation sends both signatures, the old one first under its old name [OUT-72] [OUT-73] [SEC-54~]', () => {
  const next = { key: 'another_partner_private_key' }
  const signed = headers({ keys: [{ key: KEY }, next] })
  expect(signed.map(([name]) => name)).toEqual(['X-Signature', 'X-Signature-Next'])
  expect(signed.map(([, value]) => value)).toEqual([signHmac('sha1', KEY, POST), signHmac('sha1', next.key, POST)])

  const fixed = headers({ keys: [{ key: KEY }, { ...next, header: 'X-Second', algorithm: 'sha256' }] })
  expect(fixed[1]).toEqual(['X-Second', signHmac('sha256', next.key, POST)])

  const sameName = headers({ keys: [{ key: KEY }, { ...next, header: 'X-Signature' }] })
  expect(sameName.map(([name]) => name)).toEqual(['X-Signature', 'X-Signature'])
})

test('after the old key is gone the new signature goes under both names, then under one [OUT-73]', () => {
  const signature = signHmac('sha1', KEY, POST)
  expect(headers({ rotationHeader: 'X-Signature-Next' })).toEqual([
    ['X-Signature', signature],
    ['X-Signature-Next', signature],
  ])
  expect(headers({ rotationHeader: null })).toEqual([['X-Signature', signature]])
})
