import type { CallHandler } from '../model/collected-call.ts'
import { optOut, optOutStatus } from '../pipeline/opt-out.ts'
import type { Parts } from '../pipeline/parts.ts'
import { processCall } from '../pipeline/process-call.ts'
import { StoreUnavailableError } from '../store/record-store.ts'

export interface Guard {
  readonly isDiskFull: () => boolean
  readonly onAccepted: () => void
  readonly onOptOut: (level: string) => void
}

/** The pipeline as the edge calls it. With the disk nearly full events are refused; opt-outs never are [SEC-11], [SEC-61]. */
export function guardedHandler(parts: Parts, { isDiskFull, onAccepted, onOptOut }: Guard): CallHandler {
  return {
    async process(call) {
      // What takes consent back stores no event and is never refused either.
      if (isDiskFull() && call.consent.store) throw new StoreUnavailableError('the disk is nearly full')
      const outcome = await processCall(call, parts)
      if (outcome.status === 'processed') onAccepted()
      return outcome
    },
    async optOut(call) {
      const outcome = await optOut(call, parts)
      onOptOut(call.level)
      return outcome
    },
    optOutStatus: (call) => optOutStatus(call, parts),
  }
}
