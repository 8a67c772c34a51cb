import { TraitTableWriter } from '../audience/trait-table-writer.ts'
import type { Profile, SegmentTable, TraitTable } from '../model/profile.ts'
import { utcDay } from '../model/time.ts'

/** Clocks of one machine differ by what a call takes; what is farther ahead was written by a clock that was wrong. */
const AHEAD_MS_MAX = 600_000

/**
 * A profile in which nothing lies in the future: what a clock that was ahead wrote there is taken to have happened now, so
 * that it expires, and is the latest, no longer than it should [SEC-82].
 * @returns `profile` itself when nothing does
 */
export function withoutFuture(profile: Profile, nowMs: number): Profile {
  const isAhead = (ms: number) => ms > nowMs + AHEAD_MS_MAX
  const past = (ms: number) => (isAhead(ms) ? nowMs : ms)
  const { traits, segments, links, devices, plans, consent } = profile
  const next: Profile = {
    ...profile,
    firstSeenMs: past(profile.firstSeenMs),
    lastSeenMs: past(profile.lastSeenMs),
    traits: traitsUntil(traits, utcDay(nowMs)),
    segments: segmentsUntil(segments, Math.floor(nowMs / 1000)),
    links: changed(links, (link) =>
      isAhead(link.syncedAtMs) || isAhead(link.authenticatedAtMs)
        ? { ...link, syncedAtMs: past(link.syncedAtMs), authenticatedAtMs: past(link.authenticatedAtMs) }
        : link,
    ),
    devices: changed(devices, (link) =>
      isAhead(link.syncedAtMs) ? { ...link, syncedAtMs: past(link.syncedAtMs) } : link,
    ),
    plans: changed(plans, (plan) =>
      isAhead(plan.plannedAtMs) ? { ...plan, plannedAtMs: past(plan.plannedAtMs) } : plan,
    ),
    consent:
      consent !== undefined && isAhead(consent.decidedAtMs)
        ? { ...consent, decidedAtMs: past(consent.decidedAtMs) }
        : consent,
  }
  const members = Object.keys(profile) as (keyof Profile)[]
  return members.every((name) => next[name] === profile[name]) ? profile : next
}

/** @returns `list` itself when every element stays */
function changed<T>(list: readonly T[], change: (one: T) => T): readonly T[] {
  const next = list.map(change)
  return next.every((one, at) => one === list[at]) ? list : next
}

/** Realizations of later days, together, become realizations of this day. */
function traitsUntil(table: TraitTable, day: number): TraitTable {
  if (table.days.every((one) => one <= day)) return table
  const writer = new TraitTableWriter(table.sids.length, table.days.length)
  for (let index = 0; index < table.sids.length; index++) {
    const days: number[] = []
    const counts: number[] = []
    for (let at = table.dayStart[index] as number; at < (table.dayStart[index + 1] as number); at++) {
      const when = Math.min(table.days[at] as number, day)
      const count = table.dayCounts[at] as number
      if (days.at(-1) === when) counts[counts.length - 1] = (counts.at(-1) as number) + count
      else {
        days.push(when)
        counts.push(count)
      }
    }
    writer.add(table.sids[index] as number, table.totals[index] as number, days, counts)
  }
  return writer.finish()
}

function segmentsUntil(table: SegmentTable, nowSeconds: number): SegmentTable {
  const isPast = (seconds: number) => seconds <= nowSeconds + AHEAD_MS_MAX / 1000
  if (table.sinceSeconds.every(isPast) && table.verifiedSeconds.every(isPast)) return table
  const past = (seconds: number) => (isPast(seconds) ? seconds : nowSeconds)
  return { ...table, sinceSeconds: table.sinceSeconds.map(past), verifiedSeconds: table.verifiedSeconds.map(past) }
}
