import { ClockAdvance, ClockReading } from '../contract.ts'
import type { AdjustableClock } from '../lib/clock.ts'
import { isKeptTime, notKept } from '../lib/kept-time.ts'
import { isoTime } from '../model/time.ts'
import type { Routes } from './app.ts'
import { operationsOf } from './operation-words.ts'
import { invalidField, Problem } from './problem.ts'

/** The test switch that advances the product's clock; refused in production [OPS-27]. */
export const testClockRoutes: Routes<{ clock: Pick<AdjustableClock, 'now' | 'advance'>; production: boolean }> = (
  app,
  { clock, production },
) => {
  const words = operationsOf('Test switches')(
    'Advance the clock',
    'Moves the clock of the product ahead, so that expiry and schedules can be seen without waiting. Refused in production.',
  )
  const schema = { ...words, body: ClockAdvance, response: { 200: ClockReading } }
  app.post('/v1/test/clock', { schema }, async (request) => {
    if (production) throw new Problem(403, 'test_switch_refused', 'The clock cannot be moved in production.')
    const atMs = clock.now() + request.body.advanceMs
    if (!isKeptTime(atMs)) throw invalidField('advanceMs', `It ${notKept(atMs)}.`)
    clock.advance(request.body.advanceMs)
    return { now: isoTime(clock.now()) }
  })
}
