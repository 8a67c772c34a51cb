import { directTraits, matchTraitsBounded, PROFILE_TRAITS_MAX, realizeTraits } from '../audience/evaluate.ts'
import { latestDevice } from '../identity/links.ts'
import { deviceOfCall, type FoundDevice, idsThatNameTheDevice } from '../identity/resolve-device.ts'
import type { CallOutcome, CollectedCall } from '../model/collected-call.ts'
import type { FollowUp } from '../model/follow-up.ts'
import {
  type DataSourceId,
  declaredProfileId,
  deviceProfileId,
  type ProfileId,
  type SegmentId,
  type TraitId,
} from '../model/ids.ts'
import { newProfile, PAGE_CONSENT, PAGE_WITHDRAWN, type Profile, type StoredConsent } from '../model/profile.ts'
import type { OptOut } from '../store/profile-store.ts'
import { applyIds, idTypeOf } from './apply-ids.ts'
import { evaluateDevice } from './evaluate-device.ts'
import { runFollowUps } from './follow-ups.ts'
import { mergeFollowUps } from './merge-follow-ups.ts'
import { COMMIT_ATTEMPTS_MAX, type Parts, ProfileContendedError } from './parts.ts'
import { reevaluateDevice } from './reevaluate-device.ts'
import type { Rulebook } from './rulebook.ts'
import { storedFollowUps } from './stored-follow-ups.ts'
import { type Merged, readMerged } from './visitor.ts'
import { withdrawConsent } from './withdraw-consent.ts'

const EVENT_IDS_KEPT = 4

/**
 * One call, start to finish. Everything between the reads and the commit is a pure function; the commit of the device's
 * profile is the moment at which the event becomes true, and what it means for other profiles travels with it as
 * follow-ups.
 */
export async function processCall(call: CollectedCall, parts: Parts): Promise<CallOutcome> {
  if (!call.consent.store) {
    if (call.consent.deniedDestinations.length > 0) await withdrawConsent(call, parts)
    return { status: 'not_stored', errors: [] }
  }
  for (let attempt = 1; attempt <= COMMIT_ATTEMPTS_MAX; attempt++) {
    const rulebook = parts.rulebook()
    const visitor = await readVisitor(call, rulebook, parts)
    if (visitor.optedOut !== undefined) return { status: 'opted_out', ...visitor.optedOut, errors: [] }

    const judgedMs = parts.judgedMs(call.receivedAtMs)
    const matching =
      call.kind === 'event' ? matchTraitsBounded(rulebook.audience, call.signals, call.onlyDataSourceId) : NO_TRAITS
    const matched = matching instanceof Promise ? await matching : matching
    const step = applyCall(call, visitor, rulebook, matched, judgedMs)
    const merged = await readMerged(parts.profiles, rulebook, step.draft.links, visitor.declared)
    const { before, draft, touched, newLinks } = step
    const seen = { before, draft, merged, touched, newLinks, seen: true, optedOut: false }
    const result = evaluateDevice(rulebook, seen, judgedMs)
    if (!step.isWorthStoring) return renderOutcome(call, visitor.found, result.next, merged, parts)

    const followUps = [...step.followUps, ...mergeFollowUps(rulebook, before, result, merged, call.receivedAtMs)]
    const update = {
      profile: result.next,
      previousDueMs: before.dueMs,
      outbox: result.outbox,
      eventId: call.eventId,
      followUps,
      unlessOptedOut: true,
    }
    // The withdrawal of consent is never promised less than the device [SEC-57].
    const durability = deniesMore(before, draft) ? 'disk' : undefined
    if (!(await parts.profiles.commit(update, durability))) continue

    if (result.outbox.length > 0) parts.notify(result.next.id, result.outbox)
    if (!step.isRepeat) parts.onCall?.(call, before, result.next, step.realized)
    if (result.changes.length > 0) parts.onMembership?.(result.next.id, result.changes, step.realizedOnDevice)
    if (followUps.length > 0) await runFollowUps(storedFollowUps(result.next.id, call.eventId, followUps), parts)
    await undoIfOptedOut(result.next.id, visitor, parts)
    const isCurrent = followUps.length === 0 || !call.wantsMemberships
    return isCurrent
      ? renderOutcome(call, visitor.found, result.next, merged, parts)
      : renderOutcome(call, visitor.found, ...(await readAgain(result.next, rulebook, parts)), parts)
  }
  throw new ProfileContendedError(`a profile changed ${COMMIT_ATTEMPTS_MAX} times during one call`)
}

interface Visitor {
  readonly found: FoundDevice
  readonly device: Profile | undefined
  /** Behind the declared IDs of the call, in their order. */
  readonly declared: ReadonlyMap<ProfileId, Profile | undefined>
  readonly optedOut: { readonly id: string; readonly level: OptOut['level'] } | undefined
}

/** Finds the device and reads what is known of it and of the call's declared IDs; opt-outs are looked at before anything else. */
async function readVisitor(call: CollectedCall, rulebook: Rulebook, parts: Parts): Promise<Visitor> {
  const declaredIds = call.declaredIds.map((id) => declaredProfileId(id.dataSourceId, id.id))
  const known = deviceOfCall(call, parts.ecids)
  const found = known ??
    (await deviceOfDeclaredIds(call, rulebook, parts)) ?? {
      deviceId: call.firstDeviceId ?? parts.newDeviceId(),
      source: 'new' as const,
    }
  const ids = [deviceProfileId(found.deviceId), ...declaredIds]
  const { profiles, optOuts } = await parts.profiles.getWithOptOuts(ids)
  const at = optOuts.findIndex((optOut) => optOut !== undefined)
  const optOut = optOuts[at]
  return {
    found,
    device: profiles[0],
    declared: new Map(declaredIds.map((id, i) => [id, profiles[1 + i]])),
    optedOut: optOut && { id: ids[at]?.replace(/^d:/, '') ?? '', level: optOut.level },
  }
}

async function deviceOfDeclaredIds(
  call: CollectedCall,
  rulebook: Rulebook,
  parts: Parts,
): Promise<FoundDevice | undefined> {
  const ids = idsThatNameTheDevice(call, (id) => idTypeOf(rulebook, id.dataSourceId))
  if (ids.length === 0) return undefined
  const profiles = await parts.profiles.getMany(ids.map((id) => declaredProfileId(id.dataSourceId, id.id)))
  for (const profile of profiles) {
    const deviceId = profile && latestDevice(profile.devices)
    if (deviceId !== undefined) return { deviceId, source: 'declared' }
  }
  return undefined
}

/**
 * An opt-out of a declared ID that came between our look-up and our commit found nothing to end: it is carried out now. One of
 * the device would have refused the commit [SEC-79].
 */
async function undoIfOptedOut(device: ProfileId, { declared }: Visitor, parts: Parts): Promise<void> {
  if (declared.size === 0) return
  const optOuts = await parts.profiles.optOuts([...declared.keys()])
  if (optOuts.every((optOut) => optOut === undefined)) return
  await runFollowUps(await reevaluateDevice(device, parts), parts)
}

/** The device and those merged with it as the follow-ups left them: what the profile holds after this call [COL-47]. */
async function readAgain(device: Profile, rulebook: Rulebook, parts: Parts): Promise<readonly [Profile, Merged]> {
  const [current = device] = await parts.profiles.getMany([device.id])
  return [current, await readMerged(parts.profiles, rulebook, current.links)]
}

function deniesMore(before: Profile, next: Profile): boolean {
  const denied = before.consent?.deniedDestinations ?? []
  return (next.consent?.deniedDestinations ?? []).some((id) => !denied.includes(id))
}

interface AppliedCall {
  readonly before: Profile
  readonly draft: Profile
  readonly touched: Int32Array | 'all'
  /** Traits the call realized, on the device or on the authenticated profiles; none when it was applied before. */
  readonly realized: Int32Array
  readonly realizedOnDevice: Int32Array
  readonly isRepeat: boolean
  readonly newLinks: readonly DataSourceId[]
  readonly followUps: readonly FollowUp[]
  /** False for a call that says nothing new and is no activity: `/id` of a device without new IDs [COL-254]. */
  readonly isWorthStoring: boolean
}

/** What the call itself says about its device: IDs, traits, time and place. Pure. */
function applyCall(
  call: CollectedCall,
  visitor: Visitor,
  rulebook: Rulebook,
  matched: Int32Array,
  judgedMs: number,
): AppliedCall {
  const nowMs = call.receivedAtMs
  const id = deviceProfileId(visitor.found.deviceId)
  const before = visitor.device ?? newProfile(id, nowMs)
  // A repeat after an unknown outcome: the first one was written, so nothing is added again.
  const isRepeat = before.appliedEvents.includes(call.eventId)
  const realized = isRepeat ? NO_TRAITS : realizedTraits(call, rulebook, matched)
  const authenticated = call.declaredIds.filter(
    (declared) => declared.authState === 1 && idTypeOf(rulebook, declared.dataSourceId) === 'CROSS_DEVICE',
  )
  const identity = applyIds(call, before, visitor.declared, rulebook)
  const followUps = [...identity.followUps]
  // With state 1 traits belong to the authenticated profile of each such ID, otherwise to the device [AUD-187], [AUD-343].
  const isOnDevice = authenticated.length === 0
  if (!isOnDevice && realized.length > 0) {
    for (const declared of authenticated) {
      const target = declaredProfileId(declared.dataSourceId, declared.id)
      followUps.push({
        kind: 'realize',
        target,
        eventId: call.eventId,
        traitIds: [...realized] as TraitId[],
        atMs: nowMs,
      })
    }
  }
  // Every member written out: a spread that replaces most of them leaves the engine's fast path, 2 % of an event.
  const draft: Profile = {
    id: before.id,
    revision: before.revision,
    firstSeenMs: Math.min(before.firstSeenMs, nowMs),
    // `/id` is no activity [COL-254].
    lastSeenMs: call.kind === 'id' ? before.lastSeenMs : Math.max(before.lastSeenMs, nowMs),
    regions:
      before.regions[0] === call.region
        ? before.regions
        : [call.region, ...before.regions.filter((region) => region !== call.region)],
    traits:
      isOnDevice && realized.length > 0
        ? realizeTraits(rulebook.audience, before.traits, realized, nowMs, PROFILE_TRAITS_MAX, judgedMs)
        : before.traits,
    segments: before.segments,
    links: identity.links,
    devices: before.devices,
    appliedEvents: isRepeat ? before.appliedEvents : [...before.appliedEvents, call.eventId].slice(-EVENT_IDS_KEPT),
    plans: before.plans,
    consent: consentOf(call, before),
    membershipKey: before.membershipKey,
    dueMs: before.dueMs,
  }
  return {
    before,
    draft,
    touched: identity.loginChanged ? 'all' : isOnDevice ? realized : NO_TRAITS,
    realized,
    realizedOnDevice: isOnDevice ? realized : NO_TRAITS,
    isRepeat,
    newLinks: identity.newLinks,
    followUps,
    isWorthStoring: call.kind !== 'id' || identity.hasNews,
  }
}

const NO_TRAITS = new Int32Array(0)

/** @param matched by the signals of the call */
function realizedTraits(call: CollectedCall, rulebook: Rulebook, matched: Int32Array): Int32Array {
  if (call.kind !== 'event') return NO_TRAITS
  if (call.traitIds.length === 0) return matched
  const direct = directTraits(rulebook.audience, call.traitIds)
  return Int32Array.from(new Set([...matched, ...direct])).sort()
}

function consentOf(call: CollectedCall, before: Profile): StoredConsent | undefined {
  const { consent } = call
  // A call that says nothing about consent takes back nothing that an earlier one said.
  if (consent.reason === 'none_applies') return before.consent
  // The page's yes ends the page's no, and nothing else: a consent string or a browser's signal said more.
  if (consent.reason === PAGE_CONSENT && before.consent?.reason !== PAGE_WITHDRAWN) return before.consent
  const isUnchanged =
    consent.reason === before.consent?.reason &&
    consent.fingerprint === before.consent.fingerprint &&
    consent.deniedDestinations.join() === before.consent.deniedDestinations.join()
  if (isUnchanged) return before.consent
  return {
    decidedAtMs: call.receivedAtMs,
    fingerprint: consent.fingerprint,
    reason: consent.reason,
    deniedDestinations: consent.deniedDestinations,
  }
}

function renderOutcome(
  call: CollectedCall,
  found: FoundDevice,
  next: Profile,
  merged: Merged,
  parts: Parts,
): CallOutcome {
  const wants = call.wantsMemberships
  const tables = wants ? [next.traits, ...[...merged.values()].map((profile) => profile.traits)] : []
  const traits = [...new Set(tables.flatMap((table) => [...table.sids]))].sort((a, b) => a - b)
  const segments = wants ? [...next.segments.sids].filter((_, at) => next.segments.left[at] === 0) : []
  return {
    status: 'processed',
    deviceId: found.deviceId,
    source: found.source,
    ecid: ecidOf(call, found, parts),
    traits: traits as TraitId[],
    segments: segments as SegmentId[],
    errors: [],
  }
}

/** With `d_mid` the answer carries the same value [COL-174]; computed only where it is shown. */
function ecidOf(call: CollectedCall, found: FoundDevice, parts: Parts): string {
  if (found.source === 'ecid' && call.ecid !== undefined) return call.ecid
  if (call.kind !== 'id' || call.organization === '') return ''
  return parts.ecids.ecidOf(call.organization, found.deviceId)
}
