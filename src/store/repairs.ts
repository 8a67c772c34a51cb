import { randomEventId } from '../lib/random-ids.ts'
import type { FollowUp } from '../model/follow-up.ts'
import {
  type DeviceId,
  declaredProfileId,
  deviceProfileId,
  type EventId,
  type ProfileId,
  parseProfileId,
} from '../model/ids.ts'
import { partitionOf } from '../model/partition.ts'
import type { Profile } from '../model/profile.ts'
import { sealFollowUp, storedFollowUps } from './follow-up-record.ts'
import { openOptOut, sealOptOut } from './opt-out-record.ts'
import { dueRecord } from './profiles.ts'
import { asideCommit } from './quarantine.ts'
import { readRevision } from './record.ts'
import { Kind } from './record-kinds.ts'
import type { Commit, StoredRecord } from './record-store.ts'

/** A damaged record moves to the quarantine; a damaged opt-out becomes a sound one, as wide as it read before [SEC-79]. */
export function setAside(stored: StoredRecord): Commit {
  if (stored.key[2] !== Kind.optOut) return asideCommit(stored)
  const revision = Math.max(readRevision(stored.record).revision, 0) + 1
  return { puts: [{ key: stored.key, record: sealOptOut(openOptOut(stored.record).optOut, revision) }], deletes: [] }
}

export function drop(key: Buffer): Commit {
  return { puts: [], deletes: [key] }
}

export function refile(profile: Profile): Commit {
  return { puts: [dueRecord(profile)], deletes: [] }
}

/**
 * Follow-ups that make the other side of a profile's links again, or, where a device is gone, take this side away: the next
 * start carries them out.
 * @param others the profiles of `linkedTo`, in its order
 */
export function linkAgain(profile: Profile, others: readonly (Profile | undefined)[]): Commit {
  const ids = linkedTo(profile)
  const followUps = ids.flatMap((target, i): FollowUp[] => {
    if (linkedTo(others[i]).includes(profile.id)) return []
    if (!isDevice(profile.id)) return [{ kind: 'unlink', target: profile.id, other: target, atMs: profile.lastSeenMs }]
    const atMs = profile.links[i]?.syncedAtMs ?? profile.lastSeenMs
    const links = profile.links.filter((_, at) => at !== i)
    return [{ kind: 'link', target, deviceId: profile.id.slice(2) as DeviceId, links, atMs }]
  })
  const stored = storedFollowUps(partitionOf(profile.id), randomEventId() as EventId, followUps)
  return { puts: stored.map(sealFollowUp), deletes: [] }
}

/** Profiles on the other side of the links between devices and declared IDs. */
export function linkedTo(profile: Profile | undefined): ProfileId[] {
  if (profile === undefined) return []
  if (isDevice(profile.id)) return profile.links.map((link) => declaredProfileId(link.dataSourceId, link.id))
  return profile.devices.map((device) => deviceProfileId(device.deviceId))
}

function isDevice(id: ProfileId): boolean {
  return parseProfileId(id)?.kind === 'device'
}
