import { expect, test } from 'vitest'
import { checkSignature } from './check-signature.ts'
import type { S2sConfig } from './destinations/s2s.ts'
import { signatureHeaders } from './sign.ts'

const OLD = { key: 'sample_partner_private_key' }
const NEW = { key: 'another_partner_private_key' }
type Signer = (typeof OLD)[]
const signedBy = (keys: Signer, more: object = {}): Pick<S2sConfig, 'auth' | 'mode'> => ({
  auth: { type: 'hmac', header: 'X-Signature', keys, ...more },
  mode: 'compat',
})
const post = { method: 'POST', url: 'https://partner.example/in', body: 'POST message content' } as const
const sent = (config: Pick<S2sConfig, 'auth' | 'mode'>, signed: string = post.body) => ({
  headers: [['User-Agent', 'x'] as const, ...signatureHeaders(config, signed)],
})

test('the documented signature of a POST is computed again from the stored bytes [SEC-50~] [OUT-68]', () => {
  const value = '+wFdR/afZNoVqtGl8/e1KJ4ykPU='
  expect(checkSignature(signedBy([OLD]), { ...post, headers: [['x-signature', value]] })).toEqual({
    header: 'X-Signature',
    sent: value,
    recomputed: value,
    matches: true,
    algorithm: 'sha1',
    keyNumber: 1,
    signedBytes: 20,
  })
})

test('of a GET, path and query are signed [OUT-69]', () => {
  const get = { method: 'GET', url: 'https://partner.example/from-aam-s2s?sids=1,2,3', body: '' } as const
  const checked = checkSignature(signedBy([OLD]), {
    ...get,
    headers: [['X-Signature', 'EKanieP0BLD3/hlkM+ELPiKoZ2E=']],
  })
  expect(checked).toMatchObject({ matches: true, signedBytes: '/from-aam-s2s?sids=1,2,3'.length })
})

test('bytes or a key that changed since show as different, and no part of a key is in the answer [SEC-50~] [SEC-63~]', () => {
  const message = { ...post, ...sent(signedBy([OLD])) }
  expect(checkSignature(signedBy([OLD]), { ...message, body: 'other content' })).toMatchObject({ matches: false })
  const checked = checkSignature(signedBy([NEW]), message)
  expect(checked).toMatchObject({ matches: false, sent: '+wFdR/afZNoVqtGl8/e1KJ4ykPU=' })
  expect(JSON.stringify(checked)).not.toContain(NEW.key)
})

test('in and after a rotation the signature that a key of today gives is shown [SEC-54~] [OUT-73]', () => {
  const both = { ...post, ...sent(signedBy([OLD, NEW])) }
  expect(checkSignature(signedBy([OLD, NEW]), both)).toMatchObject({ header: 'X-Signature', keyNumber: 1 })
  const after = signedBy([NEW], { rotationHeader: 'X-Signature-Next' })
  expect(checkSignature(after, both)).toMatchObject({ header: 'X-Signature-Next', matches: true, keyNumber: 1 })
})

test('without a signature sent, or made today, there is nothing to compare', () => {
  const unsigned: Pick<S2sConfig, 'auth' | 'mode'> = { auth: { type: 'none' }, mode: 'durable' }
  expect(checkSignature(unsigned, { ...post, ...sent(signedBy([OLD])) })).toBeUndefined()
  expect(checkSignature(signedBy([OLD]), { ...post, headers: [] })).toBeUndefined()
  expect(checkSignature(signedBy([OLD], { header: 'X-Other' }), { ...post, ...sent(signedBy([OLD])) })).toBeUndefined()
})
