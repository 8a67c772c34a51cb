import { expect, test } from 'vitest'
import type { SegmentId } from '../model/ids.ts'
import type { TraitTable } from '../model/profile.ts'
import { DAY_MS } from '../model/time.ts'
import { makeDefinitions, makeSegment, makeTrait } from '../testkit/audience-definitions.ts'
import { traitTable } from '../testkit/audience-tables.ts'
import { runThrough } from '../testkit/run-through.ts'
import { seededRandom } from '../testkit/seeded-random.ts'
import { buildAudienceRules } from './audience-rules.ts'
import { explainSegment, holdingSegments, leaveTimes } from './evaluate.ts'

const DAY = 20_000
const NOW = DAY * DAY_MS + 5_000
const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000)

test('the moment at which a segment is left is the first midnight at which its explanation no longer holds [OPS-52] [AUD-133] [AUD-87]', () => {
  const random = seededRandom(seed)
  const pick = (most: number) => Math.floor(random() * most)
  for (let round = 0; round < 60; round++) {
    const sids = [1, 2, 3, 4, 5]
    const terms = () => {
      const sid = 1 + pick(5)
      const window = `${random() < 0.5 ? '<=' : '>='} ${1 + pick(40)}D`
      return [`${sid}T`, `NOT ${sid}T`, `FREQUENCY([${sid}T] ${window}) >= ${1 + pick(3)}`][pick(3)]
    }
    const rules = runThrough(
      buildAudienceRules(
        makeDefinitions({
          traits: sids.map((sid) => makeTrait(sid, { traitRule: 'a == 1', ttlDays: pick(3) * 30 })),
          segments: Array.from({ length: 30 }, (_, at) =>
            makeSegment(100 + at, [terms(), terms()].join(random() < 0.5 ? ' AND ' : ' OR ')),
          ),
        }),
      ),
    )
    const table = () =>
      traitTable(
        Object.fromEntries(
          sids
            .filter(() => random() < 0.7)
            .map((sid) => [
              sid,
              Object.fromEntries(Array.from({ length: 1 + pick(4) }, () => [DAY - pick(50), 1 + pick(2)])),
            ]),
        ),
      )
    const tables: readonly TraitTable[] = random() < 0.5 ? [table()] : [table(), table()]
    const views = () => tables
    const ids = Array.from({ length: 30 }, (_, at) => (100 + at) as SegmentId)
    const holds = (id: SegmentId, atMs: number) => runThrough(explainSegment(rules, id, views, atMs))?.holds === true
    const held = runThrough(holdingSegments(rules, ids, views, NOW))
    expect([...held], `seed ${seed}, round ${round}`).toEqual(ids.filter((id) => holds(id, NOW)))

    const expected = new Map<SegmentId, number>()
    for (const id of held)
      for (let day = DAY + 1; day <= DAY + 400 && !expected.has(id); day++)
        if (!holds(id, day * DAY_MS)) expected.set(id, day * DAY_MS)
    const found = runThrough(leaveTimes(rules, held, views, tables, NOW))
    expect([...found].sort(), `seed ${seed}, round ${round}`).toEqual([...expected].sort())
  }
})

test('paused and unknown segments are never left; one that stays for 400 days is not said to be left', () => {
  const rules = runThrough(
    buildAudienceRules(
      makeDefinitions({
        traits: [
          makeTrait(1, { traitRule: 'a == 1', ttlDays: 10 }),
          makeTrait(2, { traitRule: 'a == 1', ttlDays: 399 }),
          makeTrait(3, { traitRule: 'a == 1', ttlDays: 400 }),
        ],
        segments: [
          makeSegment(7, '1T'),
          makeSegment(8, '1T', { status: 'INACTIVE' }),
          makeSegment(9, '2T'),
          makeSegment(10, '3T'),
        ],
      }),
    ),
  )
  const tables = [traitTable({ 1: { [DAY]: 1 }, 2: { [DAY]: 1 }, 3: { [DAY]: 1 } })]
  const left = runThrough(leaveTimes(rules, [7, 8, 9, 10, 99] as SegmentId[], () => tables, tables, NOW))
  expect([...left]).toEqual([
    [7, (DAY + 11) * DAY_MS],
    [9, (DAY + 400) * DAY_MS],
  ])
})

test('between two yields few segments are looked at, and whoever evaluates meanwhile does no harm', () => {
  const count = 500
  const rules = runThrough(
    buildAudienceRules(
      makeDefinitions({
        traits: [makeTrait(1, { traitRule: 'a == 1', ttlDays: 30 })],
        segments: Array.from({ length: count }, (_, at) =>
          makeSegment(100 + at, `FREQUENCY([1T] <= ${1 + (at % 30)}D) >= 1`),
        ),
      }),
    ),
  )
  const tables = [traitTable({ 1: { [DAY]: 1 } })]
  const ids = Array.from({ length: count }, (_, at) => (100 + at) as SegmentId)
  let looks = 0
  let most = 0
  const { segments } = rules.compiled
  const holds = segments.holds.bind(segments)
  segments.holds = (segment) => {
    looks++
    return holds(segment)
  }
  const work = leaveTimes(rules, ids, () => tables, tables, NOW)
  let left: ReadonlyMap<SegmentId, number> | undefined
  let all = 0
  for (let step = work.next(); ; step = work.next()) {
    most = Math.max(most, looks)
    all += looks
    looks = 0
    if (step.done) {
      left = step.value
      break
    }
    // An event of somebody who has nothing.
    runThrough(holdingSegments(rules, [100 as SegmentId], () => [], NOW))
    looks = 0
  }
  expect(most).toBe(8)
  // Once on each day on which something changes, until it is left: not on 400 days.
  expect(all).toBeLessThan(count * 31)
  expect([...left].map(([id, atMs]) => [id, atMs / DAY_MS - DAY])).toEqual(
    expect.arrayContaining(ids.map((id, at) => [id, (at % 30) + 2])),
  )
})
