import type { ProfileId } from '../model/ids.ts'
import { utcDay } from '../model/time.ts'
import type { StoredDelivery } from '../store/delivery-record.ts'
import { type DestinationRules, hasUnmapped } from './destination-rules.ts'
import type { InFlight } from './in-flight.ts'
import type { RunnerParts } from './runner-parts.ts'
import type { UntilStored } from './until-stored.ts'

/**
 * Writes how a message ended: first what its users were told, then that it is over, so that a stop in between repeats it
 * and loses nothing. @returns its users who are in no other message, and whether each is still owed something
 */
export async function storeEnding(
  { deliveries, clock, rules }: Pick<RunnerParts, 'deliveries' | 'clock' | 'rules'>,
  untilStored: UntilStored,
  inFlight: InFlight,
  ended: StoredDelivery,
): Promise<readonly { readonly profileId: ProfileId; readonly isDue: boolean }[]> {
  const settled = inFlight.ended(ended, ended.finishedAtMs ?? clock())
  // Users with a superseded message are built anew; those of a replay have no marker any more.
  const late = toldTooLate(rules(), ended, utcDay(clock()))
  const replaced = settled
    .map((one) => one.profileId)
    .filter((profileId) => inFlight.isReplaced(profileId) || late.has(profileId))
  const due = await untilStored(() =>
    Promise.all(
      settled.map((one) => deliveries.settle({ ...one, release: one.release && !replaced.includes(one.profileId) })),
    ),
  )
  await untilStored(() =>
    Promise.all(replaced.map((profileId) => deliveries.owe(profileId, ended.destinationId, clock()))),
  )
  await untilStored(() => deliveries.end(ended))
  return settled.flatMap(({ profileId, release }, at) => (release ? [{ profileId, isDue: due[at] === true }] : []))
}

/** What was unmapped while the message was on its way is taken back by the next one [OUT-58]. */
function toldTooLate(rules: DestinationRules, ended: StoredDelivery, day: number): ReadonlySet<ProfileId> {
  if (ended.status !== 'acknowledged' || rules.unmapKey === 0) return new Set()
  const late = ended.users.filter(({ active }) => hasUnmapped(rules, ended.destinationId, active, day))
  return new Set(late.map(({ profileId }) => profileId))
}
