import { latestDevice } from '../identity/links.ts'
import { deviceOfCall } from '../identity/resolve-device.ts'
import type { OptOutCall, OptOutLevel, OptOutOutcome } from '../model/collected-call.ts'
import type { DeclaredId } from '../model/event.ts'
import type { FollowUp } from '../model/follow-up.ts'
import { type DeviceId, declaredProfileId, deviceProfileId, type ProfileId } from '../model/ids.ts'
import type { StoredFollowUp } from '../store/profile-store.ts'
import { runFollowUps } from './follow-ups.ts'
import type { Parts } from './parts.ts'

/**
 * Opts out what a call names: durable on disk before it resolves [SEC-79], then out of every segment. A declared ID
 * takes the last device linked to it along [COL-228].
 */
export async function optOut(call: OptOutCall, parts: Parts): Promise<OptOutOutcome> {
  const { ids, alsoAffected, madeDeviceId } = await targetsOf(call, parts)
  const known = await parts.profiles.optOuts(ids)
  const recorded: StoredFollowUp[] = []
  await Promise.all(
    ids.map(async (target, at) => {
      // A global opt-out is never narrowed by a later, partner-level one.
      if (known[at]?.level === 'global') return
      const record = { level: call.level, reason: call.reason, atMs: call.receivedAtMs } as const
      const atMs = call.receivedAtMs
      const followUps: readonly FollowUp[] = [
        { kind: 'optout', target, atMs },
        ...(alsoAffected.get(target) ?? []).map(
          (other): FollowUp => ({ kind: 'reevaluate', target: other, atMs, tell: true }),
        ),
      ]
      recorded.push(...(await parts.profiles.recordOptOut(target, record, parts.newEventId(), followUps)))
    }),
  )
  await runFollowUps(recorded, parts)
  return { ids: ids.map((id) => id.replace(/^d:/, '')), deviceId: madeDeviceId }
}

/** Is any of these IDs opted out? The wider level wins. */
export async function optOutStatus(
  call: Pick<OptOutCall, 'deviceId' | 'ecid' | 'organization' | 'cookieDeviceId' | 'declaredIds'>,
  parts: Parts,
): Promise<OptOutLevel | undefined> {
  const device = deviceOfCall(call, parts.ecids)
  const ids = call.declaredIds.map((id) => declaredProfileId(id.dataSourceId, id.id))
  if (device !== undefined) ids.push(deviceProfileId(device.deviceId))
  const found = (await parts.profiles.optOuts(ids)).filter((optOut) => optOut !== undefined)
  return found.find((optOut) => optOut.level === 'global')?.level ?? found[0]?.level
}

interface Targets {
  readonly ids: readonly ProfileId[]
  /** Devices that were merged with an opted-out person and must be evaluated without it. */
  readonly alsoAffected: ReadonlyMap<ProfileId, readonly ProfileId[]>
  readonly madeDeviceId: DeviceId | undefined
}

const NOBODY_ELSE: Targets['alsoAffected'] = new Map()

async function targetsOf(call: OptOutCall, parts: Parts): Promise<Targets> {
  if (call.level === 'global') {
    const ids = call.cookieDeviceId === undefined ? [] : [deviceProfileId(call.cookieDeviceId)]
    return { ids, alsoAffected: NOBODY_ELSE, madeDeviceId: undefined }
  }
  const ids = new Set<ProfileId>()
  const alsoAffected = new Map<ProfileId, readonly ProfileId[]>()
  const pair = call.deprecatedPair
  const declared = call.declaredIds.filter((id) => id.dataSourceId !== pair?.dataSourceId || id.id !== pair.id)
  const people = declared.map((id) => declaredProfileId(id.dataSourceId, id.id))
  for (const profile of await parts.profiles.getMany(people)) {
    if (profile === undefined) continue
    const last = latestDevice(profile.devices)
    if (last !== undefined) ids.add(deviceProfileId(last))
    alsoAffected.set(
      profile.id,
      profile.devices.map((link) => deviceProfileId(link.deviceId)),
    )
  }
  for (const id of people) ids.add(id)
  // The cookie's device is meant only when the call names nobody else, or when consent was declined by this browser.
  const isNamed = call.deviceId !== undefined || call.ecid !== undefined || people.length > 0 || pair !== undefined
  const device = deviceOfCall(
    isNamed && call.reason === 'request' ? { ...call, cookieDeviceId: undefined } : call,
    parts.ecids,
  )
  if (device !== undefined) ids.add(deviceProfileId(device.deviceId))
  // With `d_uuid` that always wins, even if the pair maps elsewhere [COL-231].
  const ofPair = pair === undefined || call.deviceId !== undefined ? undefined : await deviceOfPair(call, pair, parts)
  if (ofPair !== undefined) ids.add(deviceProfileId(ofPair.deviceId))
  return { ids: [...ids], alsoAffected, madeDeviceId: ofPair?.isMade ? ofPair.deviceId : undefined }
}

/** The deprecated form is kept under a device: the latest of the pair, else the cookie's, else a new one [COL-230]. */
async function deviceOfPair(
  call: OptOutCall,
  pair: DeclaredId,
  parts: Parts,
): Promise<{ readonly deviceId: DeviceId; readonly isMade: boolean }> {
  const [profile] = await parts.profiles.getMany([declaredProfileId(pair.dataSourceId, pair.id)])
  const known = (profile && latestDevice(profile.devices)) ?? call.cookieDeviceId
  return { deviceId: known ?? parts.newDeviceId(), isMade: known === undefined }
}
