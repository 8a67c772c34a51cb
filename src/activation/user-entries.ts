import { type DataSourceId, declaredProfileId, type ProfileId, parseProfileId, type SegmentId } from '../model/ids.ts'
import { indexOfSid, type Profile } from '../model/profile.ts'
import { utcDay } from '../model/time.ts'
import { type DestinationRule, type DestinationRules, isInWindow } from './destination-rules.ts'
import type { SegmentEntry, UserEntry } from './message.ts'
import { isDenied, isFinalReason } from './plan.ts'

export interface ProfileEntries {
  /** One for each partner ID, grouped by data source; empty when there is nothing to send. */
  readonly entries: readonly { readonly userDpid: DataSourceId; readonly entry: UserEntry }[]
  /** Segments in the entries with Status 1, and with Status 0; of opted-out IDs only when there is no other. */
  readonly active: readonly number[]
  readonly inactive: readonly number[]
  /** Why nothing is sent. */
  readonly skipped: 'not_a_device' | 'no_segments' | 'no_partner_id' | undefined
}

const NOBODY: ReadonlySet<ProfileId> = new Set()

/**
 * What one destination is told of one profile: all active mapped memberships, and Status 0 for every segment it may
 * believe active that is not held any more. A denied destination gets only the zeros, and so does every ID that opted
 * out; the other partner IDs get the same. Source: outbound.md OUT-06, OUT-41, OUT-43, OUT-46 to OUT-50, OUT-52, OUT-57,
 * OUT-58; security.md SEC-74, SEC-79; AUD-123.
 * @param told segments the destination was possibly told as active
 * @param optedOut devices and declared IDs that opted out
 */
export function buildUserEntries(
  rules: DestinationRules,
  destination: DestinationRule,
  profile: Profile,
  told: readonly number[],
  nowMs: number,
  optedOut = NOBODY,
): ProfileEntries {
  const device = parseProfileId(profile.id)
  if (device?.kind !== 'device') return nothing('not_a_device')
  const isSilenced = isDenied(profile, destination) || optedOut.has(profile.id)
  const active = isSilenced ? [] : activeSegments(rules, destination, profile, nowMs)
  const held = new Set(active.map(({ sid }) => sid))
  const gone = told.filter((sid) => !held.has(sid))
  const inactive = inactiveSegments(rules, destination, profile, gone, nowMs, isSilenced)
  const zeros = inactiveSegments(rules, destination, profile, told, nowMs, true)

  const ids = partnerIds(destination, profile)
  const isOut = ({ userDpid, partnerId }: PartnerId) => optedOut.has(declaredProfileId(userDpid, partnerId))
  const onlyZeros = ids.length > 0 && ids.every(isOut)
  const all = mostRecentFirst([...active, ...inactive])
  const entries = ids.flatMap((id) => {
    const segments = isOut(id) ? zeros : all
    const entry = { deviceId: device.deviceId, partnerId: id.partnerId, regions: profile.regions, segments }
    return segments.length === 0 ? [] : [{ userDpid: id.userDpid, entry }]
  })
  if (entries.length === 0) return nothing(ids.length === 0 && all.length > 0 ? 'no_partner_id' : 'no_segments')
  return {
    entries,
    active: onlyZeros ? [] : active.map(({ sid }) => sid),
    inactive: (onlyZeros ? zeros : inactive).map(({ sid }) => sid),
    skipped: undefined,
  }
}

function activeSegments(
  { segments }: DestinationRules,
  { mappings }: DestinationRule,
  profile: Profile,
  nowMs: number,
): SegmentEntry[] {
  const { sids, left, verifiedSeconds } = profile.segments
  const day = utcDay(nowMs)
  const found: SegmentEntry[] = []
  for (let at = 0; at < sids.length; at++) {
    if (left[at] !== 0) continue
    const sid = sids[at] as SegmentId
    const mapping = mappings.get(sid)
    if (mapping === undefined || !isInWindow(mapping, day) || segments.get(sid) !== true) continue
    found.push({ sid, value: mapping.value, active: true, atSeconds: verifiedSeconds[at] as number })
  }
  return found
}

/**
 * Of the segments `gone`, those that may be taken back now; the others stay pending.
 * @param isSilenced nothing more may be told: all is taken back, whatever became of its mapping
 */
function inactiveSegments(
  rules: DestinationRules,
  destination: DestinationRule,
  { segments }: Profile,
  gone: readonly number[],
  nowMs: number,
  isSilenced: boolean,
): SegmentEntry[] {
  if (!destination.config.supportsUnsegment) return []
  const found: SegmentEntry[] = []
  for (const sid of gone) {
    const at = indexOfSid(segments.sids, sid)
    const reason = segments.left[at]
    const isForced = isSilenced || isFinalReason(reason)
    const value = valueToTakeBack(rules, destination, sid as SegmentId, utcDay(nowMs), isForced)
    if (value === undefined) continue
    const hasLeft = at >= 0 && reason !== 0
    const atSeconds = hasLeft ? (segments.sinceSeconds[at] as number) : Math.floor(nowMs / 1000)
    found.push({ sid, value, active: false, atSeconds })
  }
  return mostRecentFirst(found)
}

function mostRecentFirst(segments: SegmentEntry[]): SegmentEntry[] {
  return segments.sort((a, b) => b.atSeconds - a.atSeconds || a.sid - b.sid)
}

function valueToTakeBack(
  rules: DestinationRules,
  destination: DestinationRule,
  sid: SegmentId,
  day: number,
  isForced: boolean,
): string | undefined {
  const mapping = destination.mappings.get(sid)
  const name = mapping?.value ?? destination.formerAliases[sid] ?? String(sid)
  const isActive = rules.segments.get(sid)
  // The person goes, or the segment was deleted: for good, whatever the mapping says [OUT-52], [OUT-55], [AUD-123].
  if (isForced || isActive === undefined) return name
  if (!isActive) return undefined
  if (mapping !== undefined && isInWindow(mapping, day)) return mapping.value
  // Unmapped, or the mapping has ended: no reason of the source, sent only where wanted [OUT-58].
  return destination.config.unsegmentOnUnmap ? name : undefined
}

interface PartnerId {
  readonly userDpid: DataSourceId
  readonly partnerId: string
}

/** Every partner ID is an entry of its own, the latest first in each data source. */
function partnerIds({ config, userDpids }: DestinationRule, { links }: Profile): PartnerId[] {
  const ids = userDpids.flatMap((userDpid) =>
    links
      .filter((link) => link.dataSourceId === userDpid)
      .sort((a, b) => b.syncedAtMs - a.syncedAtMs)
      .map((link) => ({ userDpid, partnerId: link.id })),
  )
  const [userDpid] = userDpids
  return ids.length === 0 && config.sendWithoutPartnerId && userDpid !== undefined ? [{ userDpid, partnerId: '' }] : ids
}

function nothing(skipped: ProfileEntries['skipped']): ProfileEntries {
  return { entries: [], active: [], inactive: [], skipped }
}
