import { type DestinationRules, hasUnmapped } from '../activation/destination-rules.ts'
import type { Clock } from '../model/clock.ts'
import { utcDay } from '../model/time.ts'
import type { Parts } from '../pipeline/parts.ts'
import type { DeliveryStore } from '../store/delivery-store.ts'

/** What destinations were told, and are owed, as the pipeline asks for it. */
export function owedParts(options: {
  readonly deliveries: Pick<DeliveryStore, 'toldOf' | 'owedBy' | 'owe'>
  readonly destinations: () => DestinationRules
  readonly notify: Parts['notify']
  readonly clock: Clock
}): Pick<Parts, 'owedBy' | 'unmappedAt' | 'owe'> {
  const { deliveries, destinations, notify, clock } = options
  return {
    owedBy: (profileId) => deliveries.owedBy(profileId, [...destinations().existing]),
    async unmappedAt(profileId) {
      const told = await deliveries.toldOf(profileId)
      const [rules, day] = [destinations(), utcDay(clock())]
      const isOut = (one: (typeof told)[number]) => hasUnmapped(rules, one.destinationId, one.told.active, day)
      return told.filter(isOut).map(({ destinationId }) => destinationId)
    },
    async owe(profileId, destinationIds) {
      for (const destinationId of destinationIds) await deliveries.owe(profileId, destinationId, clock())
      if (destinationIds.length > 0) notify(profileId, destinationIds)
    },
  }
}
