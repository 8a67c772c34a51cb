import { TURNS, type Turns } from './turns.ts'

/** Runs work at once, or when its turn comes. */
export type Pace = <T>(work: () => T) => T | Promise<T>

export const atOnce: Pace = (work) => work()

/** A pace for much work that is ready at the same time: one piece after the other, with what follows directly from it. */
export function openPace(turns: Turns = TURNS): Pace {
  return async <T>(work: () => T): Promise<T> => {
    await turns.wait()
    return work()
  }
}
