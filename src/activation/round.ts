import { type DataSourceId, type DeliveryId, declaredProfileId, type ProfileId } from '../model/ids.ts'
import type { Profile } from '../model/profile.ts'
import { newDeliveryId } from '../store/delivery-keys.ts'
import type { StoredDelivery } from '../store/delivery-record.ts'
import type { DestinationRule, DestinationRules } from './destination-rules.ts'
import type { UserEntry } from './message.ts'
import { buildUserEntries, type ProfileEntries } from './user-entries.ts'

/** A profile that is owed, as it is now. */
export interface RoundMember {
  readonly profileId: ProfileId
  readonly profile: Profile | undefined
  /** Segments the destination was possibly told as active. */
  readonly toldActive: readonly number[]
}

export interface RoundOptions {
  readonly nowMs: number
  readonly replayOf: DeliveryId | null
  /** Devices and declared IDs that may only be taken back [SEC-79]. */
  readonly optedOut: ReadonlySet<ProfileId>
}

export interface Round {
  /** Frozen together: a profile can stand in several of them. */
  readonly deliveries: readonly StoredDelivery[]
  /** Members that are in none, and why. */
  readonly skipped: readonly { readonly profileId: ProfileId; readonly revision: number; readonly reason: SkipReason }[]
}

export type SkipReason = NonNullable<ProfileEntries['skipped']> | 'no_profile'

interface Row {
  readonly entry: UserEntry
  readonly profile: Profile
  readonly active: readonly number[]
  readonly inactive: readonly number[]
}

/**
 * Builds the messages for some profiles from their state now: one for each data source of partner IDs, at most
 * as many entries each as its type puts into a request. Source: outbound.md OUT-38, OUT-40, OUT-209.
 */
export function buildRound(
  rules: DestinationRules,
  destination: DestinationRule,
  members: readonly RoundMember[],
  { nowMs, replayOf, optedOut }: RoundOptions,
): Round {
  const rows = new Map<DataSourceId, Row[]>()
  const skipped: Round['skipped'][number][] = []
  for (const { profileId, profile, toldActive } of members) {
    if (profile === undefined) {
      skipped.push({ profileId, revision: 0, reason: 'no_profile' })
      continue
    }
    const {
      entries,
      active,
      inactive,
      skipped: reason,
    } = buildUserEntries(rules, destination, profile, toldActive, nowMs, optedOut)
    if (reason !== undefined) skipped.push({ profileId, revision: profile.revision, reason })
    for (const { userDpid, entry } of entries) {
      const row = { entry, profile, active, inactive }
      const others = rows.get(userDpid)
      if (others === undefined) rows.set(userDpid, [row])
      else others.push(row)
    }
  }

  const roundId = newDeliveryId()
  const { usersInRequest } = destination.wire
  const chunks = [...rows].flatMap(([userDpid, all]) =>
    chunked(all, usersInRequest).map((chunk) => ({ userDpid, chunk })),
  )
  const deliveries = chunks.map(({ userDpid, chunk }, index): StoredDelivery => {
    const deliveryId = index === 0 ? roundId : newDeliveryId()
    const { destinationId } = destination
    const users = chunk.map(({ entry }) => entry)
    const request = destination.wire.render({ deliveryId, destinationId, nowMs, dataSourceId: userDpid, users })
    return {
      ...request,
      deliveryId,
      destinationId,
      destinationCreatedAtMs: destination.createdAtMs,
      status: 'sending',
      reason: null,
      createdAtMs: nowMs,
      finishedAtMs: null,
      users: chunk.map(({ profile, active, inactive }) => ({
        profileId: profile.id,
        revision: profile.revision,
        active,
        inactive,
      })),
      attempts: [],
      nextAttemptMs: 0,
      replayOf,
      headers: [],
      roundId,
      roundSize: chunks.length,
      attemptsBefore: 0,
      named: namedIn(userDpid, chunk),
      written: chunk.map(({ entry: { partnerId, segments } }) => ({
        dataSourceId: userDpid,
        partnerId,
        segments: segments.map(({ sid, value, active }) => [sid, value, active ? 1 : 0]),
      })),
      aamWouldDrop: false,
    }
  })
  return { deliveries, skipped }
}

/** Whom the entries tell with Status 1: the devices, and their partner IDs. */
function namedIn(userDpid: DataSourceId, rows: readonly Row[]): ProfileId[] {
  const told = rows.filter(({ entry }) => entry.segments.some((segment) => segment.active))
  const ids = told.flatMap(({ entry, profile }) => [profile.id, declaredProfileId(userDpid, entry.partnerId)])
  return [...new Set(ids)]
}

function chunked<T>(all: readonly T[], size: number): T[][] {
  const chunks: T[][] = []
  for (let at = 0; at < all.length; at += size) chunks.push(all.slice(at, at + size))
  return chunks
}
