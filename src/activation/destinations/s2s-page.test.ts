import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { notBuilt, parseS2sConfig, renderS2sPage, s2sJsonSchema } from '../../testkit/s2s-settings.ts'
import type { JsonSchema } from './settings-schema.ts'

const issuesOf = (s2s: object) => {
  const parsed = parseS2sConfig({ url: 'https://in.halden.example', userDpid: 1, ...s2s }, { allowPrivate: false })
  return parsed.ok ? [] : parsed.issues.map(({ path, message }) => `${path}: ${message}`)
}

/** Every schema within one, with its path. */
function* within(schema: JsonSchema, path: string): Generator<readonly [string, JsonSchema]> {
  yield [path, schema]
  for (const one of [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) yield* within(one as JsonSchema, path)
  if (schema.items !== undefined) yield* within(schema.items as JsonSchema, path)
  for (const [name, one] of Object.entries(schema.properties ?? {})) yield* within(one as JsonSchema, `${path}.${name}`)
}

test('docs/destination-settings.md is what the schema says [OPS-42~]', () => {
  const page = readFileSync('docs/destination-settings.md', 'utf8')
  expect(page, 'run: node scripts/docs.mjs').toBe(renderS2sPage())
  expect(page).toContain('| `timeoutMs` | a whole number from 1000 to 30000 | 15000 in durable |')
  // One truth with the ids of data sources, and what a bare list does.
  expect(page).toContain('| `userDpid` | a whole number from 1 to 2147483647, or a list of')
  expect(page).toContain('`<SEGMENT_LIST;separator=",">`')
  expect(page).toContain('a bare `<SEGMENT_LIST>` puts nothing between them')
  expect(page).toContain('| `algorithm` | `md5`, `sha1`, `sha256` | sha1 in compat, sha256 in durable |')
})

test('every member is described, and has a type, a default or is required, or says what it lacks [OPS-40~]', () => {
  const silent = [...within(s2sJsonSchema('sent'), 's2s')].flatMap(([path, schema]) =>
    Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => {
      const { description, type, anyOf, oneOf, const: constant } = inner as JsonSchema
      const isKnown = type ?? anyOf ?? oneOf ?? constant ?? /^Refused until/.exec(description ?? '')?.[0]
      const isDescribed = (description?.length ?? 0) > 10 || constant !== undefined
      return isDescribed && isKnown !== undefined ? [] : [`${path}.${name}`]
    }),
  )
  expect(silent).toEqual([])
})

test('what is described as refused until it is built is refused, and no value that is offered is [OPS-42~]', () => {
  const { properties = {} } = s2sJsonSchema('sent')
  for (const [name, refused] of Object.entries(notBuilt)) {
    const { enum: offered = [], description } = properties[name] as JsonSchema
    expect([name, offered.length]).toEqual([name, 1])
    expect(issuesOf({ [name]: offered[0] })).toEqual([])
    for (const value of refused) {
      expect(description).toContain(value)
      expect(issuesOf({ [name]: value }).join()).toMatch(new RegExp(`${name}: .*not available yet`))
    }
  }
  for (const name of ['schedule', 'file', 'mapp']) {
    expect((properties[name] as JsonSchema).description).toMatch(/^Refused until/)
    expect(issuesOf({ [name]: {} }).join()).toMatch(new RegExp(`${name}: .*not available yet`))
  }
})

test('a secret may be sent as a text or as it was shown, and is shown as set [OPS-50~] [SEC-63~]', () => {
  const secretsOf = (side: 'sent' | 'shown', isSecret: (schema: JsonSchema) => boolean) =>
    [...within(s2sJsonSchema(side), 's2s')].filter(([, schema]) => isSecret(schema)).map(([path]) => path)
  const secrets = [
    's2s.auth.keys.key',
    's2s.auth.ed25519Key',
    's2s.auth.clientSecret',
    's2s.auth.credentials',
    's2s.auth.password',
  ]
  expect(secretsOf('sent', (schema) => schema.writeOnly === true)).toEqual(secrets)
  expect(secretsOf('shown', (schema) => schema.properties?.['last4'] !== undefined)).toEqual(secrets)
  expect(JSON.stringify(s2sJsonSchema('shown'))).not.toContain('"secret"')
  const headerOf = (side: 'sent' | 'shown') => s2sJsonSchema(side).properties?.['headers']
  expect(headerOf('sent')).toMatchObject({ additionalProperties: { type: ['string', 'object'] } })
  expect(headerOf('shown')).toMatchObject({ additionalProperties: { required: ['set', 'last4', 'fingerprint'] } })
  expect(secretsOf('sent', (schema) => schema.required?.includes('key') === true)).toEqual([])
})
