import type { FollowUp } from '../model/follow-up.ts'
import type { EventId } from '../model/ids.ts'
import { followUpKey } from './keys.ts'
import type { StoredFollowUp } from './profile-store.ts'
import { openRecord, sealRecord } from './record.ts'
import type { StoredRecord } from './record-store.ts'

/** Body: the follow-up as JSON. It lives for moments, so that its form may follow the model's. */
const VERSION = 1

/** Follow-ups as records of the partition whose commit makes them, in order. */
export function storedFollowUps(partition: number, eventId: EventId, followUps: readonly FollowUp[]): StoredFollowUp[] {
  return followUps.map((followUp, index) => ({ key: followUpKey(partition, eventId, index), followUp }))
}

export function sealFollowUp({ key, followUp }: StoredFollowUp): StoredRecord {
  return { key, record: sealRecord(VERSION, 0, Buffer.from(JSON.stringify(followUp))) }
}

/** @throws RecordCorruptError when the record is damaged */
export function openFollowUp({ key, record }: StoredRecord): StoredFollowUp {
  return { key, followUp: JSON.parse(openRecord(record).body.toString()) as FollowUp }
}
