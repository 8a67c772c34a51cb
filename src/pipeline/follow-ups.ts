import { PROFILE_TRAITS_MAX, realizeTraits } from '../audience/evaluate.ts'
import { addDeviceLink, LINK_LIMITS } from '../identity/links.ts'
import { atOnce, type Pace } from '../lib/pace.ts'
import type { IdType } from '../model/definitions.ts'
import type { FollowUp } from '../model/follow-up.ts'
import { type DataSourceId, deviceProfileId, type ProfileId, parseProfileId } from '../model/ids.ts'
import { isEvaluated } from '../model/merge-options.ts'
import { newProfile, type Profile } from '../model/profile.ts'
import type { StoredFollowUp } from '../store/profile-store.ts'
import { inactiveAtMs } from './inactivity.ts'
import { COMMIT_ATTEMPTS_MAX, type Parts, ProfileContendedError } from './parts.ts'
import { reevaluateDeclared } from './reevaluate-declared.ts'
import { reevaluateDevice } from './reevaluate-device.ts'
import type { Rulebook } from './rulebook.ts'
import { storedFollowUps } from './stored-follow-ups.ts'

/**
 * Carries out follow-ups, and those that their own commits bring, in order. What fails stays stored and is carried out
 * again later, so a failure here never fails the event that is already true.
 * @param pace of evaluations; at once for what follows from an event
 */
export async function runFollowUps(
  stored: readonly StoredFollowUp[],
  parts: Parts,
  pace: Pace = atOnce,
): Promise<void> {
  const waiting = [...stored]
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    try {
      waiting.push(...(await runFollowUp(next.followUp, parts, pace)))
      void parts.profiles.finishFollowUp(next).catch(parts.onFollowUpFailed)
    } catch (error) {
      parts.onFollowUpFailed(error)
    }
  }
}

/** Carries out what a crash, or a failure, left over. @returns how many there were */
export async function runPendingFollowUps(parts: Parts, pace: Pace = atOnce): Promise<number> {
  let count = 0
  for await (const stored of parts.profiles.pendingFollowUps()) {
    await runFollowUps([stored], parts, pace)
    count += 1
  }
  return count
}

function runFollowUp(followUp: FollowUp, parts: Parts, pace: Pace): Promise<readonly StoredFollowUp[]> {
  const { target, atMs } = followUp
  switch (followUp.kind) {
    case 'link':
      return change(target, atMs, parts, (profile, rulebook) => link(profile, followUp, rulebook))
    case 'unlink':
      return change(target, atMs, parts, (profile) => ({ next: unlink(profile, followUp.other, atMs), followUps: [] }))
    case 'realize':
      return change(target, atMs, parts, (profile, rulebook) =>
        realize(profile, followUp, rulebook, parts.judgedMs(atMs)),
      )
    case 'reevaluate':
      return followUp.tell ? tellAgain(target, parts, pace) : reevaluate(target, parts, pace)
    case 'optout':
      return tellAgain(target, parts, pace)
  }
}

function reevaluate(target: ProfileId, parts: Parts, pace: Pace): Promise<readonly StoredFollowUp[]> {
  return isDevice(target) ? reevaluateDevice(target, parts, pace) : reevaluateDeclared(target, parts)
}

async function tellAgain(target: ProfileId, parts: Parts, pace: Pace): Promise<readonly StoredFollowUp[]> {
  const followUps = await reevaluate(target, parts, pace)
  await parts.owe(target, await parts.owedBy(target))
  return followUps
}

interface Changed {
  /** The same object when there is nothing to write. */
  readonly next: Profile
  readonly followUps: readonly FollowUp[]
}

/** Reads, changes and commits one profile until the revision holds. */
async function change(
  target: ProfileId,
  atMs: number,
  parts: Parts,
  apply: (profile: Profile, rulebook: Rulebook) => Changed,
): Promise<readonly StoredFollowUp[]> {
  for (let attempt = 1; attempt <= COMMIT_ATTEMPTS_MAX; attempt++) {
    const [stored] = await parts.profiles.getMany([target])
    const before = stored ?? newProfile(target, atMs)
    const { next, followUps } = apply(before, parts.rulebook())
    if (next === before) return []
    const eventId = parts.newEventId()
    const update = { profile: next, previousDueMs: before.dueMs, outbox: [], eventId, followUps }
    if (await parts.profiles.commit(update)) return storedFollowUps(target, eventId, followUps)
  }
  throw new ProfileContendedError(`a profile changed ${COMMIT_ATTEMPTS_MAX} times during one follow-up`)
}

function link(profile: Profile, followUp: FollowUp & { kind: 'link' }, rulebook: Rulebook): Changed {
  const added = addDeviceLink(profile.devices, followUp.deviceId, idTypeOf(profile.id, rulebook), followUp.atMs)
  const missing = followUp.links.filter(
    (other) => !profile.links.some((known) => known.dataSourceId === other.dataSourceId && known.id === other.id),
  )
  const next: Profile = {
    ...profile,
    lastSeenMs: Math.max(profile.lastSeenMs, followUp.atMs),
    devices: added.links,
    links: missing.length === 0 ? profile.links : [...profile.links, ...missing].slice(-LINK_LIMITS.cookieIds),
  }
  // An evicted device is no longer merged with this person [AUD-143].
  const followUps = added.evicted.flatMap(({ deviceId }): readonly FollowUp[] => {
    const target = deviceProfileId(deviceId)
    return [
      { kind: 'unlink', target, other: profile.id, atMs: followUp.atMs },
      { kind: 'reevaluate', target, atMs: followUp.atMs },
    ]
  })
  return { next: filed(next, rulebook), followUps }
}

/** A mapping made after `atMs` stays: this was carried out late. */
function unlink(profile: Profile, other: ProfileId, atMs: number): Profile {
  const parsed = parseProfileId(other)
  const goes = (link: { readonly syncedAtMs: number }, isOther: boolean) => isOther && link.syncedAtMs <= atMs
  const devices = profile.devices.filter(
    (link) => !goes(link, parsed?.kind === 'device' && link.deviceId === parsed.deviceId),
  )
  const links = profile.links.filter(
    (link) =>
      !goes(link, parsed?.kind === 'declared' && link.dataSourceId === parsed.dataSourceId && link.id === parsed.id),
  )
  const isSame = devices.length === profile.devices.length && links.length === profile.links.length
  return isSame || profile.revision === 0 ? profile : { ...profile, devices, links }
}

/** Traits of a call with state 1, written once however often this is repeated; every device of the person is looked at again. */
function realize(
  profile: Profile,
  followUp: FollowUp & { kind: 'realize' },
  rulebook: Rulebook,
  judgedMs: number,
): Changed {
  if (profile.appliedEvents.includes(followUp.eventId)) return { next: profile, followUps: [] }
  const next: Profile = {
    ...profile,
    lastSeenMs: Math.max(profile.lastSeenMs, followUp.atMs),
    traits: realizeTraits(
      rulebook.audience,
      profile.traits,
      followUp.traitIds,
      followUp.atMs,
      PROFILE_TRAITS_MAX,
      judgedMs,
    ),
    appliedEvents: [...profile.appliedEvents, followUp.eventId].slice(-EVENT_IDS_KEPT),
  }
  const devices = mergesPeopleOf(rulebook, profile.id) ? profile.devices : []
  const followUps = devices.map(
    ({ deviceId }): FollowUp => ({ kind: 'reevaluate', target: deviceProfileId(deviceId), atMs: followUp.atMs }),
  )
  return { next: filed(next, rulebook), followUps }
}

const EVENT_IDS_KEPT = 16

/** Does any merge rule in use read the authenticated profiles of this one's data source? */
function mergesPeopleOf(rulebook: Rulebook, profileId: ProfileId): boolean {
  const dataSourceId = dataSourceOf(profileId)
  if (dataSourceId === undefined) return false
  return [...rulebook.audience.mergeRules.values()].some(
    (rule) =>
      isEvaluated(rule) &&
      rule.crossDeviceDataSourceIds.includes(dataSourceId) &&
      rulebook.audience.usesMergeRule(rule.mergeRuleId),
  )
}

function idTypeOf(profileId: ProfileId, rulebook: Rulebook): IdType {
  const dataSourceId = dataSourceOf(profileId)
  return (dataSourceId && rulebook.directory.dataSources.get(dataSourceId)?.idType) ?? 'COOKIE'
}

function dataSourceOf(profileId: ProfileId): DataSourceId | undefined {
  const parsed = parseProfileId(profileId)
  return parsed?.kind === 'declared' ? parsed.dataSourceId : undefined
}

function isDevice(profileId: ProfileId): boolean {
  return profileId.startsWith('d:')
}

/** A declared ID is looked at again when it has been inactive too long; visits in between move the day when it comes. */
function filed(profile: Profile, rulebook: Rulebook): Profile {
  return profile.dueMs === 0 ? { ...profile, dueMs: inactiveAtMs(profile, rulebook) } : profile
}
