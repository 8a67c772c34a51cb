import { performance } from 'node:perf_hooks'
import { nextTurn } from './slices.ts'

/** Runs work at once, or when its turn comes. */
export type Pace = <T>(work: () => T) => T | Promise<T>

export const atOnce: Pace = (work) => work()

/**
 * A pace for much work that is ready at the same time: one piece after the other, with what follows directly from it, and
 * a turn of the event loop every `sliceMs`.
 */
export function openPace({ sliceMs = 4 }: { readonly sliceMs?: number } = {}): Pace {
  const waiting: (() => void)[] = []
  let isRunning = false

  const run = async () => {
    isRunning = true
    while (waiting.length > 0) {
      const endMs = performance.now() + sliceMs
      do {
        waiting.shift()?.()
        // Comes after all that was resolved has gone on.
        await new Promise<void>((resolve) => process.nextTick(resolve))
      } while (waiting.length > 0 && performance.now() < endMs)
      await nextTurn()
    }
    isRunning = false
  }

  return <T>(work: () => T) =>
    new Promise<T>((resolve, reject) => {
      waiting.push(() => {
        try {
          resolve(work())
        } catch (error) {
          reject(error)
        }
      })
      if (!isRunning) void run()
    })
}
