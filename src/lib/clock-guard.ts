import { isOn, type MachineClock, type Moment, machineClock, msOn, resume } from './clock-moment.ts'
import { isKeptTime } from './kept-time.ts'

/**
 * The time of day that may be relied on. A machine's clock is set by people, by a network, by a battery that ran out, and
 * what expires by it is told to partners and deleted. So a leap is not followed at once:
 *
 * 1. `held`, 3 minutes: time goes on as if the clock had not leapt. If it leaps back meanwhile, nothing has happened.
 * 2. `waiting`, until the new time was steady for an hour: time is the machine's, but nothing expires by it.
 * 3. `followed`: things expire, and partners are told; nothing is deleted until the new time was steady for as long as it
 *    leapt (an hour at least, 7 days at most), or an operator confirmed it.
 * 4. `trusted`.
 *
 * Whenever the clock returns to where it was before, it is trusted at once; so is one that comes back from a time that cannot
 * be kept, if nothing was trusted before. A leap is what differs from the time since the machine started, so a machine that
 * slept did not leap. A start is judged in the same way, by the line of time of the earlier run; after a restart of the machine,
 * which may have been off, a clock more than a day ahead begins at 2.
 * Source: spec/security.md [SEC-82], [SEC-91].
 */
export interface ClockGuard {
  /** Milliseconds since the epoch. */
  now(): number
  /** The moment by which things expire: `nowMs`, or where time would be without a leap ahead that is waited for. */
  judgedMs(nowMs: number): number
  /** May anything be deleted for its age? */
  mayForget(): boolean
  reading(): ClockReading
  /** An operator says that the machine's clock is right. */
  confirm(): void
  /** Compares now; called by itself every second. */
  check(): void
  /** For the next start. */
  record(): ClockRecord
  close(): void
}

export type ClockState = 'held' | 'waiting' | 'followed' | 'trusted'

export interface ClockReading {
  readonly state: ClockState
  readonly nowMs: number
  readonly machineMs: number
  /** How far the machine's clock is from where it would be without the leap; negative: behind. 0 when it is trusted. */
  readonly leapMs: number
  /** When it leapt, as the clock went before. */
  readonly sinceMs: number | undefined
}

export interface ClockRecord {
  /** A moment of the line that time follows. */
  readonly line: Moment
  readonly doubt?: ClockDoubt | undefined
}

/** The line is followed, and not proven yet. */
export interface ClockDoubt {
  /** The line that was trusted last. */
  readonly trusted: Moment
  readonly leapMs: number
  readonly sinceMs: number
  /** For how long the clock has been on the new line. */
  readonly steadyMs: number
}

export interface ClockChange extends ClockReading {
  /** `leapt` begins a doubt, `returned` and `trusted` end it; between them `moved` to the new time, which is `followed`. */
  readonly event: 'leapt' | 'moved' | 'followed' | 'returned' | 'trusted'
  /** Things may have been judged, or stamped, by a time that is not this one's past. */
  readonly isToReview: boolean
}

export interface ClockGuardOptions {
  /** Of an earlier run; undefined: there was none. */
  readonly stored?: ClockRecord | undefined
  readonly onChange?: (change: ClockChange) => void
  /** Replaced in tests. */
  readonly machine?: MachineClock
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const HELD_MS = 3 * MINUTE_MS
const WAITING_MS = HOUR_MS
const PROVEN_MS_MAX = 7 * DAY_MS
/** Nothing tells for how long a machine was off: a start later than this is in doubt. */
const OFF_MS_MAX = DAY_MS
const CHECK_EVERY_MS = 1_000
/** A reading that is not this close to the last check is checked first. */
const FRESH_MS = 2_000

/** Judges the clock by what was stored, if anything was; then watches it. */
export function guardClock({
  stored,
  onChange = () => {},
  machine = machineClock(),
}: ClockGuardOptions = {}): ClockGuard {
  /** The line that time follows. */
  let line = machine.read()
  let doubt: ClockDoubt | undefined
  /** The line that the clock leapt to, while it is held. */
  let leap: { readonly line: Moment; readonly leapMs: number; readonly steadyMs: number } | undefined
  let checkedMs = line.wallMs

  const reading = (at: Moment): ClockReading => {
    const machineMs = at.wallMs
    if (leap !== undefined) {
      const nowMs = msOn(line, at)
      return { state: 'held', nowMs, machineMs, leapMs: leap.leapMs, sinceMs: nowMs - leap.steadyMs }
    }
    const state = doubt === undefined ? 'trusted' : doubt.steadyMs < WAITING_MS ? 'waiting' : 'followed'
    return { state, nowMs: machineMs, machineMs, leapMs: doubt?.leapMs ?? 0, sinceMs: doubt?.sinceMs }
  }
  const tell = (event: ClockChange['event'], at: Moment, isToReview: boolean) =>
    onChange({ ...reading(at), event, isToReview })

  /** Nothing is in doubt any more; what it was about is told. */
  const trust = (event: 'returned' | 'trusted', at: Moment, isToReview: boolean) => {
    const { leapMs, sinceMs } = reading(at)
    line = at
    doubt = leap = undefined
    onChange({ ...reading(at), leapMs, sinceMs, event, isToReview })
  }

  const goOn = (at: Moment) => {
    const ranMs = at.uptimeMs - line.uptimeMs
    if (leap !== undefined) {
      const { leapMs, sinceMs } = reading(at)
      leap = undefined
      onChange({ ...reading(at), leapMs, sinceMs, event: 'returned', isToReview: false })
    }
    line = at
    if (doubt === undefined) return
    const { state } = reading(at)
    doubt = { ...doubt, steadyMs: doubt.steadyMs + ranMs }
    const provenMs = Math.min(Math.max(Math.abs(doubt.leapMs), WAITING_MS), PROVEN_MS_MAX)
    if (doubt.steadyMs >= provenMs) trust('trusted', at, doubt.leapMs < 0)
    else if (reading(at).state !== state) tell('followed', at, false)
  }

  /** Time follows the clock to its new line. @param steadyMs for how long it has been there */
  const move = (event: 'leapt' | 'moved', at: Moment, steadyMs: number) => {
    const trusted = doubt?.trusted ?? line
    const leapMs = at.wallMs - msOn(trusted, at)
    doubt = { trusted, leapMs, sinceMs: msOn(trusted, at) - steadyMs, steadyMs }
    line = at
    leap = undefined
    tell(event, at, leapMs < 0)
  }

  const isBackBefore = (at: Moment) => doubt !== undefined && isOn(doubt.trusted, at)

  const check = () => {
    const at = machine.read()
    checkedMs = at.wallMs
    if (isOn(line, at)) return goOn(at)
    if (isBackBefore(at)) return trust('returned', at, true)
    if (!isKeptTime(line.wallMs) && isKeptTime(at.wallMs)) return leaveImpossible(at)
    if (leap !== undefined && isOn(leap.line, at)) {
      leap = { ...leap, line: at, steadyMs: leap.steadyMs + at.uptimeMs - leap.line.uptimeMs }
      if (leap.steadyMs >= HELD_MS) move('moved', at, leap.steadyMs)
      return
    }
    leap = { line: at, leapMs: at.wallMs - msOn(line, at), steadyMs: 0 }
    tell('leapt', at, false)
  }

  /** Nothing was stamped by a line that no time is kept of: the one before it counts, or none. */
  const leaveImpossible = (at: Moment) => {
    if (doubt === undefined) return trust('returned', at, true)
    line = doubt.trusted
    doubt = leap = undefined
    check()
  }

  const start = (record: ClockRecord) => {
    const at = line
    line = resume(record.line, at, OFF_MS_MAX)
    if (record.doubt !== undefined) doubt = { ...record.doubt, trusted: resume(record.doubt.trusted, at, OFF_MS_MAX) }
    const wasOffLong = line.offMsMax !== undefined && !isOn(line, at) && at.wallMs > line.wallMs
    if (!wasOffLong || isBackBefore(at)) return check()
    // A machine that was off for long is likelier than a clock that is ahead: what comes in bears the machine's time.
    move('leapt', at, 0)
  }

  const now = () => {
    const wallMs = machine.wallMs()
    const sinceMs = wallMs - checkedMs
    const isFresh = sinceMs >= 0 && sinceMs <= FRESH_MS
    if (isFresh && leap === undefined) return wallMs
    if (!isFresh) check()
    return reading(machine.read()).nowMs
  }

  if (stored !== undefined) start(stored)
  const timer = setInterval(check, CHECK_EVERY_MS)
  timer.unref()
  return {
    now,
    judgedMs: (nowMs) =>
      doubt !== undefined && doubt.steadyMs < WAITING_MS ? Math.min(nowMs, msOn(doubt.trusted, machine.read())) : nowMs,
    mayForget() {
      now()
      return leap === undefined && doubt === undefined
    },
    reading: () => reading(machine.read()),
    confirm() {
      check()
      const at = machine.read()
      const { state, leapMs } = reading(at)
      if (state !== 'trusted') trust('trusted', at, leapMs < 0)
    },
    check,
    record: () => ({ line, doubt }),
    close: () => clearInterval(timer),
  }
}
