import { expect, test } from 'vitest'
import type { DestinationId, ProfileId } from '../model/ids.ts'
import { partitionOf } from '../model/partition.ts'
import fc from '../testkit/properties.ts'
import {
  afterPrefix,
  dueKey,
  outboxKey,
  partitionOfKey,
  profileKey,
  readDueKey,
  readOutboxKey,
  readProfileKey,
  toldKey,
  toldPrefix,
} from './keys.ts'

const digits38 = fc.array(fc.nat(9), { minLength: 38, maxLength: 38 }).map((digits) => digits.join(''))
const profileIds = fc.oneof(
  digits38.map((id) => `d:${id}` as ProfileId),
  fc
    .tuple(
      fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }), fc.uuid(), digits38),
    )
    .map(([source, id]) => `${source}:${id}` as ProfileId),
)
const seconds = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const numbers = fc.integer({ min: 1, max: 2 ** 31 - 1 })

test('every key of a profile lies in its partition and leads back to it', () => {
  fc.assert(
    fc.property(profileIds, seconds, numbers, (profileId, due, number) => {
      const destinationId = number as DestinationId
      expect(readProfileKey(profileKey(profileId))).toBe(profileId)
      expect(readDueKey(dueKey(profileId, due * 1000))).toEqual({ dueMs: due * 1000, profileId })
      expect(readOutboxKey(outboxKey(profileId, destinationId))).toEqual({ destinationId, profileId })
      for (const key of [
        profileKey(profileId),
        dueKey(profileId, 0),
        outboxKey(profileId, destinationId),
        toldKey(profileId, destinationId),
      ]) {
        expect(partitionOfKey(key)).toBe(partitionOf(profileId))
      }
    }),
  )
})

test('due entries of a partition sort by moment, device keys by number', () => {
  fc.assert(
    fc.property(profileIds, profileIds, seconds, seconds, (a, b, first, second) => {
      const compared = Buffer.compare(dueKey(a, first * 1000).subarray(2), dueKey(b, second * 1000).subarray(2))
      if (first !== second) expect(compared).toBe(first < second ? -1 : 1)
    }),
  )
  fc.assert(
    fc.property(digits38, digits38, (a, b) => {
      const keys = [a, b].map((digits) => profileKey(`d:${digits}` as ProfileId).subarray(2)) as [Buffer, Buffer]
      expect(Math.sign(Buffer.compare(...keys))).toBe(a < b ? -1 : a > b ? 1 : 0)
    }),
  )
})

test('the told records of one profile stand together, apart from every other', () => {
  fc.assert(
    fc.property(profileIds, profileIds, numbers, (a, b, number) => {
      fc.pre(a !== b)
      const [from, to] = [toldPrefix(a), afterPrefix(toldPrefix(a))]
      const isInside = (key: Buffer): boolean => Buffer.compare(key, from) >= 0 && Buffer.compare(key, to) < 0
      expect(isInside(toldKey(a, number as DestinationId))).toBe(true)
      expect(isInside(toldKey(b, number as DestinationId))).toBe(false)
    }),
  )
})

test('what is no profile ID has no key', () => {
  for (const id of ['', 'd', 'x:1', '77:', ':a']) expect(() => profileKey(id as ProfileId)).toThrow(TypeError)
})
