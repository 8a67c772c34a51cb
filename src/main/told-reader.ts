import type { DestinationRule, DestinationRules } from '../activation/destination-rules.ts'
import { isInWindow } from '../activation/destination-rules.ts'
import type { Dispatcher } from '../activation/dispatcher.ts'
import { isAddressable, isDenied } from '../activation/plan.ts'
import type { ProfileView } from '../contract.ts'
import type { Clock } from '../model/clock.ts'
import type { DestinationHealth } from '../model/delivery.ts'
import type { DestinationId, ProfileId, SegmentId } from '../model/ids.ts'
import { indexOfSid, type Profile } from '../model/profile.ts'
import { isoTime, utcDay } from '../model/time.ts'
import type { WhoIsTold } from '../pipeline/explain-profile.ts'
import type { Rulebook } from '../pipeline/rulebook.ts'
import { standingOf } from '../reports/standing.ts'
import type { StoredDelivery } from '../store/delivery-record.ts'
import type { DeliveryStore } from '../store/delivery-store.ts'
import type { ToldState } from '../store/told-record.ts'

export interface ToldReaderParts {
  readonly deliveries: Pick<DeliveryStore, 'toldOf' | 'lookUp'>
  readonly rulebook: () => Pick<Rulebook, 'destinations'>
  readonly dispatcher: Pick<Dispatcher, 'openOf' | 'health'> | undefined
  readonly clock: Clock
}

/** What destinations were told of a profile, and are still to be told: parts of [OPS-52]. */
export interface ToldReader {
  /** How the last message ended, segment by segment. */
  ofProfile(id: ProfileId): Promise<ProfileView['deliveries']>
  readonly ofSegment: WhoIsTold
}

/** How one destination stands to one membership. */
interface Telling {
  readonly state: string
  readonly atMs: number | undefined
}

export function openToldReader({ deliveries, rulebook, dispatcher, clock }: ToldReaderParts): ToldReader {
  return {
    async ofProfile(id) {
      const rows = await deliveries.toldOf(id)
      return rows.flatMap(({ destinationId, told }) =>
        told.active.map((segment) => ({
          destinationId,
          segment,
          state: told.state,
          at: told.endedAtMs === 0 ? null : isoTime(told.endedAtMs),
        })),
      )
    },

    async ofSegment(profile, segmentId) {
      const nowMs = clock()
      const open = (dispatcher?.openOf(profile.id) ?? []).filter(names(profile.id, segmentId))
      const told = (await deliveries.toldOf(profile.id)).filter((row) => row.told.active.includes(segmentId))
      const mapped = mappedTo(rulebook().destinations, segmentId, nowMs)
      const health = new Map(dispatcher?.health().map((one) => [one.destinationId, one]))
      const ids = new Set([...mapped, ...told, ...open].map(({ destinationId }) => destinationId))
      const list = await Promise.all(
        [...ids].map(async (destinationId) => {
          const [owed] = await deliveries.lookUp(destinationId, [profile.id])
          const telling = tellingOf({
            isMember: profile.segments.left[indexOfSid(profile.segments.sids, segmentId)] === 0,
            profile,
            mapped: mapped.find((one) => one.destinationId === destinationId),
            told: told.find((one) => one.destinationId === destinationId)?.told,
            open: open.find((one) => one.destinationId === destinationId),
            isOwed: owed?.isOwed === true,
            halt: haltOf(health.get(destinationId), nowMs),
          })
          return telling === undefined ? [] : [view(destinationId, telling)]
        }),
      )
      return list.flat()
    },
  }
}

function view(destinationId: DestinationId, { state, atMs }: Telling) {
  const when = state === 'retrying' || state === 'waiting' || state === 'paused' ? 'since' : 'at'
  return { destinationId, state, why: atMs === undefined ? state : `${state} ${when} ${isoTime(atMs)}` }
}

interface Known {
  readonly isMember: boolean
  readonly profile: Profile
  /** Undefined: the segment is not mapped to it, or not today. */
  readonly mapped: DestinationRule | undefined
  /** Undefined: as far as is known it does not believe the membership. */
  readonly told: ToldState | undefined
  /** A message on its way that names the segment. */
  readonly open: StoredDelivery | undefined
  readonly isOwed: boolean
  /** Nothing is sent to it now. */
  readonly halt: Telling | undefined
}

/** In the order of the ledger's states [OPS-62], so far as one membership has them. @returns undefined: nothing to tell */
function tellingOf({ isMember, profile, mapped, told, open, isOwed, halt }: Known): Telling | undefined {
  if (open !== undefined) return halt ?? onItsWay(open)
  const isKnown = told !== undefined && told.state !== 'superseded'
  const isAsToldBefore = isMember === isKnown
  if (isOwed && !(isAsToldBefore && told?.state === 'acknowledged') && (isMember || isKnown))
    return halt ?? { state: 'waiting', atMs: undefined }
  if (told !== undefined) return { state: told.state, atMs: told.endedAtMs === 0 ? undefined : told.endedAtMs }
  if (!isMember || mapped === undefined) return undefined
  if (isDenied(profile, mapped)) return { state: 'blocked', atMs: undefined }
  if (!isAddressable(mapped, profile)) return { state: 'no_synced_id', atMs: undefined }
  return halt ?? { state: 'waiting', atMs: undefined }
}

function onItsWay({ status, attempts, attemptsBefore, createdAtMs }: StoredDelivery): Telling {
  const first = attempts[attemptsBefore]
  if (status === 'sending' && first === undefined) return { state: 'sent', atMs: undefined }
  return first === undefined ? { state: 'waiting', atMs: createdAtMs } : { state: 'retrying', atMs: first.startedAtMs }
}

/** Paused, switched off, or with settings that cannot be used. */
function haltOf(health: DestinationHealth | undefined, nowMs: number): Telling | undefined {
  if (health === undefined) return undefined
  const { state, sinceMs } = standingOf(health, nowMs)
  const isHalted = state === 'paused' || state === 'inactive' || state === 'unusable'
  return isHalted ? { state: 'paused', atMs: sinceMs ?? undefined } : undefined
}

function mappedTo(rules: DestinationRules, segmentId: SegmentId, nowMs: number): DestinationRule[] {
  if (rules.segments.get(segmentId) !== true) return []
  const mappings = rules.bySegment.get(segmentId) ?? []
  return mappings.filter((mapping) => isInWindow(mapping, utcDay(nowMs))).map(({ destination }) => destination)
}

const names = (profileId: ProfileId, segmentId: SegmentId) => (delivery: StoredDelivery) =>
  delivery.users.some((user) => {
    return user.profileId === profileId && (user.active.includes(segmentId) || user.inactive.includes(segmentId))
  })
