import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { settings } from '../../src/config.ts'
import type { Check } from './check.ts'
import { deliveryChecks } from './delivery-checks.ts'
import { edgeChecks } from './edge-checks.ts'
import { bodyMembers, configMembers } from './members.ts'
import { objectChecks } from './object-checks.ts'
import { closeWorld, withWorld } from './object-scene.ts'
import { processChecks } from './process-checks.ts'
import { s2sChecks } from './s2s-checks.ts'

/**
 * Nothing is accepted and then ignored. Every key of the configuration and every member of every request body has a check
 * here: something seen from outside differs with it, or it is refused with the reason, or it is told that it is for people
 * only. A new key or member without a check turns the first tests red. [AUD-356]
 */
const configChecks = { ...processChecks, ...edgeChecks }
const bodyChecks = { ...objectChecks, ...deliveryChecks, ...s2sChecks }
afterAll(closeWorld)

test('every key of the configuration has a check, and every check a key [AUD-356~], [OPS-20]', () => {
  expect(Object.keys(configChecks).sort()).toEqual(configMembers().sort())
})

test('every member of every request body has a check, and every check a member [AUD-356~]', async () => {
  expect(Object.keys(bodyChecks).sort()).toEqual((await bodyMembers()).sort())
})

describe.each([
  ['key of the configuration', configChecks],
  ['member of a request', bodyChecks],
] as const)('each %s', (_what, checks: Readonly<Record<string, Check>>) => {
  const of = <Kind extends Check['kind']>(kind: Kind) =>
    Object.entries(checks).filter((entry): entry is [string, Extract<Check, { kind: Kind }>] => entry[1].kind === kind)

  test.each(of('acts'))('%s makes a difference', async (_name, { see }) => {
    const [one, other] = await see()
    expect(one).not.toEqual(other)
  })

  test.each(of('refused'))('%s is refused at the member, with what is missing', async (name, { value }) => {
    const w = await withWorld()
    const { path, body, field } = await draftWith(name, value)
    const answer = await w.send('POST', path, body)
    expect([answer.status, answer.body.details[0]?.field]).toEqual([400, field])
    expect(answer.body.details[0].message).toMatch(/not built yet|not available yet|one organisation/)
  })

  test.each(of('shown'))('%s is shown by a test that names it', (name, { file, title }) => {
    const code = readFileSync(join(import.meta.dirname, '..', '..', file), 'utf8')
    const variable = settings.find(({ key }) => key === name)?.variable
    expect(code).toContain(title)
    expect([name.split('.').at(-1), name, variable].some((word) => word !== undefined && code.includes(word))).toBe(
      true,
    )
  })

  test.each(of('forPeople'))('%s is for people only, and says why', (_name, { why }) => {
    expect(why.length).toBeGreaterThan(20)
  })
})

/** A body that would be taken without the member. @param name such as `datasources.deviceGraph` or `destinations.s2s.file` */
async function draftWith(name: string, value: unknown): Promise<{ path: string; body: object; field: string }> {
  const w = await withWorld()
  const [kind = '', ...members] = name.split('.')
  const { dataSourceId } = await w.make('/v1/datasources', { name: 'a' })
  const drafts: Record<string, object> = {
    datasources: { name: 'x', idType: 'CROSS_DEVICE', integrationCode: `code ${name}` },
    traits: { name: 'x', folderId: 0, traitType: 'RULE_BASED_TRAIT', traitRule: 'a == 1', dataSourceId },
    'merge-rules': { name: 'x', crossDeviceOption: 'NONE', deviceOption: 'DEVICE' },
    destinations: { name: 'x', destinationType: 'S2S', s2s: { url: `${w.partnerUrl}/x`, userDpid: dataSourceId } },
  }
  const body = structuredClone(drafts[kind] ?? {}) as Record<string, Record<string, unknown>>
  const last = members.at(-1) ?? ''
  if (members.length === 2) (body[members[0] as string] as Record<string, unknown>)[last] = value
  else body[last] = value as never
  return { path: `/v1/${kind}`, body, field: members.join('.') }
}
