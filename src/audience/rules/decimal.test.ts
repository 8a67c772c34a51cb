import { expect, test } from 'vitest'
import fc from '../../testkit/properties.ts'
import { canonicalDecimal, compareDecimals } from './decimal.ts'

test.each([
  ['0', '0'],
  ['-0', '0'],
  ['+1', '1'],
  ['007', '7'],
  ['1.50', '1.5'],
  ['1.00', '1'],
  ['-0.0', '0'],
  ['0.10', '0.1'],
  ['-12.340', '-12.34'],
  ['00012345678901234567890123456789012345678', '12345678901234567890123456789012345678'],
])('%s is the number %s', (text, canonical) => {
  expect(canonicalDecimal(text)).toBe(canonical)
})

test.each(['', '-', '+', '.', '.5', '5.', '1e3', '1,000', ' 1', '1 ', '0x10', '--1', '1.2.3', '١', 'NaN', 'Infinity'])(
  '%j is text, not a number [AUD-348]',
  (text) => {
    expect(canonicalDecimal(text)).toBeUndefined()
  },
)

test('a 38-digit ID does not meet its neighbour by rounding [AUD-77]', () => {
  const id = '12345678901234567890123456789012345678'
  const next = '12345678901234567890123456789012345679'
  expect(Number(id)).toBe(Number(next))
  expect(compareDecimals(id, next)).toBeLessThan(0)
  expect(compareDecimals(`-${id}`, `-${next}`)).toBeGreaterThan(0)
})

test('decimals order like the numbers they stand for, at any length [AUD-77]', () => {
  const digits = fc.stringMatching(/^[0-9]{1,25}$/)
  const decimals = fc.tuple(fc.constantFrom('', '-'), digits, fc.option(digits))
  const text = ([sign, integer, fraction]: [string, string, string | null]) =>
    `${sign}${integer}${fraction === null ? '' : `.${fraction}`}`
  const scaled = ([sign, integer, fraction]: [string, string, string | null]) =>
    BigInt(`${sign}${integer}${(fraction ?? '').padEnd(25, '0')}`)
  fc.assert(
    fc.property(decimals, decimals, (a, b) => {
      const order = compareDecimals(canonicalDecimal(text(a)) as string, canonicalDecimal(text(b)) as string)
      expect(Math.sign(order)).toBe(scaled(a) < scaled(b) ? -1 : scaled(a) > scaled(b) ? 1 : 0)
    }),
    { numRuns: 2000 },
  )
})
