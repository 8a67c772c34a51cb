import { expect, test } from 'vitest'
import type { EventId, ProfileId } from '../model/ids.ts'
import { newProfile } from '../model/profile.ts'
import fc from '../testkit/properties.ts'
import { profiles } from './profile-arbitrary.conformance.ts'
import { encodeProfile, openProfile, sealProfile } from './profile-codec.ts'
import { RecordCorruptError, RecordVersionError, sealRecord } from './record.ts'

const visitor = newProfile('d:01234567890123456789012345678901234567' as ProfileId, 1_770_000_000_000)

test('any profile comes back as it was written', () => {
  fc.assert(
    fc.property(profiles, fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (profile, revision) => {
      expect(openProfile(profile.id, sealProfile(profile, revision))).toEqual({ ...profile, revision })
    }),
    { numRuns: 300 },
  )
})

test('profiles that were read before stay as they were while others are read', () => {
  fc.assert(
    fc.property(fc.array(profiles, { minLength: 2, maxLength: 12 }), (many) => {
      const records = many.map((profile) => sealProfile(profile, profile.revision))
      expect(records.map((record, i) => openProfile(many[i]?.id as ProfileId, record))).toEqual(many)
    }),
    { numRuns: 40 },
  )
})

test('milliseconds are lost: times are kept in whole seconds', () => {
  const opened = openProfile(visitor.id, sealProfile({ ...visitor, lastSeenMs: 1_770_000_001_999 }, 1))
  expect(opened.lastSeenMs).toBe(1_770_000_001_000)
})

test('a record with any bit turned over, or cut short, is refused [SEC-60]', () => {
  fc.assert(
    fc.property(profiles, fc.nat(), fc.nat(), (profile, bit, cut) => {
      const record = sealProfile(profile, profile.revision)
      const flipped = Buffer.from(record)
      const at = bit % (record.length * 8)
      flipped[at >>> 3] = (flipped[at >>> 3] as number) ^ (1 << (at & 7))
      expect(() => openProfile(profile.id, flipped)).toThrow(RecordCorruptError)
      expect(() => openProfile(profile.id, record.subarray(0, cut % record.length))).toThrow(RecordCorruptError)
    }),
    { numRuns: 300 },
  )
})

test('every single bit of one record counts [SEC-60]', () => {
  const record = sealProfile(visitor, 3)
  for (let bit = 0; bit < record.length * 8; bit++) {
    const flipped = Buffer.from(record)
    flipped[bit >>> 3] = (flipped[bit >>> 3] as number) ^ (1 << (bit & 7))
    expect(() => openProfile(visitor.id, flipped)).toThrow(RecordCorruptError)
  }
})

test('a sound record of a newer format is not taken for damage', () => {
  expect(() => openProfile(visitor.id, sealRecord(2, 1, Buffer.from('newer')))).toThrow(RecordVersionError)
})

test('a trait realized once costs three bytes', () => {
  const traits = {
    sids: Int32Array.from({ length: 100 }, (_, i) => 1_000 * (i + 1)),
    totals: new Uint32Array(100).fill(1),
    dayStart: Uint32Array.from({ length: 101 }, (_, i) => i),
    days: new Uint16Array(100).fill(20_400),
    dayCounts: new Uint32Array(100).fill(1),
  }
  expect(encodeProfile({ ...visitor, traits }).length - encodeProfile(visitor).length).toBe(304)
})

test('what is no event id is refused', () => {
  for (const id of ['e1', 'AAAAAAAAAAAA', '']) {
    expect(() => encodeProfile({ ...visitor, appliedEvents: [id as EventId] })).toThrow(TypeError)
  }
})
