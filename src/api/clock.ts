import { ClockView } from '../contract.ts'
import type { ClockReading } from '../lib/clock-guard.ts'
import { isoTime } from '../model/time.ts'
import type { Routes } from './app.ts'
import type { ClockDesk } from './parts.ts'

/** How far the machine's clock is relied on, and the operator's word that it is right [SEC-82]. */
export const clockRoutes: Routes<{ clock: ClockDesk }> = (app, { clock }) => {
  const tags = ['Operation']
  const response = { 200: ClockView }

  app.get(
    '/v1/clock',
    { schema: { tags, response, summary: "Show how far the machine's clock is relied on" } },
    async () => render(clock.reading()),
  )

  app.post(
    '/v1/clock/confirm',
    { schema: { tags, response, summary: "Say that the machine's clock is right, after it leapt" } },
    async () => {
      clock.confirm()
      return render(clock.reading())
    },
  )
}

function render({ state, nowMs, machineMs, leapMs, sinceMs }: ClockReading): ClockView {
  return {
    state,
    now: isoTime(nowMs),
    machine: isoTime(machineMs),
    leapSeconds: Math.round(leapMs / 1000),
    since: sinceMs === undefined ? null : isoTime(sinceMs),
  }
}
