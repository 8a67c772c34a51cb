import type { MachineClock } from '../lib/clock-moment.ts'

/** A machine whose clock can be set, that can sleep, and that can be started anew. */
export interface FakeMachine extends MachineClock {
  /** Time goes by. */
  pass(ms: number): void
  /** The clock is set this far ahead, or back. */
  leap(ms: number): void
  /** Switched off for so long, and on again. */
  restart(offMs: number): void
}

/** @param ticks the time of the test goes by on it, too */
export function makeFakeMachine(startMs: number, { ticks = false }: { readonly ticks?: boolean } = {}): FakeMachine {
  const startedMs = performance.now()
  const ranMs = () => (ticks ? Math.round(performance.now() - startedMs) : 0)
  let wallMs = startMs
  let uptimeMs = 5_000
  let starts = 1
  return {
    wallMs: () => wallMs + ranMs(),
    read: () => ({ wallMs: wallMs + ranMs(), uptimeMs: uptimeMs + ranMs(), bootId: `start ${starts}` }),
    pass(ms) {
      wallMs += ms
      uptimeMs += ms
    },
    leap(ms) {
      wallMs += ms
    },
    restart(offMs) {
      wallMs += offMs
      uptimeMs = 1_000 - ranMs()
      starts += 1
    },
  }
}
