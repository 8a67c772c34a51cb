import { ClockView } from '../contract.ts'
import { isKeptTime, KEPT_TIMES } from '../lib/kept-time.ts'
import { isoTime } from '../model/time.ts'
import type { Routes } from './app.ts'
import { operationsOf } from './operation-words.ts'
import type { ClockDesk } from './parts.ts'
import { Problem } from './problem.ts'

/** How far the machine's clock is relied on, and the operator's word that it is right [SEC-82]. */
export const clockRoutes: Routes<{ clock: ClockDesk }> = (app, { clock }) => {
  const says = operationsOf('Operation')
  const response = { 200: ClockView }

  app.get(
    '/v1/clock',
    {
      schema: {
        ...says(
          'Show how far the clock is relied on',
          'After a leap memberships do not end by time and nothing is forgotten, until the time agrees with itself again or an operator confirms it.',
        ),
        response,
      },
    },
    async () => render(clock),
  )

  app.post(
    '/v1/clock/confirm',
    {
      schema: {
        ...says(
          'Say that the clock is right, after it leapt',
          'From then on memberships end and profiles are forgotten by it again. Look at the clock first: what is told to partners cannot be taken back. 409 `clock_out_of_range` while the clock says a time that cannot be kept.',
        ),
        response,
      },
    },
    async () => {
      const atMs = clock.reading().machineMs + clock.offsetMs()
      if (!isKeptTime(atMs))
        throw new Problem(
          409,
          'clock_out_of_range',
          `The clock says ${isoTime(atMs)}, and times are kept ${KEPT_TIMES}. Set it right; then there is nothing to confirm.`,
        )
      clock.confirm()
      return render(clock)
    },
  )
}

function render(clock: Pick<ClockDesk, 'reading' | 'offsetMs'>): ClockView {
  const { state, nowMs, machineMs, leapMs, sinceMs } = clock.reading()
  const offsetMs = clock.offsetMs()
  return {
    state,
    now: isoTime(nowMs + offsetMs),
    machine: isoTime(machineMs),
    leapSeconds: Math.round(leapMs / 1000),
    since: sinceMs === undefined ? null : isoTime(sinceMs),
    offsetSeconds: Math.round(offsetMs / 1000),
  }
}
