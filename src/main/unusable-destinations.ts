import type { DestinationRules } from '../activation/destination-rules.ts'
import type { Log } from '../lib/log.ts'
import type { DestinationId } from '../model/ids.ts'

/** Logs once of each destination that its stored settings cannot be used, and once that they can again. */
export function watchUnusable(log: Pick<Log, 'error' | 'info'>): (rules: Pick<DestinationRules, 'byId'>) => void {
  const known = new Map<DestinationId, string>()
  return ({ byId }) => {
    for (const { destinationId, name, unusable } of byId.values()) {
      if (unusable === undefined || known.get(destinationId) === unusable) continue
      known.set(destinationId, unusable)
      const toDo = 'what it is owed is kept; save the destination again with settings that are valid'
      log.error('destination.unusable', { destinationId, name, reason: unusable, toDo })
    }
    for (const destinationId of known.keys()) {
      if (byId.get(destinationId)?.unusable !== undefined) continue
      known.delete(destinationId)
      log.info('destination.usable_again', { destinationId })
    }
  }
}
