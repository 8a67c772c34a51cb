import { describe, expect, test } from 'vitest'
import type { Definitions } from '../model/definitions.ts'
import type { TraitId } from '../model/ids.ts'
import { EMPTY_TRAITS } from '../model/profile.ts'
import { DAY_MS } from '../model/time.ts'
import { makeDefinitions, makeTrait } from '../testkit/audience-definitions.ts'
import { daysBySid, traitTable } from '../testkit/audience-tables.ts'
import { runThrough } from '../testkit/run-through.ts'
import { buildAudienceRules } from './audience-rules.ts'
import { directTraits, dropExpired, isLive, realizeTraits } from './evaluate.ts'

const TRAIT_DAYS_MAX = 120

const DAY = 20_000
const at = (day: number, hour = 0) => day * DAY_MS + hour * 3_600_000
const rulesOf = (fields: Partial<Definitions>) => runThrough(buildAudienceRules(makeDefinitions(fields)))
const ruleBased = (sid: number, ttlDays = 120) => makeTrait(sid, { traitRule: 'a == 1', ttlDays })
const rules = rulesOf({ traits: [ruleBased(1), ruleBased(2, 1), ruleBased(3, 0), makeTrait(4, { ttlDays: 10 })] })

describe('realizing', () => {
  test('counts one realization of each trait on its UTC day and keeps the table in order [AUD-50], [AUD-138]', () => {
    const first = realizeTraits(rules, EMPTY_TRAITS, [3, 1, 3], at(DAY, 23))
    expect(daysBySid(first)).toEqual({ 1: { [DAY]: 1 }, 3: { [DAY]: 1 } })
    const second = realizeTraits(rules, first, [1], at(DAY, 23.5))
    const third = realizeTraits(rules, second, [1, 2], at(DAY + 1))
    expect(daysBySid(third)).toEqual({ 1: { [DAY]: 2, [DAY + 1]: 1 }, 2: { [DAY + 1]: 1 }, 3: { [DAY]: 1 } })
    expect([...third.totals]).toEqual([3, 1, 1])
    expect(daysBySid(first)).toEqual({ 1: { [DAY]: 1 }, 3: { [DAY]: 1 } })
  })

  test('an expired trait begins anew at 1 [AUD-340]', () => {
    const table = traitTable({ 2: { [DAY - 1]: 5, [DAY]: 5 } })
    expect(daysBySid(realizeTraits(rules, table, [2], at(DAY + 1)))).toEqual({
      2: { [DAY - 1]: 5, [DAY]: 5, [DAY + 1]: 1 },
    })
    const anew = realizeTraits(rules, table, [2], at(DAY + 2))
    expect(daysBySid(anew)).toEqual({ 2: { [DAY + 2]: 1 } })
    expect([...anew.totals]).toEqual([1])
  })

  test('an onboarded trait is renewed and its count stays 1 [AUD-345], [AUD-51~]', () => {
    const once = realizeTraits(rules, EMPTY_TRAITS, [4], at(DAY))
    expect(daysBySid(realizeTraits(rules, once, [4], at(DAY, 5)))).toEqual({ 4: { [DAY]: 1 } })
    const renewed = realizeTraits(rules, once, [4], at(DAY + 10))
    expect(daysBySid(renewed)).toEqual({ 4: { [DAY + 10]: 1 } })
    expect(isLive(rules, renewed, 0, DAY + 20)).toBe(true)
    expect(daysBySid(realizeTraits(rules, renewed, [4], at(DAY)))).toEqual({ 4: { [DAY + 10]: 1 } })
  })

  test('the last 120 days and a lifetime total are kept [AUD-139]', () => {
    let table = EMPTY_TRAITS
    for (let i = 0; i < TRAIT_DAYS_MAX + 5; i++) table = realizeTraits(rules, table, [1, 3], at(DAY + i))
    expect(table.days.length).toBe(2 * TRAIT_DAYS_MAX)
    expect([table.days[0], table.days[TRAIT_DAYS_MAX - 1]]).toEqual([DAY + 5, DAY + 4 + TRAIT_DAYS_MAX])
    expect([...table.totals]).toEqual([TRAIT_DAYS_MAX + 5, TRAIT_DAYS_MAX + 5])
  })

  test('a realization of an earlier day finds its place [AUD-117~]', () => {
    const table = traitTable({ 1: { [DAY]: 1, [DAY + 4]: 1 } })
    expect(daysBySid(realizeTraits(rules, table, [1], at(DAY + 2)))).toEqual({
      1: { [DAY]: 1, [DAY + 2]: 1, [DAY + 4]: 1 },
    })
    expect(daysBySid(realizeTraits(rules, table, [1], at(DAY)))).toEqual({ 1: { [DAY]: 2, [DAY + 4]: 1 } })
    const full = traitTable({ 1: Object.fromEntries(Array.from({ length: TRAIT_DAYS_MAX }, (_, i) => [DAY + i, 1])) })
    const older = realizeTraits(rules, full, [1], at(DAY - 1))
    expect([older.days[0], older.days.length, older.totals[0]]).toEqual([DAY, TRAIT_DAYS_MAX, TRAIT_DAYS_MAX + 1])
  })

  test('beyond the limit the traits realized longest ago give way [AUD-60~], [AUD-303]', () => {
    const table = traitTable({ 1: { [DAY - 2]: 1 }, 2: { [DAY - 3]: 1, [DAY]: 1 }, 3: { [DAY - 1]: 1 } })
    expect([...realizeTraits(rules, table, [4], at(DAY), 3).sids]).toEqual([2, 3, 4])
    expect([...realizeTraits(rules, table, [4], at(DAY), 2).sids]).toEqual([2, 4])
  })

  test('unknown traits are left out', () => {
    expect(realizeTraits(rules, EMPTY_TRAITS, [0, -5, 999], at(DAY))).toBe(EMPTY_TRAITS)
  })
})

describe('time to live', () => {
  test('one day lives 47 hours from 01:00 and 25 hours from 23:00: it ends at 00:00 UTC of the second day after [AUD-87] [OUT-53]', () => {
    for (const hour of [1, 23]) {
      const table = realizeTraits(rules, EMPTY_TRAITS, [2], at(DAY, hour))
      const lifetimeMs = (24 + (24 - hour)) * 3_600_000
      expect(dropExpired(rules, table, at(DAY, hour) + lifetimeMs - 1)).toBe(table)
      expect(dropExpired(rules, table, at(DAY, hour) + lifetimeMs).sids).toHaveLength(0)
    }
  })

  test('every realization restarts the clock [AUD-86]', () => {
    const table = realizeTraits(rules, realizeTraits(rules, EMPTY_TRAITS, [2], at(DAY)), [2], at(DAY + 1))
    expect(isLive(rules, table, 0, DAY + 2)).toBe(true)
    expect(isLive(rules, table, 0, DAY + 3)).toBe(false)
  })

  test('zero never expires [AUD-69]', () => {
    expect(isLive(rules, traitTable({ 3: { 1: 1 } }), 0, 65_000)).toBe(true)
  })

  test('expired and deleted traits go with their counts, the others stay as they were [AUD-59~], [AUD-340]', () => {
    const table = traitTable({ 1: { [DAY]: 2 }, 2: { [DAY - 9]: 3 }, 3: { 5: 1, 6: 4 }, 77: { [DAY]: 1 } })
    const dropped = dropExpired(rules, table, at(DAY))
    expect(daysBySid(dropped)).toEqual({ 1: { [DAY]: 2 }, 3: { 5: 1, 6: 4 } })
    expect([...dropped.totals]).toEqual([2, 5])
  })
})

test('d_sid realizes active rule-based and onboarded traits only [AUD-57], [COL-194], [COL-195]', () => {
  const some = rulesOf({
    traits: [
      ruleBased(1),
      makeTrait(2),
      makeTrait(3, { status: 'INACTIVE' }),
      makeTrait(4, { traitType: 'ALGO_TRAIT' }),
      makeTrait(5, { traitType: 'FOLDER_TRAIT' }),
    ],
  })
  expect(directTraits(some, [5, 4, 3, 2, 1, 99, 2] as TraitId[])).toEqual([2, 1])
})

test('each d_sid call counts one realization of a rule-based trait [COL-196]', () => {
  const twice = [0, 1].reduce(
    (table) => realizeTraits(rules, table, directTraits(rules, [1, 1] as TraitId[]), at(DAY)),
    EMPTY_TRAITS,
  )
  expect(daysBySid(twice)).toEqual({ 1: { [DAY]: 2 } })
})
