import { readFileSync } from 'node:fs'
import { uptime } from 'node:os'

/**
 * What the machine's clock said at a moment, beside the time since the machine started, which runs on while it sleeps and
 * which nobody can set. One moment stands for a whole line of time: where the clock would be at any other uptime of the
 * same start.
 */
export interface Moment {
  readonly wallMs: number
  readonly uptimeMs: number
  /** Differs after each start of the machine; empty where the system does not tell. */
  readonly bootId: string
  /** The clock may be this far ahead of the line: nothing tells for how long the machine was off. */
  readonly offMsMax?: number | undefined
}

export interface MachineClock {
  /** Milliseconds since the epoch; cheap. */
  wallMs(): number
  read(): Moment
}

/** Farther from its line than this the clock has leapt; what keeps clocks right moves them by less. */
export const LEAP_MS = 600_000

/** Where the line through `line` is at the uptime of `at`. */
export function msOn(line: Moment, at: Moment): number {
  return line.wallMs + at.uptimeMs - line.uptimeMs
}

/** Is the clock where the line says? */
export function isOn(line: Moment, at: Moment): boolean {
  const aheadMs = at.wallMs - msOn(line, at)
  return aheadMs >= -LEAP_MS && aheadMs <= Math.max(LEAP_MS, line.offMsMax ?? 0)
}

/** A line of an earlier run, as seen from now. After a restart of the machine its uptime says nothing any more. */
export function resume(line: Moment, at: Moment, offMsMax: number): Moment {
  const isSameStart = line.bootId !== '' && line.bootId === at.bootId && line.uptimeMs <= at.uptimeMs
  return isSameStart ? line : { ...at, wallMs: line.wallMs, offMsMax }
}

/** @returns the clock of this machine */
export function machineClock(): MachineClock {
  const bootId = readBootId()
  return { wallMs: Date.now, read: () => ({ wallMs: Date.now(), uptimeMs: readUptimeMs(), bootId }) }
}

function readUptimeMs(): number {
  try {
    return Math.round(uptime() * 1000)
  } catch {
    // A sandbox may hide it; this stands still while the machine sleeps, so that a sleep looks like a leap.
    return Math.round(performance.now())
  }
}

function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}
