import type { DestinationHealthView } from '../../../src/contract.ts'
import { useWords } from '../words/use-words.tsx'

export type Owed = Pick<DestinationHealthView, 'waitingUsers' | 'moreOnDisk' | 'openMessages'>

/** How many users wait at a destination, and whether there are messages of them yet: the same line wherever it is shown. */
export function useOwed(): (owed: Owed) => string {
  const { t } = useWords()
  return ({ waitingUsers, moreOnDisk, openMessages }) =>
    t('owed.line', {
      // While they are read from the disk, none may be counted for a moment.
      users: Math.max(waitingUsers, moreOnDisk ? 1 : 0),
      more: moreOnDisk ? 'yes' : 'no',
      messages: openMessages,
    })
}
