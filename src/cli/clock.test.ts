import { expect, test } from 'vitest'
import { renderClock } from './clock.ts'

const now = '2026-11-30T10:00:00.000Z'
const machine = '2027-01-09T10:00:00.000Z'
const leapt = { state: 'held', now, machine, leapSeconds: 40 * 86_400, since: now, offsetSeconds: 0 } as const

test('a trusted clock is one sentence behind both times [SEC-82~]', () => {
  const said = renderClock({ state: 'trusted', now, machine: now, leapSeconds: 0, since: null, offsetSeconds: 0 })
  expect(said).toBe(`Usher    ${now}\nmachine  ${now}\nThe clock is trusted.\n`)
})

test('a leap is told with its size, its direction, its time, and what to do [SEC-82~]', () => {
  expect(renderClock(leapt)).toBe(
    `Usher    ${now}\nmachine  ${machine}\nThe clock of this machine leapt 40 days ahead at ${now}. For three minutes time goes on as if it had not.\nIf it is right now: usher clock --confirm. If not: set it right; then all is as it was.\n`,
  )
  expect(renderClock({ ...leapt, since: null })).toContain('leapt 40 days ahead. For')
  expect(renderClock({ ...leapt, leapSeconds: -40 * 86_400 })).toContain('leapt 40 days back at')
})

test('a time that cannot be kept is not to be confirmed: it is said what happens, and what to do [SEC-82~]', () => {
  const far = '2107-05-28T10:00:00.000Z'
  const says = 'events are answered 503. Set the clock right; everything goes on by itself.\n'
  expect(renderClock({ ...leapt, state: 'trusted', now: far, machine: far })).toBe(
    `Usher    ${far}\nmachine  ${far}\nTimes are kept from 1970 to 2106-02-07: ${says}`,
  )
  expect(renderClock({ ...leapt, machine: far })).toContain(`in three minutes at the latest ${says}`)
})

test.each([
  [172_800, '2 days'],
  [172_799, '48 hours'],
  [7_200, '2 hours'],
  [7_199, '120 minutes'],
  [90, '2 minutes'],
])('a leap of %i s is told as %s [SEC-82~]', (leapSeconds, said) => {
  expect(renderClock({ ...leapt, leapSeconds })).toContain(`leapt ${said} ahead`)
})

test.each([
  ['held', 'For three minutes time goes on as if it had not.'],
  ['waiting', 'Nothing expires by the new time until it was steady for an hour.'],
  ['followed', 'Things expire by the new time; nothing is deleted for its age yet.'],
] as const)('what a clock that is %s means for the data is told [SEC-82~]', (state, said) => {
  expect(renderClock({ ...leapt, state })).toContain(said)
})

test.each([
  [100 * 86_400, '100 days ahead'],
  [-7_200, '2 hours back'],
  [5, '5 s ahead'],
])(
  'a clock that the test switch moved %i s is told with how far, whatever else is told [OPS-27] [SEC-82~]',
  (offsetSeconds, far) => {
    const line = `\nmachine  ${machine}\nUsher's time is moved ${far} by the test switch (USHER_CLOCK_OFFSET_MS, POST /v1/test/clock).\n`
    expect(renderClock({ ...leapt, offsetSeconds })).toContain(line)
    expect(renderClock({ ...leapt, state: 'trusted', offsetSeconds })).toContain(line)
  },
)
