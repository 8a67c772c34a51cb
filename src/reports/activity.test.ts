import { describe, expect, test } from 'vitest'
import { TEST_SEED } from '../testkit/seed.ts'
import { seededRandom } from '../testkit/seeded-random.ts'
import { Activity, type CountedDelivery, windowStartMs } from './activity.ts'
import { keepActivity } from './activity-store.ts'
import { MINUTE_MS, minuteOf, type NamedRows } from './minute-table.ts'

const START_MS = Date.UTC(2026, 10, 22, 10, 0, 30)
const HOUR_MS = 3_600_000

/** Everything that happened, kept whole: the slow and obvious count that the fast one is judged by. */
interface Happening {
  readonly atMs: number
  readonly device?: number
  readonly realized?: readonly number[]
  readonly entered?: number
  readonly left?: number
  readonly because?: readonly number[]
  readonly ended?: CountedDelivery
}

const sourceOf = (trait: number) => (trait % 3) + 2_001
/** Segment 7 names traits 1 and 4, and so on. */
const isNamedBy = (trait: number, segment: number) => (trait + segment) % 4 === 0

/** Runs `count` random happenings through a count and a journal. @param pause between two, in ms, at most */
function happen(
  random: () => number,
  activity: Activity,
  journal: Happening[],
  count: number,
  pause: number,
  fromMs = journal.at(-1)?.atMs ?? START_MS,
) {
  const lastSeen = new Map<number, number>()
  for (const { device, atMs } of journal) if (device !== undefined) lastSeen.set(device, atMs)
  let nowMs = fromMs
  const pick = (most: number) => Math.floor(random() * most)
  for (let step = 0; step < count; step++) {
    nowMs += 1 + pick(pause)
    const kind = random()
    if (kind < 0.6) {
      const device = pick(40)
      const realized = [...new Set([pick(12), pick(12)])].sort((a, b) => a - b).slice(0, pick(3))
      activity.event(
        {
          isEvent: true,
          realized: Int32Array.from(realized),
          dataSourceOf: sourceOf,
          seenBeforeMs: lastSeen.get(device),
          seenMs: nowMs,
        },
        nowMs,
      )
      lastSeen.set(device, nowMs)
      journal.push({ atMs: nowMs, device, realized })
    } else if (kind < 0.8) {
      const because = [pick(12)]
      const [entered, left] = [pick(6), 6 + pick(6)]
      const changes = [
        { segmentId: entered, member: true },
        { segmentId: left, member: false },
      ]
      activity.memberships(changes, Int32Array.from(because), isNamedBy, nowMs)
      journal.push({ atMs: nowMs, entered, left, because })
    } else {
      const ended: CountedDelivery = {
        destinationId: 400 + pick(3),
        status: (['acknowledged', 'dead', 'superseded'] as const)[pick(3)] ?? 'dead',
        reason: 'http_400',
        users: [{ active: [pick(6)], inactive: [6 + pick(6)] }],
        eventToPartnerMs: 10 + pick(5_000),
      }
      activity.delivery(ended, nowMs)
      journal.push({ atMs: nowMs, ended })
    }
  }
  return nowMs
}

function judged(journal: readonly Happening[], nowMs: number, minutes: number) {
  const fromMs = (minuteOf(nowMs) - minutes + 1) * MINUTE_MS
  const within = journal.filter(({ atMs }) => atMs >= fromMs)
  const tally = (names: readonly (string | number)[]) => {
    const counts: Record<string, number> = {}
    for (const name of names) counts[name] = (counts[name] ?? 0) + 1
    return counts
  }
  const events = within.filter(({ device }) => device !== undefined)
  const acknowledged = within.flatMap(({ ended }) => (ended?.status === 'acknowledged' ? [ended] : []))
  const perSecond = Object.values(tally(events.map(({ atMs }) => Math.floor(atMs / 1000))))
  return {
    events: events.length,
    peak: Math.max(0, ...perSecond),
    seen: new Set(events.map(({ device }) => device)).size,
    sources: tally(events.flatMap(({ realized = [] }) => [...new Set(realized.map(sourceOf))])),
    traits: tally(events.flatMap(({ realized = [] }) => realized)),
    entered: tally(within.flatMap(({ entered }) => entered ?? [])),
    left: tally(within.flatMap(({ left }) => left ?? [])),
    acknowledged: tally(acknowledged.map(({ destinationId }) => destinationId)),
    dead: tally(within.flatMap(({ ended }) => (ended?.status === 'dead' ? [ended.destinationId] : []))),
    links: tally([
      ...within.flatMap(({ entered, because = [] }) =>
        because
          .filter((trait) => entered !== undefined && isNamedBy(trait, entered))
          .map((trait) => `trait:${trait} segment:${entered}`),
      ),
      ...acknowledged.flatMap(({ destinationId, users }) =>
        users.flatMap(({ active, inactive }) =>
          [...active, ...inactive].map((segment) => `segment:${segment} destination:${destinationId}`),
        ),
      ),
    ]),
    latencies: acknowledged.map(({ eventToPartnerMs }) => eventToPartnerMs ?? 0).sort((a, b) => a - b),
  }
}

function counted(activity: Activity, nowMs: number, minutes: number) {
  activity.table.turnTo(nowMs)
  const { table, totals, named } = activity
  const tally = (rows: NamedRows<string | number>) =>
    Object.fromEntries(
      [...rows.entries()].map(([name, row]) => [name, table.sum(row, minutes)]).filter(([, count]) => count !== 0),
    )
  const of = (rows: unknown) => tally(rows as NamedRows<string | number>)
  return {
    events: table.sum(totals.events, minutes),
    peak: activity.peakPerSecond(minutes),
    seen: activity.profilesSeen(minutes),
    sources: of(named.sources),
    traits: of(named.traits),
    entered: of(named.entered),
    left: of(named.left),
    acknowledged: of(named.acknowledged),
    dead: of(named.dead),
    links: of(named.links),
  }
}

function compare(activity: Activity, journal: readonly Happening[], nowMs: number, what: string) {
  for (const minutes of [1, 60, 1_440]) {
    const { latencies, ...expected } = judged(journal, nowMs, minutes)
    expect(counted(activity, nowMs, minutes), `${what}, ${minutes} minutes`).toEqual(expected)
    const median = latencies[Math.ceil(latencies.length / 2) - 1]
    const off = Math.abs((activity.eventToPartner(minutes)?.median ?? 0) - (median ?? 0))
    // Of a few milliseconds half of one more: they are whole.
    expect(off, what).toBeLessThanOrEqual(0.1 * (median ?? 0) + 0.5)
  }
}

function memoryJobs() {
  const kept = new Map<string, string>()
  return {
    kept,
    read: async (name: string) => {
      const text = kept.get(name)
      return text === undefined ? undefined : (JSON.parse(text) as unknown)
    },
    write: async (name: string, value: unknown) => void kept.set(name, JSON.stringify(value)),
  }
}

const fail = (error: unknown) => {
  throw error
}
const SEEDS = [1, 2, 3, TEST_SEED]

describe.each(SEEDS)('counts of the last 24 hours, seed %i', (seed) => {
  test('agree with a journal of everything, in a busy minute and over two days with gaps', () => {
    const random = seededRandom(seed)
    const activity = new Activity(START_MS)
    const journal: Happening[] = []
    let nowMs = START_MS
    for (const [round, pause] of [20, 2_000, 60_000, 600_000, 3 * HOUR_MS, 500].entries()) {
      nowMs = happen(random, activity, journal, 300, pause, nowMs)
      compare(activity, journal, nowMs, `seed ${seed}, round ${round}`)
      // Nothing happens for a while, and the window moves on.
      nowMs += 90 * MINUTE_MS
      compare(activity, journal, nowMs, `seed ${seed}, round ${round}, later`)
    }
  })

  test('survive restarts, and what was counted before is not counted twice', async () => {
    const random = seededRandom(seed + 7)
    const jobs = memoryJobs()
    const journal: Happening[] = []
    let nowMs = START_MS
    for (let start = 0; start < 5; start++) {
      const activity = new Activity(nowMs)
      const keeper = await keepActivity(activity, jobs, fail)
      compare(activity, journal, nowMs, `seed ${seed}, start ${start}`)
      expect(activity.sinceMs).toBe(START_MS)
      nowMs = happen(random, activity, journal, 200, 20 * MINUTE_MS, nowMs)
      await keeper.save()
      nowMs = happen(random, activity, journal, 50, 1_000)
      await keeper.close()
      nowMs += Math.floor(random() * 10 * HOUR_MS)
    }
  })
})

test('a clock that was far ahead takes its minutes with it: what happens then is counted where it happens, also after a restart [SEC-82~]', async () => {
  const visit = (activity: Activity, nowMs: number) =>
    activity.event(
      { isEvent: true, realized: new Int32Array(0), dataSourceOf: sourceOf, seenBeforeMs: undefined, seenMs: nowMs },
      nowMs,
    )
  const events = (activity: Activity, minutes: number) => activity.table.sum(activity.totals.events, minutes)
  for (const aheadMs of [11 * MINUTE_MS, 5 * HOUR_MS, 40 * 24 * HOUR_MS]) {
    const jobs = memoryJobs()
    const activity = new Activity(START_MS + aheadMs)
    const keeper = await keepActivity(activity, jobs, fail)
    for (let n = 0; n < 7; n++) visit(activity, START_MS + aheadMs)
    await keeper.save()
    for (let n = 0; n < 3; n++) visit(activity, START_MS)
    expect([events(activity, 60), activity.table.minute]).toEqual([3, minuteOf(START_MS)])
    expect(activity.peakPerSecond(60)).toBe(3)
    expect(windowStartMs(activity, 60)).toBeLessThanOrEqual(START_MS + MINUTE_MS)
    await keeper.close()

    const later = new Activity(START_MS + MINUTE_MS)
    await (await keepActivity(later, jobs, fail)).close()
    visit(later, START_MS + MINUTE_MS)
    expect(events(later, 60)).toBe(4)
    visit(later, START_MS + aheadMs)
    expect(events(later, 1)).toBe(1)
  }
})

test('a message that waits for another attempt, or was superseded, has not been delivered', () => {
  const activity = new Activity(START_MS)
  for (const status of ['retrying', 'superseded', 'blocked'] as const)
    activity.delivery({ destinationId: 1, status, reason: null, users: [], eventToPartnerMs: 5 }, START_MS)
  expect(activity.running.deliveries).toBe(0)
  expect(activity.eventToPartner(60)).toBeUndefined()
})

test('names are bounded: what has no row is counted among the others, and rows come free after a day', () => {
  const activity = new Activity(START_MS)
  const realize = (trait: number, nowMs: number) =>
    activity.event(
      {
        isEvent: true,
        realized: Int32Array.of(trait),
        dataSourceOf: () => 2_001,
        seenBeforeMs: START_MS,
        seenMs: START_MS,
      },
      nowMs,
    )
  for (let trait = 0; trait < 1_000; trait++) realize(trait, START_MS)
  const { traits } = activity.named
  const names = [...traits.entries()].length
  expect(names).toBe(256)
  expect(activity.table.sum(traits.others, 60)).toBe(1_000 - names)
  const nextDayMs = START_MS + 25 * HOUR_MS
  for (let trait = 5_000; trait < 5_100; trait++) realize(trait, nextDayMs)
  expect([...traits.entries()].map(([name]) => name)).toEqual(Array.from({ length: 100 }, (_, at) => 5_000 + at))
  expect(activity.table.sum(traits.others, 1_440)).toBe(0)
})

test('a clock that is set back a little, to be right, loses nothing', () => {
  const activity = new Activity(START_MS)
  const visit = { isEvent: true, realized: new Int32Array(0), dataSourceOf: () => undefined, seenBeforeMs: undefined }
  activity.event({ ...visit, seenMs: START_MS }, START_MS)
  activity.event({ ...visit, seenMs: START_MS - 9 * MINUTE_MS }, START_MS - 9 * MINUTE_MS)
  expect(activity.table.sum(activity.totals.events, 60)).toBe(2)
})

test('the window begins at a whole minute, but never before the counting began', () => {
  const activity = new Activity(START_MS)
  expect(windowStartMs(activity, 60)).toBe(START_MS)
  activity.table.turnTo(START_MS + 2 * HOUR_MS)
  expect(windowStartMs(activity, 60)).toBe(Date.UTC(2026, 10, 22, 11, 1))
})

test('a stop in the middle of writing hides no failure, and the next round writes what is missing', async () => {
  const jobs = memoryJobs()
  const activity = new Activity(START_MS)
  const errors: unknown[] = []
  let isBroken = true
  const write = async (name: string, value: unknown) => {
    if (isBroken) throw new Error('disk full')
    await jobs.write(name, value)
  }
  const keeper = await keepActivity(activity, { read: jobs.read, write }, (error) => errors.push(error))
  const journal: Happening[] = []
  const nowMs = happen(seededRandom(5), activity, journal, 100, 60_000)
  await keeper.save()
  expect(errors).toHaveLength(1)
  isBroken = false
  await keeper.close()
  const later = new Activity(nowMs)
  await (await keepActivity(later, jobs, fail)).close()
  compare(later, journal, nowMs, 'after a failure')
})

test('a dead letter that was sent again is none any more, also after a restart; one that died again counts once', async () => {
  const jobs = memoryJobs()
  const activity = new Activity(START_MS)
  const keeper = await keepActivity(activity, jobs, fail)
  const dead = { destinationId: 1, status: 'dead', reason: 'http_500', users: [], eventToPartnerMs: undefined } as const
  for (let n = 0; n < 3; n++) activity.delivery(dead, START_MS)
  await keeper.save()
  const laterMs = START_MS + HOUR_MS
  const endedBefore = { status: 'dead', reason: 'http_500', finishedAtMs: START_MS } as const
  activity.delivery({ ...dead, status: 'acknowledged', reason: null, endedBefore }, laterMs)
  activity.delivery({ ...dead, reason: 'timeout', endedBefore }, laterMs)
  await keeper.close()
  const restarted = new Activity(laterMs)
  await (await keepActivity(restarted, jobs, fail)).close()
  for (const { table, totals, named } of [activity, restarted]) {
    expect(table.sum(totals.dead, 1_440)).toBe(2)
    expect(table.sum(totals.dead, 30)).toBe(1)
    expect(table.sum(named.dead.of(1), 1_440)).toBe(2)
    expect(['http_500', 'timeout'].map((one) => table.sum(named.deadReasons.of(`1 ${one}`), 1_440))).toEqual([1, 1])
  }
})

test('a message that was accepted, and again when it was replayed, counts as one message, where it was accepted last', () => {
  const activity = new Activity(START_MS)
  const users = [{ active: [7], inactive: [] }]
  const accepted = {
    destinationId: 1,
    status: 'acknowledged',
    reason: null,
    users,
    eventToPartnerMs: undefined,
  } as const
  for (let n = 0; n < 11; n++) activity.delivery(accepted, START_MS)
  const laterMs = START_MS + HOUR_MS
  const endedBefore = { status: 'acknowledged', reason: null, finishedAtMs: START_MS } as const
  for (let n = 0; n < 11; n++) activity.delivery({ ...accepted, endedBefore }, laterMs)
  const { table, totals, named } = activity
  expect([table.sum(totals.acknowledged, 1_440), table.sum(named.acknowledged.of(1), 1_440)]).toEqual([11, 11])
  expect(table.sum(totals.acknowledged, 30)).toBe(11)
  // It was told twice.
  expect(table.sum(named.links.of('segment:7 destination:1'), 1_440)).toBe(22)
})
