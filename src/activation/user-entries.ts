import { type DataSourceId, parseProfileId, type SegmentId } from '../model/ids.ts'
import { indexOfSid, type Profile } from '../model/profile.ts'
import { utcDay } from '../model/time.ts'
import { type DestinationRule, type DestinationRules, isInWindow } from './destination-rules.ts'
import type { UserEntry } from './message.ts'
import { isDenied } from './plan.ts'

export interface ProfileEntries {
  /** One for each partner ID, grouped by data source; empty when there is nothing to send. */
  readonly entries: readonly { readonly userDpid: DataSourceId; readonly entry: UserEntry }[]
  /** Segments in the entries with Status 1, and with Status 0. */
  readonly active: readonly number[]
  readonly inactive: readonly number[]
  /** Why nothing is sent. */
  readonly skipped: 'not_a_device' | 'no_segments' | 'no_partner_id' | undefined
}

/**
 * What one destination is told of one profile: all active mapped memberships, and Status 0 for every segment it may
 * believe active that is not held any more. A denied destination gets only the zeros. All partner IDs get the same.
 * Source: outbound.md OUT-06, OUT-41, OUT-43, OUT-46 to OUT-50, OUT-57, OUT-58; security.md SEC-74; AUD-123.
 * @param told segments the destination was possibly told as active
 */
export function buildUserEntries(
  rules: DestinationRules,
  destination: DestinationRule,
  profile: Profile,
  told: readonly number[],
  nowMs: number,
): ProfileEntries {
  const device = parseProfileId(profile.id)
  if (device?.kind !== 'device') return nothing('not_a_device')
  const active = isDenied(profile, destination) ? [] : activeSegments(rules, destination, profile, nowMs)
  const held = new Set(active.map(({ sid }) => sid))
  const gone = told.filter((sid) => !held.has(sid))
  const inactive = destination.config.supportsUnsegment
    ? inactiveSegments(rules, destination, profile, gone, nowMs)
    : []
  if (active.length + inactive.length === 0) return nothing('no_segments')

  const segments = [...active, ...inactive].sort((a, b) => b.atSeconds - a.atSeconds || a.sid - b.sid)
  const ids = partnerIds(destination, profile)
  return {
    entries: ids.map(({ userDpid, partnerId }) => ({
      userDpid,
      entry: { deviceId: device.deviceId, partnerId, regions: profile.regions, segments },
    })),
    active: active.map(({ sid }) => sid),
    inactive: inactive.map(({ sid }) => sid),
    skipped: ids.length === 0 ? 'no_partner_id' : undefined,
  }
}

interface Segment {
  readonly sid: number
  readonly value: string
  readonly active: boolean
  readonly atSeconds: number
}

function activeSegments(
  { segments }: DestinationRules,
  { mappings }: DestinationRule,
  profile: Profile,
  nowMs: number,
): Segment[] {
  const { sids, left, verifiedSeconds } = profile.segments
  const day = utcDay(nowMs)
  const found: Segment[] = []
  for (let at = 0; at < sids.length; at++) {
    if (left[at] !== 0) continue
    const sid = sids[at] as SegmentId
    const mapping = mappings.get(sid)
    if (mapping === undefined || !isInWindow(mapping, day) || segments.get(sid) !== true) continue
    found.push({ sid, value: mapping.value, active: true, atSeconds: verifiedSeconds[at] as number })
  }
  return found
}

/** Of the segments `gone`, those that may be taken back now; the others stay pending. */
function inactiveSegments(
  rules: DestinationRules,
  destination: DestinationRule,
  profile: Profile,
  gone: readonly number[],
  nowMs: number,
): Segment[] {
  const found: Segment[] = []
  for (const sid of gone) {
    const value = valueToTakeBack(rules, destination, sid as SegmentId, utcDay(nowMs))
    if (value === undefined) continue
    const at = indexOfSid(profile.segments.sids, sid)
    const hasLeft = at >= 0 && profile.segments.left[at] !== 0
    const atSeconds = hasLeft ? (profile.segments.sinceSeconds[at] as number) : Math.floor(nowMs / 1000)
    found.push({ sid, value, active: false, atSeconds })
  }
  return found
}

function valueToTakeBack(
  rules: DestinationRules,
  destination: DestinationRule,
  sid: SegmentId,
  day: number,
): string | undefined {
  const mapping = destination.mappings.get(sid)
  const isActive = rules.segments.get(sid)
  // A deleted segment has lost its members for good, whatever its mapping says [AUD-123].
  if (isActive === undefined) return mapping?.value ?? String(sid)
  if (!isActive) return undefined
  if (mapping !== undefined && isInWindow(mapping, day)) return mapping.value
  // Unmapped, or the mapping has ended: no reason of the source, sent only where wanted [OUT-58].
  return destination.config.unsegmentOnUnmap ? (mapping?.value ?? String(sid)) : undefined
}

/** Every partner ID is an entry of its own, the latest first in each data source. */
function partnerIds({ config, userDpids }: DestinationRule, { links }: Profile) {
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
