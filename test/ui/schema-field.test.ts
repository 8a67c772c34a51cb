import { expect, test } from 'vitest'
import { s2s } from '../../src/activation/destinations/s2s.ts'
import { settingsJsonSchema } from '../../src/activation/destinations/settings-schema.ts'
import { exercise } from '../../src/testkit/exercise-destination.ts'
import {
  isInUse,
  isMain,
  type JsonSchema,
  kindOf,
  labelOf,
  madeIn,
  readNumbers,
  sendable,
} from '../../web/src/destinations/schema-field.ts'

const s2sSchema = settingsJsonSchema(s2s, 'sent') as JsonSchema
const membersOf = (schema: JsonSchema) => schema.properties ?? {}

test('every member of every type is drawn, or is there for what is not built yet', () => {
  for (const schema of [s2sSchema, settingsJsonSchema(exercise, 'sent') as JsonSchema]) {
    const silent = Object.entries(membersOf(schema)).filter(([, member]) => kindOf(member) === undefined)
    expect(silent.filter(([, { description = '' }]) => !description.startsWith('Refused until'))).toEqual([])
  }
  const kinds = Object.fromEntries(Object.entries(membersOf(s2sSchema)).map(([name, one]) => [name, kindOf(one)]))
  expect(kinds).toMatchObject({
    ...{ mode: 'choice', url: 'text', successStatuses: 'numbers', userDpid: 'numbers', usersPerMessage: 'number' },
    ...{ auth: 'union', headers: 'names', includeRegions: 'flag', protocol: undefined, schedule: undefined },
  })
})

test('asked at once is what must be given, what others depend on, and how one signs in', () => {
  const main = Object.entries(membersOf(s2sSchema)).filter(([name, one]) => kindOf(one) && isMain(name, one, s2sSchema))
  expect(main.map(([name]) => name)).toEqual(['mode', 'url', 'method', 'urlTemplate', 'userDpid', 'auth'])
})

test('what the chosen values have no use for is neither shown nor sent', () => {
  const { urlTemplate = {}, timeoutMs = {} } = membersOf(s2sSchema)
  expect(isInUse(urlTemplate, {}, membersOf(s2sSchema))).toBe(false)
  expect(isInUse(urlTemplate, { method: 'GET' }, membersOf(s2sSchema))).toBe(true)
  expect(isInUse(timeoutMs, {}, membersOf(s2sSchema))).toBe(true)
  const values = {
    ...{ url: 'https://in.halden.example', userDpid: 7, method: 'GET', urlTemplate: '/a?u=<DP_UUID>' },
    ...{ usersPerMessage: 10, mode: 'compat', timeoutMs: 5_000, userAgent: '', notAMember: 1 },
    auth: { type: 'hmac', keys: [{ key: { set: true, last4: 'K4T9' }, from: '' }, {}] },
  }
  expect(sendable(s2sSchema, values)).toEqual({
    ...{ url: 'https://in.halden.example', userDpid: 7, method: 'GET', urlTemplate: '/a?u=<DP_UUID>', mode: 'compat' },
    auth: { type: 'hmac', keys: [{ key: { set: true, last4: 'K4T9' } }, {}] },
  })
})

test('secrets that were made are found, each with its place', () => {
  const key = { set: true, last4: 'abcd', fingerprint: 'f', value: 'whsec_abcd' }
  expect(madeIn({ s2s: { auth: { keys: [{ key: { set: true, last4: 'x' } }, { key }] } } })).toEqual([
    { path: 's2s.auth.keys.1.key', value: 'whsec_abcd' },
  ])
})

test('names become words, numbers become numbers, and what is neither stays as typed', () => {
  expect(labelOf('usersPerMessage')).toBe('Users per message')
  expect(readNumbers('7', false)).toBe(7)
  expect(readNumbers('7, 8', false)).toEqual([7, 8])
  expect(readNumbers('200', true)).toEqual([200])
  expect(readNumbers('seven', false)).toBe('seven')
})
