import { createHmac, createSign, generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { hasInvalidImsToken, type ImsTokenRules } from './ims-token.ts'
import { NEW_DEVICE, NOW_MS, startTestEdge } from './test-edge.conformance.ts'

const ours = generateKeyPairSync('rsa', { modulusLength: 2048 })
const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 })
const rules: ImsTokenRules = { keys: [foreign.publicKey, ours.publicKey], clientIds: ['target'] }
const onlyOurs: ImsTokenRules = { keys: [ours.publicKey], clientIds: ['target'] }
/** As IMS writes them: numbers as texts, in milliseconds. */
const claims = { type: 'access_token', client_id: 'target', created_at: `${NOW_MS - 1_000}`, expires_in: '86400000' }

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
function token(payload: unknown, { header = { alg: 'RS256' } as object, key = ours.privateKey } = {}): string {
  const signed = `${encode(header)}.${encode(payload)}`
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(key).toString('base64url')}`
}
const isInvalid = (authorization: string | undefined, nowMs = NOW_MS) => hasInvalidImsToken(rules, authorization, nowMs)

test('a token of the service that has not ended is valid, whichever of the keys signed it [COL-118~]', () => {
  expect(isInvalid(`Bearer ${token(claims)}`)).toBe(false)
  expect(isInvalid(`bearer  ${token(claims, { key: foreign.privateKey })}`)).toBe(false)
  expect(isInvalid(`Bearer ${token({ client_id: 'target', exp: NOW_MS / 1000 + 1 })}`)).toBe(false)
  expect(
    hasInvalidImsToken({ ...rules, clientIds: [] }, `Bearer ${token({ ...claims, client_id: 'x' })}`, NOW_MS),
  ).toBe(false)
})

test('a call without a bearer token is not concerned [COL-118~]', () => {
  for (const authorization of [undefined, '', 'Basic YTpi', 'Bearerx.y.z']) expect(isInvalid(authorization)).toBe(false)
})

test('malformed: 111 [COL-118~]', () => {
  const good = token(claims)
  const [head = '', body = '', signature = ''] = good.split('.')
  const notJson = Buffer.from('{').toString('base64url')
  for (const text of [
    '',
    'x',
    'a.b',
    'a.b.c.d',
    `${head}.${body}`,
    `${head}.${body}.`,
    `${good}.x`,
    `${head}.${notJson}.${signature}`,
  ]) {
    expect(isInvalid(`Bearer ${text}`), text).toBe(true)
  }
  for (const payload of [null, 'text', [], 1]) expect(isInvalid(`Bearer ${token(payload)}`)).toBe(true)
  expect(isInvalid('Bearer')).toBe(true)
})

test('expired, or silent about its end: 111 [COL-118~]', () => {
  const endMs = NOW_MS - 1_000 + 86_400_000
  expect([isInvalid(`Bearer ${token(claims)}`, endMs - 1), isInvalid(`Bearer ${token(claims)}`, endMs)]).toEqual([
    false,
    true,
  ])
  expect(isInvalid(`Bearer ${token({ client_id: 'target', exp: NOW_MS / 1000 })}`)).toBe(true)
  for (const silent of [{ created_at: undefined }, { expires_in: undefined }, { expires_in: 'for ever' }])
    expect(isInvalid(`Bearer ${token({ ...claims, ...silent })}`)).toBe(true)
})

test('of somebody else, changed, or not a token for access: 111 [COL-118~]', () => {
  const good = token(claims)
  const [head = '', , signature = ''] = good.split('.')
  const stranger = `Bearer ${token(claims, { key: foreign.privateKey })}`
  expect(hasInvalidImsToken(onlyOurs, stranger, NOW_MS)).toBe(true)
  expect(isInvalid(`Bearer ${head}.${encode({ ...claims, expires_in: '99999999999' })}.${signature}`)).toBe(true)
  expect(isInvalid(`Bearer ${token({ ...claims, client_id: 'other' })}`)).toBe(true)
  expect(isInvalid(`Bearer ${token({ ...claims, client_id: undefined })}`)).toBe(true)
  expect(isInvalid(`Bearer ${token({ ...claims, type: 'refresh_token' })}`)).toBe(true)
})

test('the token does not choose its algorithm: no `none`, and no HMAC with the public key as secret [COL-118~]', () => {
  for (const alg of ['none', 'HS256', 'RS512', undefined]) {
    const signed = `${encode({ alg })}.${encode(claims)}`
    const secret = ours.publicKey.export({ type: 'spki', format: 'pem' })
    const mac = createHmac('sha256', secret).update(signed).digest('base64url')
    expect(isInvalid(`Bearer ${signed}.${mac}`)).toBe(true)
    expect(isInvalid(`Bearer ${token(claims, { header: { alg } })}`)).toBe(true)
  }
})

test('the edge answers 111 and stores nothing; a valid token and none go on; without keys no token is looked at [COL-118~] [COL-111]', async () => {
  await using edge = await startTestEdge({ config: { imsTokens: rules } })
  const call = (on: typeof edge, authorization: string) => on.call('/event?d_rtbd=json', { headers: { authorization } })
  const refused = await call(edge, `Bearer ${token({ ...claims, expires_in: '1' })}`)
  expect([refused.status, refused.codes(), refused.cookies, edge.calls]).toEqual([200, [111], [], []])
  expect(refused.json()).toMatchObject({ errors: [{ code: 111, msg: 'Invalid IMS token received' }] })
  expect(refused.json()).not.toHaveProperty('uuid')
  const accepted = await call(edge, `Bearer ${token(claims)}`)
  expect([accepted.codes(), accepted.json()['uuid']]).toEqual([[], NEW_DEVICE])
  expect((await edge.call('/event')).codes()).toEqual([])
  await using open = await startTestEdge()
  expect((await call(open, 'Bearer nonsense')).codes()).toEqual([])
})
