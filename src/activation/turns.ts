import type { DestinationId } from '../model/ids.ts'

/** One at a time for each destination, in the order of asking. */
export interface Turns {
  /** Resolves when it is the caller's turn. @returns what ends it */
  take(destinationId: DestinationId): Promise<() => void>
}

export function openTurns(): Turns {
  const last = new Map<DestinationId, Promise<void>>()
  return {
    async take(destinationId) {
      const before = last.get(destinationId)
      let end = () => {}
      const turn = new Promise<void>((resolve) => {
        end = resolve
      })
      last.set(destinationId, turn)
      await before
      return () => {
        if (last.get(destinationId) === turn) last.delete(destinationId)
        end()
      }
    },
  }
}
