import { rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { type DefinedOverApi, defineOverApi } from '../../src/testkit/define-over-api.ts'
import { freePort } from '../../src/testkit/free-port.ts'
import { TEST_SEED } from '../../src/testkit/seed.ts'
import { seededRandom } from '../../src/testkit/seeded-random.ts'
import { type SpawnedUsher, spawnUsher, temporaryFolder } from '../../src/testkit/spawn-usher.ts'

const DAY_MS = 86_400_000
const SECOND_MS = 1000
const VISITORS = 40
const DAYS = 31
const TTLS = [1, 2, 3, 5, 7, 14, 21] as const
const seed = TEST_SEED

interface Realization {
  readonly visitor: number
  readonly action: string
  readonly atMs: number
}

/** A segment by its rule, and by the obvious reading of a visitor's realizations on a day. */
interface Case {
  readonly name: string
  readonly rule: (sids: Readonly<Record<string, number>>) => string
  readonly holds: (realizations: readonly Realization[], day: number) => boolean
}

const dayOf = (ms: number) => Math.floor(ms / DAY_MS)

/** Realizations that still count on a day: a gap longer than the TTL ended everything before it [AUD-340]. */
function live(all: readonly Realization[], action: string, ttlDays: number, day: number): readonly number[] {
  let kept: number[] = []
  for (const { atMs, action: done } of all) {
    if (done !== action || dayOf(atMs) > day) continue
    const last = kept.at(-1)
    if (last !== undefined && dayOf(atMs) > last + ttlDays) kept = []
    kept.push(dayOf(atMs))
  }
  const last = kept.at(-1)
  return last !== undefined && day <= last + ttlDays ? kept : []
}

const CASES: readonly Case[] = [
  ...TTLS.map((ttl) => ({
    name: `ttl ${ttl}`,
    rule: (t: Readonly<Record<string, number>>) => `${t[`a${ttl}`]}T`,
    holds: (all: readonly Realization[], day: number) => live(all, `a${ttl}`, ttl, day).length > 0,
  })),
  {
    name: 'within 2 days',
    rule: (t) => `FREQUENCY([${t['a21']}T] <= 2D) >= 1`,
    holds: (all, day) => live(all, 'a21', 21, day).some((on) => on >= day - 2),
  },
  {
    name: 'not within 3 days, but before',
    rule: (t) => `FREQUENCY([${t['a14']}T] >= 3D) >= 1 AND NOT FREQUENCY([${t['a14']}T] <= 2D) >= 1`,
    holds: (all, day) => {
      const on = live(all, 'a14', 14, day)
      return on.some((at) => at <= day - 3) && !on.some((at) => at >= day - 2)
    },
  },
]

interface Told {
  readonly partnerId: string
  readonly segment: string
  readonly status: string
  readonly dateTimeMs: number
}

test('through a simulated month every membership that time ends or begins reaches the partner within 10 s of its moment, and no other does [AUD-86] [AUD-87] [AUD-88] [AUD-89] [AUD-133] [AUD-342] [OPS-27] [OUT-51]', async () => {
  console.log(`seed ${seed}`)
  const random = seededRandom(seed)
  const dataDir = await temporaryFolder()
  const port = await freePort()
  const log: Told[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString('utf8')
    })
    request.on('end', () => {
      for (const user of JSON.parse(body).Users) {
        for (const segment of user.Segments) {
          log.push({
            partnerId: user.DataPartner_UUID,
            segment: segment.Segment_ID,
            status: segment.Status,
            dateTimeMs: Date.parse(segment.DateTime),
          })
        }
      }
      response.writeHead(200).end()
    })
  }).listen(port, '127.0.0.1')
  // The simulated month begins at 06:00 UTC of a fixed day.
  const startMs = Date.UTC(2027, 0, 10, 6)
  const usher = await spawnUsher({ dataDir, env: { USHER_CLOCK_OFFSET_MS: String(startMs - Date.now()) } })
  try {
    const defined = await define(usher, `http://127.0.0.1:${port}/aam`)
    await runMonth(usher, defined, log, random)
  } finally {
    await usher.stop()
    server.closeAllConnections()
    server.close()
    await rm(dataDir, { recursive: true, force: true })
  }
}, 300_000)

function define(usher: SpawnedUsher, url: string) {
  return defineOverApi<string>(usher, {
    traits: TTLS.map((ttl) => ({ name: `a${ttl}`, ttl })),
    segments: CASES,
    url,
    auth: { type: 'none' },
  })
}

/** Visits in the first days, then nothing but the clock: each midnight is approached and passed by seconds. */
async function runMonth(
  usher: SpawnedUsher,
  { dataSourceId, segmentIds }: DefinedOverApi<string>,
  log: Told[],
  random: () => number,
): Promise<void> {
  const journal: Realization[] = []
  let clock = await advance(usher, 1)
  const firstDay = dayOf(clock.nowMs)
  const wasIn = new Map<string, boolean>()
  let [began, ended] = [0, 0]
  for (let day = firstDay; day < firstDay + DAYS; day++) {
    const visits = day < firstDay + 6 ? 30 : 0
    for (let visit = 0; visit < visits; visit++) {
      clock = await advance(usher, Math.floor((random() * 16 * 3_600_000) / visits))
      const visitor = Math.floor(random() * VISITORS)
      const action = `a${TTLS[Math.floor(random() * TTLS.length)]}`
      const path = `/event?d_rtbd=json&d_uuid=${deviceId(visitor)}&d_cid=${dataSourceId}%01v${visitor}&c_do=${action}`
      const answer = (await (await fetch(usher.edgeUrl + path)).json()) as { errors?: unknown }
      expect(answer.errors).toBeUndefined()
      journal.push({ visitor, action, atMs: clock.nowMs })
    }
    // What the visits of the day brought.
    await quiet(log)
    for (let visitor = 0; visitor < VISITORS; visitor++) {
      const mine = journal.filter((realization) => realization.visitor === visitor)
      for (const [at, each] of CASES.entries()) wasIn.set(`v${visitor}|${segmentIds[at]}`, each.holds(mine, day))
    }
    const midnightMs = (day + 1) * DAY_MS
    clock = await advance(usher, midnightMs - 4 * SECOND_MS - clock.nowMs)
    await quiet(log)
    log.length = 0
    expect(clock.nowMs).toBeLessThan(midnightMs)
    await advance(usher, midnightMs + SECOND_MS - clock.nowMs)
    await quiet(log)
    clock = await advance(usher, 1)

    for (let visitor = 0; visitor < VISITORS; visitor++) {
      const mine = journal.filter((realization) => realization.visitor === visitor)
      CASES.forEach((each, at) => {
        const key = `v${visitor}|${segmentIds[at]}`
        const isIn = each.holds(mine, day + 1)
        const told = log.filter((entry) => `${entry.partnerId}|${entry.segment}` === key)
        if (isIn === wasIn.get(key)) return
        if (isIn) began += 1
        else ended += 1
        const context = `${each.name}, visitor ${visitor}, midnight ${new Date(midnightMs).toISOString()}, seed ${seed}`
        expect(
          told.map((entry) => entry.status),
          context,
        ).toContain(isIn ? '1' : '0')
        const change = told.find((entry) => entry.status === (isIn ? '1' : '0')) as Told
        expect(change.dateTimeMs - midnightMs, context).toBeGreaterThanOrEqual(0)
        expect(change.dateTimeMs - midnightMs, context).toBeLessThanOrEqual(10 * SECOND_MS)
      })
    }
    // Nothing was told that did not happen.
    for (const entry of log) {
      const visitor = Number(entry.partnerId.slice(1))
      const each = CASES[segmentIds.indexOf(Number(entry.segment))] as Case
      const mine = journal.filter((realization) => realization.visitor === visitor)
      expect(entry.status, `${each.name}, visitor ${visitor}, day ${day + 1 - firstDay}, seed ${seed}`).toBe(
        each.holds(mine, day + 1) ? '1' : '0',
      )
    }
  }
  console.log(`${began} memberships began and ${ended} ended by time alone`)
  expect(began).toBeGreaterThan(10)
  expect(ended).toBeGreaterThan(50)
}

async function advance(usher: SpawnedUsher, advanceMs: number): Promise<{ readonly nowMs: number }> {
  const { now } = await usher.api<{ now: string }>('POST', '/v1/test/clock', { advanceMs })
  return { nowMs: Date.parse(now) }
}

/** Until no message has arrived for a while. */
async function quiet(log: readonly Told[]): Promise<void> {
  for (let seen = -1; seen !== log.length; ) {
    seen = log.length
    await new Promise((resolve) => setTimeout(resolve, 400))
  }
}

function deviceId(visitor: number): string {
  return String(visitor).padStart(38, '5')
}
