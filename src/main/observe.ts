import { hasDestination } from '../activation/destination-rules.ts'
import type { LiveDelivery, LiveEvent, LiveMembership, LiveRates } from '../contract.ts'
import { type LiveFeed, openLiveFeed } from '../lib/live-feed.ts'
import type { Clock } from '../model/clock.ts'
import { isoTime } from '../model/time.ts'
import type { Parts } from '../pipeline/parts.ts'
import type { Rulebook } from '../pipeline/rulebook.ts'
import { Activity, DELETED_DESTINATIONS } from '../reports/activity.ts'
import { type ActivityKeeper, keepActivity } from '../reports/activity-store.ts'
import { UnsentSince } from '../reports/unsent-since.ts'
import type { StoredDelivery } from '../store/delivery-record.ts'
import type { JobStore } from '../store/job-store.ts'

/** Counts what becomes true, and tells those who watch: the hooks of the pipeline and of delivery. */
export interface Observer extends Required<Pick<Parts, 'onCall' | 'onMembership'>> {
  readonly activity: Activity
  readonly live: LiveFeed
  /** After a commit that owes something to destinations. */
  readonly onOwed: Parts['notify']
  readonly onEnded: (delivery: StoredDelivery) => void
  /** The rulebook was swapped; call it before delivery hears of that. */
  readonly rulesChanged: () => void
  /** Writes the counts; call it when nothing happens any more. */
  close(): Promise<void>
}

export async function openObserver(options: {
  readonly rulebook: Parts['rulebook']
  readonly jobs: JobStore
  readonly clock: Clock
  readonly onFailed: (error: unknown) => void
}): Promise<Observer> {
  const { rulebook, jobs, clock, onFailed } = options
  const activity = new Activity(clock())
  const keeper: ActivityKeeper = await keepActivity(activity, jobs, onFailed)
  const unsent = new UnsentSince()
  const live = openLiveFeed({ rates: ratesOf(activity, clock) })
  let known = destinationsOf(rulebook())
  const forgetDeleted = (now: ReadonlyMap<number, number | undefined>) => {
    const counted = [...activity.named.acknowledged.entries(), ...activity.named.dead.entries()].map(([id]) => id)
    const isAnother = (id: number) => !now.has(id) || (known.has(id) && known.get(id) !== now.get(id))
    for (const id of new Set(counted)) if (isAnother(id) && id !== DELETED_DESTINATIONS) activity.forgetDestination(id)
    known = now
  }
  forgetDeleted(known)

  return {
    activity,
    live,
    onCall(call, before, next, realized) {
      const { audience } = rulebook()
      const nowMs = clock()
      const counted = {
        isEvent: call.kind === 'event',
        realized,
        dataSourceOf: (traitId: number) => audience.trait(traitId)?.dataSourceId,
        seenBeforeMs: before.revision === 0 ? undefined : before.lastSeenMs,
        seenMs: next.lastSeenMs,
      }
      activity.event(counted, nowMs)
      if (!counted.isEvent || !live.wants('event')) return
      const item: LiveEvent = { at: isoTime(nowMs), profileId: next.id, region: call.region, traits: [...realized] }
      live.send('event', item)
    },
    onMembership(profileId, changes, realized) {
      const { audience } = rulebook()
      const nowMs = clock()
      activity.memberships(changes, realized, audience.isNamedBy, nowMs)
      for (const { segmentId, member } of changes) {
        if (!live.wants('membership')) return
        const name = audience.segment(segmentId)?.name ?? null
        const item: LiveMembership = {
          at: isoTime(nowMs),
          profileId,
          sid: segmentId,
          name,
          status: member ? 'in' : 'out',
        }
        live.send('membership', item)
      }
    },
    onOwed: (profileId, destinationIds) => unsent.committed(profileId, destinationIds, clock()),
    onEnded(delivery) {
      const { deliveryId, destinationId, status, users } = delivery
      const nowMs = clock()
      const sinceMs = unsent.ended(delivery)
      const eventToPartnerMs = sinceMs === undefined ? undefined : nowMs - sinceMs
      const countedAs = hasDestination(delivery, rulebook().destinations) ? destinationId : DELETED_DESTINATIONS
      activity.delivery({ ...delivery, destinationId: countedAs, eventToPartnerMs }, nowMs)
      if (!live.wants('delivery')) return
      const item: LiveDelivery = { at: isoTime(nowMs), deliveryId, destinationId, status, users: users.length }
      live.send('delivery', item)
    },
    rulesChanged: () => forgetDeleted(destinationsOf(rulebook())),
    close() {
      live.close()
      return keeper.close()
    },
  }
}

/** Every destination that exists, by its id, and when it was made. */
function destinationsOf({ destinations: { existing, byId } }: Rulebook): ReadonlyMap<number, number | undefined> {
  return new Map([...existing].map((id) => [id, byId.get(id)?.createdAtMs]))
}

function ratesOf({ running }: Activity, clock: Clock): (elapsedMs: number) => LiveRates {
  let before = { ...running }
  return (elapsedMs) => {
    const perSecond = (name: keyof typeof running) =>
      elapsedMs <= 0 ? 0 : Math.round((running[name] - before[name]) / (elapsedMs / 10_000)) / 10
    const rates = {
      at: isoTime(clock()),
      eventsPerSecond: perSecond('events'),
      membershipsPerSecond: perSecond('memberships'),
      deliveriesPerSecond: perSecond('deliveries'),
    }
    before = { ...running }
    return rates
  }
}
