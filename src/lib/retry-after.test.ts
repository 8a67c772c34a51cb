import { expect, test } from 'vitest'
import { parseHttpDate, parseRetryAfter } from './retry-after.ts'

const NOW = Date.UTC(2026, 10, 22)
const wait = (value: string | undefined) => parseRetryAfter(value, NOW)

test.each([
  ['120', 120_000],
  ['0', 0],
  ['8.5', 9_000],
  ['1.2', 2_000],
  ['0.1', 1_000],
  ['2.0', 2_000],
  ['007', 7_000],
  ['999999999', 86_400_000],
  ['99999999999999999999999999', 86_400_000],
  ['Sun, 22 Nov 2026 00:01:00 GMT', 60_000],
  ['Sunday, 22-Nov-26 00:01:00 GMT', 60_000],
  ['Sun Nov 22 00:01:00 2026', 60_000],
  ['Tue Dec  1 00:00:00 2026', 86_400_000],
  ['sun, 22 nov 2026 00:01:00 gmt', 60_000],
])('Retry-After %j is obeyed: %d ms [SEC-100] [SEC-46]', (value, expected) => {
  expect(wait(value)).toBe(expected)
})

test.each([
  ['60, 120', 120_000],
  ['120,60', 120_000],
  ['soon, 30', 30_000],
  [', ,5,', 5_000],
  ['-5, 7.5', 8_000],
  ['Sun, 22 Nov 2026 00:01:00 GMT, 30', 60_000],
  ['90, Sun, 22 Nov 2026 00:01:00 GMT', 90_000],
  ['Sunday, 22-Nov-26 00:02:00 GMT, Sun, 22 Nov 2026 00:01:00 GMT, Sun Nov 22 00:03:00 2026', 180_000],
  ['Sat, 21 Nov 2026 00:00:00 GMT, 4', 4_000],
])('of several values %j the largest wait counts; a comma inside a date is part of it [SEC-100]', (value, expected) => {
  expect(wait(value)).toBe(expected)
})

test.each([
  undefined,
  '',
  ' ',
  ',',
  'soon',
  '-1',
  '-8.5',
  '+5',
  '.5',
  '5.',
  '1e3',
  '0x10',
  '5 s',
  '5;10',
  'Infinity',
  'NaN',
  '8/5',
  '2026-11-23',
  '2026-11-23T00:00:00Z',
  'Nov 23 2026',
  'Sat, 21 Nov 2026 00:00:00 GMT',
  'Sun, 22 Nov 2026 00:01:00',
  'Sun, 22 Nov 2026 00:01:00 +0100',
  'Sun, 22 Nov 2026 24:01:00 GMT',
  'Mon, 31 Nov 2026 00:01:00 GMT',
  'Xyz, 23 Nov 2026 00:01:00 GMT',
  'Mon, 23 Foo 2026 00:01:00 GMT',
])('Retry-After %j is left out: the usual waits hold [SEC-100]', (value) => {
  expect(wait(value)).toBeUndefined()
})

test('two digits of a year mean the century that is at most 50 years ahead [SEC-100~]', () => {
  expect(parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT', NOW)).toBe(Date.UTC(1994, 10, 6, 8, 49, 37))
  expect(parseHttpDate('Friday, 06-Nov-76 08:49:37 GMT', NOW)).toBe(Date.UTC(2076, 10, 6, 8, 49, 37))
})
