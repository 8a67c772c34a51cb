import { expect, test } from 'vitest'
import fc from '../../testkit/properties.ts'
import { canonicalDecimal, compareDecimals, orderedDecimal } from './decimal.ts'

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

test.each([
  ['1e-7', '0.0000001'],
  ['1E-07', '0.0000001'],
  ['1e+21', '1000000000000000000000'],
  ['-12.345e1', '-123.45'],
  ['+1.50e2', '150'],
  ['0e5', '0'],
  ['-0.0e-3', '0'],
  ['5e-324', `0.${'0'.repeat(323)}5`],
  ['1e999', `1${'0'.repeat(999)}`],
  ['7', '7'],
])('an order reads %s', (text, written) => {
  expect(orderedDecimal(text)).toBe(written)
})

test.each(['e5', '1e', '1e+', '1.e5', '.5e1', '1e1000', '1e5.0', '1e5 ', 'Infinity', '0x1e5'])(
  'an order reads no number in %j',
  (text) => {
    expect(orderedDecimal(text)).toBeUndefined()
  },
)

test('what JavaScript prints of any number is read as that number', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
      expect(Number(orderedDecimal(String(number)))).toBe(number === 0 ? 0 : number)
    }),
    { numRuns: 2000 },
  )
})

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
