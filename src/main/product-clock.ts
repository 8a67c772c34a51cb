import { join } from 'node:path'
import { type AdjustableClock, createClock } from '../lib/clock.ts'
import { readClockFile, writeClockFile } from '../lib/clock-file.ts'
import { type ClockChange, type ClockReading, guardClock } from '../lib/clock-guard.ts'
import type { MachineClock } from '../lib/clock-moment.ts'
import { isKeptTime, KEPT_MS_MAX } from '../lib/kept-time.ts'
import type { Log } from '../lib/log.ts'
import { isoTime } from '../model/time.ts'

/** The one clock of the process: the machine's, as far as it can be relied on, shifted by the test switch. */
export interface ProductClock extends AdjustableClock {
  /** Milliseconds since the epoch, of the times that can be kept: while the machine says another, the last that was. */
  readonly now: () => number
  /** False while the machine says a time that cannot be kept. */
  readonly isTimeKept: () => boolean
  /** The moment by which things expire at `nowMs`: earlier while a leap ahead is waited for [SEC-82]. */
  judgedMs(nowMs: number): number
  readonly mayForget: () => boolean
  /** Of the machine's clock, without the shift. */
  readonly reading: () => ClockReading
  readonly confirm: () => void
  /** Raised when everything has to be judged anew, because the clock had been wrong. */
  readonly epoch: () => number
  /** From now on the file is kept: the data directory is ours. */
  keep(onReview: () => void): void
  close(): Promise<void>
}

export interface ProductClockOptions {
  readonly dataDir: string
  readonly offsetMs: number
  readonly log: Log
  readonly onLeap: () => void
  /** Replaced in tests. */
  readonly machine?: MachineClock | undefined
}

const FILE = 'clock.json'
const SAVE_EVERY_MS = 60_000

export function openProductClock({ dataDir, offsetMs, log, onLeap, machine }: ProductClockOptions): ProductClock {
  const file = join(dataDir, FILE)
  const stored = readClockFile(file, (error) =>
    log.warn('clock.unreadable', {
      file,
      error,
      means: 'this start is judged by nothing that was written down before',
    }),
  )
  let epoch = stored?.epoch ?? 0
  let onReview: (() => void) | undefined
  let saving: Promise<void> = Promise.resolve()
  const save = () => {
    // It would be no use to the next start; what stands there still is.
    if (!isKeptTime(guard.record().line.wallMs)) return
    saving = saving
      .then(() => writeClockFile(file, { ...guard.record(), epoch }))
      .catch((error: unknown) => log.warn('clock.unsaved', { file, error }))
  }
  let clock: AdjustableClock | undefined
  const guard = guardClock({
    stored,
    ...(machine === undefined ? {} : { machine }),
    onChange(change) {
      if (change.event === 'leapt') onLeap()
      if (change.isToReview) epoch += 1
      tell(log, change, clock?.offsetMs() ?? offsetMs)
      if (onReview === undefined) return
      save()
      if (change.isToReview) onReview()
    },
  })
  const moved = createClock(offsetMs, guard.now)
  clock = moved
  let keptMs = stored === undefined ? undefined : stored.line.wallMs + offsetMs
  const now = () => {
    const nowMs = moved.now()
    if (isKeptTime(nowMs)) keptMs = nowMs
    return Math.min(Math.max(keptMs ?? nowMs, 0), KEPT_MS_MAX)
  }
  let timer: NodeJS.Timeout | undefined
  return {
    ...moved,
    now,
    isTimeKept: () => isKeptTime(moved.now()),
    judgedMs: (nowMs) => guard.judgedMs(nowMs - moved.offsetMs()) + moved.offsetMs(),
    mayForget: guard.mayForget,
    reading: guard.reading,
    confirm: guard.confirm,
    epoch: () => epoch,
    keep(review) {
      onReview = review
      save()
      timer = setInterval(save, SAVE_EVERY_MS)
      timer.unref()
    },
    async close() {
      clearInterval(timer)
      if (onReview !== undefined) save()
      guard.close()
      await saving
    },
  }
}

const RIGHT_OR_WRONG = 'if the clock is right now, say so: usher clock --confirm; if not, set it right'
const MEANS = {
  held: `time goes on as before for 3 minutes; ${RIGHT_OR_WRONG}`,
  waiting: `nothing expires by the new time until it was steady for an hour, nothing is deleted for longer; ${RIGHT_OR_WRONG}`,
  followed: `things expire by the new time, and nothing is deleted for its age; ${RIGHT_OR_WRONG}`,
  trusted: 'the clock is trusted again',
} as const

function tell(log: Log, { event, state, leapMs, nowMs, machineMs, isToReview }: ClockChange, offsetMs: number): void {
  const fields = {
    state,
    leapSeconds: Math.round(leapMs / 1000),
    machine: isoTime(machineMs),
    now: isoTime(nowMs + offsetMs),
    means: isToReview ? `${MEANS[state]}; every profile is looked at again` : MEANS[state],
  }
  if (state === 'trusted') log.info(`clock.${event}`, fields)
  else log.warn(`clock.${event}`, fields)
}
