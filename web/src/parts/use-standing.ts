import type { DestinationHealthView } from '../../../src/contract.ts'
import { useReason } from '../words/use-reason.ts'
import { useFormats, useWords } from '../words/use-words.tsx'

export type Standing = Pick<DestinationHealthView, 'state' | 'reason' | 'since' | 'nextAttempt'>

/** How a destination stands, in one line that is the same wherever it is shown: why, and when it is tried next. */
export function useStanding(): (standing: Standing) => string {
  const { t } = useWords()
  const { time } = useFormats()
  const reasonOf = useReason()
  return ({ state, reason, nextAttempt }) =>
    t('standing.line', {
      state,
      reason: reasonOf(reason) || 'none',
      next: nextAttempt === null ? 'none' : time(nextAttempt),
    })
}
