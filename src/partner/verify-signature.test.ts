import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { AppliedIds, signatureOf, verifySignature, verifyWebhook } from './verify-signature.ts'

const key = 'sample_partner_private_key'
const body = 'POST message content'

test.each([
  ['md5', body, 'BwA1u1xkb9MNnDgRkyLwlQ=='],
  ['sha1', body, '+wFdR/afZNoVqtGl8/e1KJ4ykPU='],
  ['sha256', body, 'WJzevEtYmeOolVtcXGrcA3KKiTQMTZUfKzCw/ZNz9YU='],
  ['md5', '/from-aam-s2s?sids=1,2,3', 'U71hZODNVBnkJlQA/FsKGA=='],
  ['sha1', '/from-aam-s2s?sids=1,2,3', 'EKanieP0BLD3/hlkM+ELPiKoZ2E='],
  ['sha256', '/from-aam-s2s?sids=1,2,3', 'cuLUFuSQ7fRWt9T5IsiAW+RCngDyj94E3mgmpEJJau0='],
] as const)('the published vector of %s over "%s" [OUT-65] [OUT-75~] [SEC-50~]', (algorithm, message, signature) => {
  expect(signatureOf(message, key, algorithm)).toBe(signature)
  expect(verifySignature({ message, headers: { 'x-signature': signature }, keys: [key], algorithm }).status).toBe(
    'verified',
  )
})

const old = signatureOf(body, 'old key of 16 chars', 'sha256')
const next = signatureOf(body, 'new key of 16 chars', 'sha256')
const check = (headers: Record<string, string | string[]>, keys: string[]) =>
  verifySignature({ message: body, headers, keys })

test('during a rotation both header names and both keys are tried [OUT-73] [SEC-53]', () => {
  const both = ['old key of 16 chars', 'new key of 16 chars']
  expect(check({ 'x-signature': old, 'x-signature-next': next }, both)).toEqual({
    status: 'verified',
    header: 'X-Signature',
    key: 0,
  })
  expect(check({ 'x-signature': old, 'x-signature-next': next }, ['new key of 16 chars'])).toMatchObject({
    status: 'verified',
    header: 'X-Signature-Next',
  })
  expect(check({ 'x-signature': next, 'x-signature-next': next }, both)).toMatchObject({ status: 'verified', key: 1 })
  expect(check({ 'x-signature': `${old}, ${next}` }, ['new key of 16 chars'])).toMatchObject({ status: 'verified' })
  expect(check({ 'x-signature': [old, next] }, ['new key of 16 chars'])).toMatchObject({ status: 'verified' })
})

test('another key, another body and no signature are told apart [OUT-75~]', () => {
  expect(check({ 'x-signature': old }, ['new key of 16 chars'])).toEqual({ status: 'wrong', header: 'X-Signature' })
  expect(
    verifySignature({ message: `${body} `, headers: { 'x-signature': old }, keys: ['old key of 16 chars'] }).status,
  ).toBe('wrong')
  expect(
    check({ 'x-signature': `${old.startsWith('A') ? 'B' : 'A'}${old.slice(1)}` }, ['old key of 16 chars']).status,
  ).toBe('wrong')
  expect(check({}, ['old key of 16 chars'])).toEqual({ status: 'missing', header: 'X-Signature' })
  expect(check({ 'x-signature': '' }, ['old key of 16 chars']).status).toBe('missing')
  expect(check({ 'x-signature': old }, []).status).toBe('wrong')
})

const nowMs = 1_780_000_000_000
function webhook(atMs: number, keys: readonly string[] = ['k1'], id = 'dl_1') {
  const timestamp = String(Math.floor(atMs / 1000))
  const signatures = keys.map((one) => `v1,${signatureOf(`${id}.${timestamp}.${body}`, one, 'sha256')}`)
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') }
}

test('the webhook signature is checked with a key list and five minutes either side [SEC-51] [SEC-53]', () => {
  const verdict = (headers: Record<string, string>, keys = ['k1']) =>
    verifyWebhook({ body, headers, keys, nowMs }).status
  expect(verdict(webhook(nowMs))).toBe('verified')
  expect(verdict(webhook(nowMs, ['k0', 'k1']))).toBe('verified')
  expect(verdict(webhook(nowMs, ['k0']))).toBe('wrong')
  expect(verdict(webhook(nowMs - 300_000))).toBe('verified')
  expect(verdict(webhook(nowMs - 301_000))).toBe('too_old')
  expect(verdict(webhook(nowMs + 301_000))).toBe('too_new')
  expect(verdict({ ...webhook(nowMs), 'webhook-id': 'dl_2' })).toBe('wrong')
  expect(verdict({ ...webhook(nowMs), 'webhook-timestamp': 'soon' })).toBe('wrong')
  expect(verdict({ 'webhook-id': 'dl_1' })).toBe('missing')
})

test('an id is applied once, and the memory of ids is bounded [SEC-53]', async () => {
  const applied = new AppliedIds(2)
  const runs: string[] = []
  const answers = []
  for (const id of ['a', 'b', 'a', 'c', 'a']) answers.push(await applied.once(id, () => runs.push(id)))
  expect(answers).toEqual([true, true, false, true, true])
  expect(runs).toEqual(['a', 'b', 'c', 'a'])
})

test('what failed was not applied: the next attempt is, whether it throws at once or later [SEC-53]', async () => {
  const applied = new AppliedIds()
  const fail = () => {
    throw new Error('the disk is full')
  }
  await expect(applied.once('a', fail)).rejects.toThrow('the disk is full')
  await expect(applied.once('a', async () => fail())).rejects.toThrow('the disk is full')
  expect(await applied.once('a', () => {})).toBe(true)
  expect(await applied.once('a', fail)).toBe(false)
})

test('attempts that run side by side apply once, and fail together [SEC-53]', async () => {
  const applied = new AppliedIds()
  let runs = 0
  let end: (failed: boolean) => void = () => {}
  const apply = async () => {
    runs += 1
    if (await new Promise((resolve) => (end = resolve))) throw new Error('the disk is full')
  }
  const failing = Promise.allSettled([applied.once('a', apply), applied.once('a', apply)])
  end(true)
  expect((await failing).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  const working = Promise.all([applied.once('a', apply), applied.once('a', apply), applied.once('b', () => {})])
  end(false)
  expect(await working).toEqual([true, false, true])
  expect([runs, await applied.once('a', apply)]).toEqual([2, false])
})

test.each([
  [{}, 'missing'],
  [{ 'webhook-timestamp': '9'.repeat(5_000) }, 'wrong'],
  [{ 'webhook-timestamp': '1e9' }, 'wrong'],
  [{ 'webhook-signature': 'v1,' }, 'wrong'],
  [{ 'webhook-signature': 'v1a,AAAA' }, 'wrong'],
  [{ 'webhook-signature': `v1,${'ä'.repeat(44)}` }, 'wrong'],
  [{ 'webhook-signature': ' '.repeat(9_000) }, 'wrong'],
])('headers of somebody else are refused, whatever they hold: %j [SEC-50~] [SEC-51~]', (headers, status) => {
  const whole = Object.keys(headers).length === 0 ? {} : { ...webhook(nowMs, ['k0']), ...headers }
  const keys = ['k1', `whsec_${'A'.repeat(43)}`, `whpk_${'A'.repeat(43)}=`]
  expect(verifyWebhook({ body, headers: whole, keys, nowMs }).status).toBe(status)
  expect(verifySignature({ message: body, headers: { 'x-signature': Object.values(headers) }, keys }).status).not.toBe(
    'verified',
  )
})

interface Vectors {
  readonly signatures: readonly {
    readonly algorithm: 'md5' | 'sha1' | 'sha256'
    readonly key: string
    readonly message: string
    readonly signature: string
  }[]
  readonly webhooks: readonly {
    readonly name: string
    readonly keys: readonly string[]
    readonly publicKey?: string
    readonly id: string
    readonly timestamp: string
    readonly body: string
    readonly signature: string
  }[]
}
const vectors = JSON.parse(
  readFileSync(new URL('../../docs/signature-vectors.json', import.meta.url), 'utf8'),
) as Vectors

test.each(vectors.signatures)('the published vector of $algorithm over $message [SEC-53] [OUT-75~]', (vector) => {
  expect(signatureOf(vector.message, vector.key, vector.algorithm)).toBe(vector.signature)
})

test.each(vectors.webhooks)('the published webhook vector: $name [SEC-51] [SEC-53] [SEC-54~]', (vector) => {
  const headers = {
    'webhook-id': vector.id,
    'webhook-timestamp': vector.timestamp,
    'webhook-signature': vector.signature,
  }
  const verdict = (keys: readonly string[], more: Partial<Parameters<typeof verifyWebhook>[0]> = {}) =>
    verifyWebhook({ body: vector.body, headers, keys, nowMs: Number(vector.timestamp) * 1000, ...more }).status
  for (const known of [...vector.keys, ...(vector.publicKey === undefined ? [] : [vector.publicKey])]) {
    expect(verdict([known])).toBe('verified')
    expect(verdict([known], { body: `${vector.body} ` })).toBe('wrong')
    expect(verdict([known], { headers: { ...headers, 'webhook-timestamp': '1469636263' } })).toBe('wrong')
  }
  expect(verdict(['another_partner_key_1'])).toBe('wrong')
  expect(verdict([`whpk_${'A'.repeat(43)}=`])).toBe('wrong')
})
