import type { AuthState } from '../model/event.ts'
import type { DataSourceId, DestinationId, DeviceId, EventId, ProfileId } from '../model/ids.ts'
import type { Profile, SegmentTable, TraitTable } from '../model/profile.ts'
import fc from '../testkit/properties.ts'

/** Whole seconds up to the last that 32 bits hold. */
const timeMs = fc
  .oneof(fc.integer({ min: 1_700_000_000, max: 1_900_000_000 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }))
  .map((s) => s * 1000)
const digits38 = fc
  .array(fc.integer({ min: 0, max: 9 }), { minLength: 38, maxLength: 38 })
  .map((digits) => digits.join('') as DeviceId)
const eventId = fc
  .uint8Array({ minLength: 8, maxLength: 8 })
  .map((bytes) => Buffer.from(bytes).toString('base64') as EventId)
const text = fc.oneof(
  fc.string({ minLength: 1, maxLength: 40 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }),
)
const sid = fc.oneof(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 1, max: 2 ** 31 - 1 }))
const count = fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 2 ** 32 - 1 }))
const day = fc.oneof(fc.integer({ min: 20_000, max: 20_120 }), fc.integer({ min: 0, max: 65_535 }))

const trait = fc.record({
  days: fc.uniqueArray(fc.tuple(day, count), { selector: ([number]) => number, minLength: 1, maxLength: 5 }),
  extra: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 1_000 })),
})

export const traitTables: fc.Arbitrary<TraitTable> = fc
  .uniqueArray(fc.tuple(sid, trait), { selector: ([id]) => id, maxLength: 60 })
  .map((entries) => {
    const sorted = entries
      .sort(([a], [b]) => a - b)
      .map(([id, { days, extra }]) => ({ id, extra, days: days.sort(([a], [b]) => a - b) }))
    const all = sorted.flatMap((entry) => entry.days)
    const dayStart = new Uint32Array(sorted.length + 1)
    for (let i = 0; i < sorted.length; i++) dayStart[i + 1] = (dayStart[i] as number) + (sorted[i]?.days.length ?? 0)
    return {
      sids: Int32Array.from(sorted, (entry) => entry.id),
      totals: Uint32Array.from(sorted, (entry) => entry.days.reduce((sum, [, n]) => sum + n, entry.extra)),
      dayStart,
      days: Uint16Array.from(all, ([number]) => number),
      dayCounts: Uint32Array.from(all, ([, n]) => n),
    }
  })

export const segmentTables: fc.Arbitrary<SegmentTable> = fc
  .uniqueArray(fc.tuple(sid, fc.integer({ min: 0, max: 5 }), timeMs, fc.option(timeMs, { nil: undefined })), {
    selector: ([id]) => id,
    maxLength: 30,
  })
  .map((entries) => {
    entries.sort(([a], [b]) => a - b)
    return {
      sids: Int32Array.from(entries, ([id]) => id),
      left: Uint8Array.from(entries, ([, left]) => left),
      sinceSeconds: Uint32Array.from(entries, ([, , since]) => since / 1000),
      verifiedSeconds: Uint32Array.from(entries, ([, , since, verified]) => (verified ?? since) / 1000),
    }
  })

const dataSourceId = fc.integer({ min: 1, max: 2 ** 31 - 1 }).map((id) => id as DataSourceId)
const destinationId = fc.integer({ min: 1, max: 2 ** 31 - 1 }).map((id) => id as DestinationId)
const version = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })

/** Any profile the model allows, times in whole seconds. */
export const profiles: fc.Arbitrary<Profile> = fc.record({
  id: fc.oneof(
    digits38.map((id) => `d:${id}` as ProfileId),
    fc.tuple(dataSourceId, text).map(([source, id]) => `${source}:${id}` as ProfileId),
  ),
  revision: fc.integer({ min: 0, max: 2 ** 40 }),
  firstSeenMs: timeMs,
  lastSeenMs: timeMs,
  regions: fc.array(fc.integer({ min: 0, max: 10_000 }), { maxLength: 4 }),
  traits: traitTables,
  segments: segmentTables,
  links: fc.array(
    fc.record({
      dataSourceId,
      id: text,
      syncedAtMs: timeMs,
      authState: fc.constantFrom<AuthState>(0, 1, 2),
      authenticatedAtMs: fc.oneof(fc.constant(0), timeMs),
    }),
    { maxLength: 6 },
  ),
  devices: fc.array(fc.record({ deviceId: digits38, syncedAtMs: timeMs }), { maxLength: 6 }),
  appliedEvents: fc.array(eventId, { maxLength: 8 }),
  plans: fc.array(fc.record({ destinationId, plannedAtMs: timeMs, mappingVersion: version }), { maxLength: 4 }),
  consent: fc.option(
    fc.record({
      decidedAtMs: timeMs,
      fingerprint: fc.oneof(
        fc.constant(''),
        fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('hex')),
      ),
      reason: fc.constantFrom('none_applies', 'tcf_granted', 'opt_out'),
      deniedDestinations: fc.array(destinationId, { maxLength: 5 }),
    }),
    { nil: undefined },
  ),
  membershipKey: version,
  dueMs: fc.oneof(fc.constant(0), timeMs),
})
