import type { DestinationHealth } from '../model/delivery.ts'
import type { DestinationId } from '../model/ids.ts'
import { destinationStateKey } from './delivery-keys.ts'
import type { DeliveryStore, ReadRecord } from './delivery-store.ts'
import { openRecord, sealRecord } from './record.ts'
import { Kind } from './record-kinds.ts'
import type { RecordStore } from './record-store.ts'

/** What of a destination's state a restart must not forget: the breaker, a pause, a wait it asked for [SEC-47]. */
export interface DestinationState {
  readonly isOpen: boolean
  /** Until the next probe, while it is open. */
  readonly probeWaitMs: number
  readonly paused?: DestinationHealth['paused']
  readonly failuresInRow: number
  readonly refusedInRow?: number
  readonly refusingSinceMs?: number | undefined
  /** Of the destination; another one may get its id later. */
  readonly createdAtMs?: number | undefined
  /** The first failure since the last success. */
  readonly failingSinceMs?: number | undefined
  readonly lastFailure?: DestinationHealth['lastFailure']
  readonly lastSuccessMs?: number | undefined
  /** Nothing is sent before [SEC-46]. */
  readonly holdUntilMs?: number | undefined
  /** By its partner, by `Retry-After`. */
  readonly isHoldAsked?: boolean
  /** When the old key of a rotation was removed [SEC-54]. */
  readonly keyRemovedAtMs?: number | undefined
}

const VERSION = 1

/** One small record for each destination that has had trouble. */
export function destinationStates(
  records: RecordStore,
  readable: ReadRecord,
): Pick<DeliveryStore, 'destinationStates' | 'saveDestinationState'> {
  return {
    async destinationStates() {
      const states = new Map<DestinationId, DestinationState>()
      for await (const page of records.scan(Kind.destinationState)) {
        for (const { key, record } of page.records) {
          const state = readable(key, record, openState)
          if (state !== undefined) states.set(key.readUInt32BE(3) as DestinationId, state)
        }
      }
      return states
    },
    async saveDestinationState(destinationId, state) {
      const key = destinationStateKey(destinationId)
      const puts = state === undefined ? [] : [{ key, record: sealState(state) }]
      await records.commit({ puts, deletes: state === undefined ? [key] : [] })
    },
  }
}

function sealState(state: DestinationState): Buffer {
  return sealRecord(VERSION, 0, Buffer.from(JSON.stringify(state)))
}

function openState(record: Buffer): DestinationState {
  return JSON.parse(openRecord(record).body.toString('utf8')) as DestinationState
}
