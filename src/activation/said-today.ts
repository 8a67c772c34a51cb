import type { ProfileId, SegmentId } from '../model/ids.ts'
import type { IdLink } from '../model/profile.ts'
import type { StoredDelivery, WrittenUser } from '../store/delivery-record.ts'
import type { OwedProfile } from '../store/delivery-store.ts'
import type { ToldState } from '../store/told-record.ts'
import type { DestinationRule } from './destination-rules.ts'
import { readOptedOut } from './opted-out.ts'
import type { ReplayAs, ReplayOrder } from './replay-order.ts'
import type { RunnerParts } from './runner-parts.ts'
import { buildUserEntries, type ProfileEntries } from './user-entries.ts'

/** What could be told today to the users of an ended delivery, and whether its bytes say just that [SEC-42]. */

export interface SaidToday {
  readonly profileId: ProfileId
  /** With all that the old message named. */
  readonly told: ToldState
  readonly links: readonly IdLink[]
  readonly entries: ProfileEntries['entries']
  /** Undefined: there is something to tell. */
  readonly reason: NotSent | undefined
}

export type NotSent = 'nothing_to_tell' | 'no_unsegment' | 'no_partner_id' | 'no_profile'

/** What could be told today to the users of an ended delivery. @throws StoreUnavailableError safe to repeat */
export async function sayToday(
  { deliveries, profiles, rules, clock }: Pick<RunnerParts, 'deliveries' | 'profiles' | 'rules' | 'clock'>,
  destination: DestinationRule,
  delivery: StoredDelivery,
): Promise<readonly SaidToday[]> {
  const profileIds = usersOf(delivery)
  const [owed, found] = await Promise.all([
    deliveries.lookUp(destination.destinationId, profileIds),
    profiles.getMany(profileIds),
  ])
  const optedOut = await readOptedOut(profiles, destination, found)
  return profileIds.map((profileId, at) => {
    const told = toldBy(delivery, profileId, owed[at]?.told)
    const profile = found[at]
    if (profile === undefined) return { profileId, told, links: [], entries: [], reason: 'no_profile' }
    const { links } = profile
    const { entries, skipped } = buildUserEntries(rules(), destination, profile, told.active, clock(), optedOut)
    return { profileId, told, links, entries, reason: notSent(destination, skipped) }
  })
}

/**
 * All that its bytes say holds today: the account, the form, who the users are to the partner, what it calls each segment,
 * and who is in it. A user who left is told so also where that could not be said anew.
 */
export function stillHolds(delivery: StoredDelivery, rule: DestinationRule, today: readonly SaidToday[]): boolean {
  const { written, users } = delivery
  // Of an early version, which did not keep what it says.
  if (written === undefined || !rule.wire.isAsToday(delivery)) return false
  const said = new Map(today.map((one) => [one.profileId, one]))
  return users.every(({ profileId }, at) => {
    const [row, now] = [written[at], said.get(profileId)]
    return row !== undefined && now !== undefined && holdsOf(row, rule, now)
  })
}

function holdsOf(
  { dataSourceId, partnerId, segments }: WrittenUser,
  { config, userDpids, mappings }: DestinationRule,
  { links, entries }: SaidToday,
): boolean {
  const isKnown =
    partnerId === ''
      ? config.sendWithoutPartnerId
      : userDpids.includes(dataSourceId) &&
        links.some((link) => link.dataSourceId === dataSourceId && link.id === partnerId)
  const entry = entries.find((one) => one.userDpid === dataSourceId && one.entry.partnerId === partnerId)?.entry
  return (
    isKnown &&
    segments.every(([sid, code, status]) => {
      const now = entry?.segments.find((segment) => segment.sid === sid)
      if (status === 1) return now?.active === true && now.value === code
      const codeNow = now?.value ?? mappings.get(sid as SegmentId)?.value ?? code
      return now?.active !== true && codeNow === code && config.supportsUnsegment
    })
  )
}

/**
 * Of the users of an ended delivery those who were told of all its segments since the replay was asked for, by a message of
 * the replay or of another: each user is told once. One that died counts only when it was made since.
 */
export async function toldSince(
  { deliveries, clock }: Pick<RunnerParts, 'deliveries' | 'clock'>,
  delivery: StoredDelivery,
  found: readonly OwedProfile[],
  { createdAtMs }: ReplayOrder,
): Promise<ReadonlyMap<ProfileId, StoredDelivery>> {
  const already = new Map<ProfileId, StoredDelivery>()
  for (const [at, profileId] of usersOf(delivery).entries()) {
    const { told, isOwed } = found[at] ?? {}
    // Its time is of whole seconds.
    if (told === undefined || isOwed === true || told.endedAtMs + 1_000 <= createdAtMs) continue
    const newer = told.deliveryId === delivery.deliveryId ? undefined : await deliveries.get(told.deliveryId)
    if (newer?.status !== 'acknowledged' && newer?.status !== 'dead') continue
    const isNew = isSince(newer.status === 'dead' ? newer.createdAtMs : newer.finishedAtMs, createdAtMs, clock())
    const says = new Set(namedOf(newer, profileId))
    if (isNew && namedOf(delivery, profileId).every((sid) => says.has(sid))) already.set(profileId, newer)
  }
  return already
}

/** @param atMs not in the future: the clock may have been ahead then [SEC-91] */
export function isSince(atMs: number | null, sinceMs: number, nowMs: number): boolean {
  return atMs !== null && atMs > sinceMs && atMs <= nowMs
}

/** Why it is not sent again as the same bytes: its users were told by another message instead, or somebody let it go. */
export function doneBy({ replayedBy, reason }: StoredDelivery, as: ReplayAs): 'replayed' | 'discarded' | undefined {
  if (as === 'current') return undefined
  if (replayedBy !== undefined) return 'replayed'
  return reason === 'discarded' ? 'discarded' : undefined
}

/** Why a replay of it sends nothing at all. */
export function whyNot(today: readonly SaidToday[], as: ReplayAs): string {
  const reason = today.find((one) => one.reason !== undefined)?.reason ?? 'nothing_to_tell'
  return as === 'same' && reason === 'nothing_to_tell' ? 'outdated' : reason
}

/** Each once. */
export function usersOf({ users }: StoredDelivery): ProfileId[] {
  return [...new Set(users.map(({ profileId }) => profileId))]
}

function namedOf({ users }: StoredDelivery, profileId: ProfileId): number[] {
  return users
    .filter((user) => user.profileId === profileId)
    .flatMap(({ active, inactive }) => [...active, ...inactive])
}

function toldBy(delivery: StoredDelivery, profileId: ProfileId, told: ToldState | undefined): ToldState {
  const { deliveryId } = delivery
  const active = [...new Set([...(told?.active ?? []), ...namedOf(delivery, profileId)])].sort((a, b) => a - b)
  const never = { sequence: 0, acknowledgedAtMs: 0, endedAtMs: 0, deliveryId, state: 'dead' } as const
  return { ...(told ?? never), active }
}

function notSent(
  { config }: DestinationRule,
  skipped: ReturnType<typeof buildUserEntries>['skipped'],
): NotSent | undefined {
  if (skipped === undefined || skipped === 'no_partner_id') return skipped
  return config.supportsUnsegment ? 'nothing_to_tell' : 'no_unsegment'
}
