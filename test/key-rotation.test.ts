import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createFingerprint } from '../src/activation/destinations/secret-fingerprint.ts'
import { signatureHeaders, signHmac, webhookHeaders } from '../src/activation/sign.ts'
import {
  mergeSecrets,
  parseS2sConfig,
  redactS2s,
  type S2sConfig,
  withGeneratedKeys,
} from '../src/testkit/s2s-settings.ts'

/** The three bodies of docs/delivery.md, "Changing a key", in their order. */
const page = readFileSync(join(import.meta.dirname, '..', 'docs', 'delivery.md'), 'utf8')
const section = page.slice(page.indexOf('## Changing a key')).split(/^## /m)[1] ?? ''
const bodies = [...section.matchAll(/```json\n([\s\S]*?)```/g)].map(([, body = '']) => body)

const fingerprint = createFingerprint(Buffer.alloc(32, 1))

/** As the API saves the `s2s` of a PATCH. */
function saved(previous: S2sConfig | undefined, sent: object) {
  const { s2s, generated } = withGeneratedKeys(previous, mergeSecrets(previous, sent, fingerprint).s2s)
  const parsed = parseS2sConfig(s2s, { allowPrivate: false })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues))
  return { config: parsed.config, generated }
}

test('the steps of docs/delivery.md change a key; no message is without a signature the partner knows [OUT-72] [OUT-73]', () => {
  expect(bodies).toHaveLength(3)
  const key = 'sample_partner_private_key'
  let { config } = saved(undefined, {
    url: 'https://in.halden.example/aam',
    userDpid: 77052,
    auth: { type: 'hmac', keys: [{ key }] },
  })
  let next = ''
  const seen: object[] = []
  for (const body of bodies) {
    const auth = JSON.parse(body.replaceAll('NEW4', next.slice(-4))) as object
    const step = saved(config, { ...(redactS2s(config, fingerprint) as object), auth })
    config = step.config
    next = step.generated[0] ?? next
    const names = new Map([
      [signHmac('sha256', key, '{}'), 'old'],
      [signHmac('sha256', next, '{}'), 'new'],
    ])
    const signatures = signatureHeaders(config, '{}').map(([name, value]) => [name, names.get(value)])
    const webhook = new Map(webhookHeaders(config, 'dl_1', 0, '{}')).get('webhook-signature')
    seen.push({ ...Object.fromEntries(signatures), webhook: webhook?.split(' ').length })
  }
  expect(next).toMatch(/^whsec_/)
  expect(seen).toEqual([
    { 'X-Signature': 'old', 'X-Signature-Next': 'new', webhook: 2 },
    { 'X-Signature': 'new', 'X-Signature-Next': 'new', webhook: 1 },
    { 'X-Signature': 'new', webhook: 1 },
  ])
})
