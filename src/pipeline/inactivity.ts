import { KEPT_MS_MAX } from '../lib/kept-time.ts'
import { parseProfileId } from '../model/ids.ts'
import type { Profile } from '../model/profile.ts'
import { DEVICE_RETENTION_DAYS, PERSON_RETENTION_DAYS } from '../model/retention.ts'
import { DAY_MS, utcDay } from '../model/time.ts'
import type { Rulebook } from './rulebook.ts'

/** Midnight UTC after the last day on which a profile is kept without activity: 120 days, or as its data source says. */
export function inactiveAtMs(profile: Pick<Profile, 'id' | 'lastSeenMs'>, rulebook: Rulebook): number {
  return Math.min((utcDay(profile.lastSeenMs) + retentionDaysOf(profile, rulebook) + 1) * DAY_MS, KEPT_MS_MAX)
}

/**
 * When an ID was last active. An ID of a person is when it is in a call; a mapped cookie or advertising ID also when a
 * device mapped to it is, because what the partner knows the visitor by lives as long as the visitor [OUT-17].
 */
export function lastActiveMs(profile: Profile, devices: readonly (Profile | undefined)[], rulebook: Rulebook): number {
  if (!livesWithVisitor(profile, rulebook)) return profile.lastSeenMs
  return devices.reduce((latest, device) => Math.max(latest, device?.lastSeenMs ?? 0), profile.lastSeenMs)
}

/** A cookie or advertising ID, by which partners know a visitor, as opposed to the ID of a person. */
export function livesWithVisitor({ id }: Pick<Profile, 'id'>, rulebook: Rulebook): boolean {
  const parsed = parseProfileId(id)
  const source = parsed?.kind === 'declared' ? rulebook.directory.dataSources.get(parsed.dataSourceId) : undefined
  return source !== undefined && source.idType !== 'CROSS_DEVICE'
}

function retentionDaysOf({ id }: Pick<Profile, 'id'>, rulebook: Rulebook): number {
  if (id.startsWith('d:')) return DEVICE_RETENTION_DAYS
  const parsed = parseProfileId(id)
  const source = parsed?.kind === 'declared' ? rulebook.directory.dataSources.get(parsed.dataSourceId) : undefined
  return source?.retentionDays ?? PERSON_RETENTION_DAYS
}
