import { readFileSync } from 'node:fs'
import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'
import { verifyWebhook } from '../partner/verify-signature.ts'
import { parseS2sConfig, type S2sConfig, withGeneratedKeys } from '../testkit/s2s-settings.ts'
import { hasWebhookSignature, webhookHeaders } from './sign.ts'
import { deviceIn, NOW, openWorkbench, rulesOf, startReceiver } from './workbench.conformance.ts'

interface Vector {
  readonly name: string
  readonly keys: readonly string[]
  readonly privateKey?: string
  readonly id: string
  readonly timestamp: string
  readonly body: string
  readonly signature: string
}
const { webhooks } = JSON.parse(
  readFileSync(new URL('../../docs/signature-vectors.json', import.meta.url), 'utf8'),
) as { readonly webhooks: readonly Vector[] }

const KEYS = ['old_partner_private_key1', 'new_partner_private_key2']
const s2s = (auth: object, more: object = {}) =>
  parseS2sConfig(
    { url: 'https://partner.example/in', userDpid: 1, auth: { type: 'hmac', ...auth }, ...more },
    { allowPrivate: false },
  )
function configOf(auth: object, more: object = {}): S2sConfig {
  const parsed = s2s(auth, more)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues))
  return parsed.config
}

test.each(webhooks)('signs as the published vector: $name [SEC-51] [SEC-54~]', (vector) => {
  const config = configOf({ keys: vector.keys.map((key) => ({ key })), ed25519Key: vector.privateKey })
  expect(webhookHeaders(config, vector.id, Number(vector.timestamp) * 1000 + 999, vector.body)).toEqual([
    ['webhook-timestamp', vector.timestamp],
    ['webhook-signature', vector.signature],
  ])
})

test('on by default in durable, off in compat, as the destination says otherwise [SEC-51]', () => {
  const keys = [{ key: KEYS[0] }]
  const has = (mode: string, webhook?: boolean) => hasWebhookSignature(configOf({ keys, webhook }, { mode }))
  expect([has('durable'), has('compat'), has('durable', false), has('compat', true)]).toEqual([
    true,
    false,
    false,
    true,
  ])
})

test('a key that begins with whsec_ or whsk_ must be what it says [SEC-51]', () => {
  expect(s2s({ keys: [{ key: 'whsec_not base64 at all, but long enough' }] })).toMatchObject({
    ok: false,
    issues: [{ path: 'auth.keys.0.key' }],
  })
  expect(s2s({ keys: [{ key: KEYS[0] }], ed25519Key: 'whsk_short' })).toMatchObject({
    ok: false,
    issues: [{ path: 'auth.ed25519Key' }],
  })
})

test('a repetition has the same id and bytes and its own time; both keys sign until the old one goes [SEC-41~] [SEC-51] [SEC-54~]', async () => {
  await using receiver = await startReceiver((response, _request, number) =>
    response.writeHead(number === 1 ? 500 : 200).end(),
  )
  let nowMs = NOW
  const defined = (keys: readonly string[]) => ({
    destinations: [{ config: { url: receiver.url, auth: { type: 'hmac', keys: keys.map((key) => ({ key })) } } }],
  })
  await using bench = await openWorkbench(defined(KEYS), {
    clock: () => nowMs,
    after: (_waitMs, run) => {
      const timer = setTimeout(() => {
        nowMs += 600_000
        run()
      }, 5)
      return () => clearTimeout(timer)
    },
  })
  await bench.commit(deviceIn(1, [100]))
  await bench.idle()
  const [first, second] = receiver.requests
  expect(second?.body).toBe(first?.body)
  expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id'])
  const check = (request: typeof first, keys: readonly string[], atMs: number) =>
    verifyWebhook({ body: request?.body ?? '', headers: request?.headers ?? {}, keys, nowMs: atMs }).status
  // Ten minutes later the first one is too old to be believed, and the second is not.
  for (const key of KEYS) expect(check(first, [key], NOW)).toBe('verified')
  expect([check(first, KEYS, NOW + 600_000), check(second, KEYS, NOW + 600_000)]).toEqual(['too_old', 'verified'])

  bench.rules = rulesOf(defined(KEYS.slice(1)))
  bench.dispatcher.rulesChanged()
  await bench.commit(deviceIn(1, [100, 101]))
  await bench.idle()
  expect(check(receiver.requests[2], KEYS.slice(0, 1), nowMs)).toBe('wrong')
  expect(check(receiver.requests[2], KEYS.slice(1), nowMs)).toBe('verified')
  expect(bench.ended.at(-1)?.headers.map(([name]) => name)).toContain('webhook-signature')
})

// The library of the Standard Webhooks project itself: a receiver that shares no code with ours.
test('the official library takes a generated key as it is, any other as the Base64 of its bytes, and refuses a changed message [SEC-51] [SEC-53~]', async () => {
  const [whsec = ''] = withGeneratedKeys(undefined, { auth: { type: 'hmac' } }).generated
  const plain = 'schlüssel_of_a_partner'
  await using receiver = await startReceiver()
  const auth = { type: 'hmac', keys: [{ key: plain }, { key: whsec }] }
  await using bench = await openWorkbench(
    { destinations: [{ config: { url: receiver.url, auth } }] },
    { clock: Date.now },
  )
  await bench.commit(deviceIn(1, [100]))
  await bench.idle()
  const [request] = receiver.requests
  const body = request?.body ?? ''
  const headers = request?.headers as Record<string, string>
  const accepts = (key: string, text = body) => {
    try {
      return new Webhook(key).verify(text, headers) !== undefined
    } catch {
      return false
    }
  }
  expect(accepts(whsec)).toBe(true)
  expect(accepts(Buffer.from(plain).toString('base64'))).toBe(true)
  // As the guide says: a key that is not Base64 is not used as its characters.
  expect(accepts(plain)).toBe(false)
  expect(accepts(`whsec_${Buffer.alloc(32).toString('base64')}`)).toBe(false)
  expect(accepts(whsec, body.replace('"Status":"1"', '"Status":"0"'))).toBe(false)
  expect(body).toContain('"Status":"1"')
})

test('a GET is signed over its path and query [SEC-51] [OUT-69]', async () => {
  await using receiver = await startReceiver()
  const config = {
    url: receiver.url,
    method: 'GET',
    urlTemplate: '/in?id=<DP_UUID>',
    auth: { type: 'hmac', keys: [{ key: KEYS[0] }] },
  }
  await using bench = await openWorkbench({ destinations: [{ config }] })
  await bench.commit(deviceIn(1, [100]))
  await bench.idle()
  const [request] = receiver.requests
  const verdict = verifyWebhook({
    body: request?.url ?? '',
    headers: request?.headers ?? {},
    keys: [KEYS[0] ?? ''],
    nowMs: NOW,
  })
  expect(verdict).toMatchObject({ status: 'verified' })
})
