import { expect, test } from 'vitest'
import { checkPattern, openPattern } from './java-pattern.ts'

const PATTERN_BYTES_MAX = 1024
const PATTERN_INPUT_BYTES_MAX = 4096

test.each([
  ['oo', 'foobar', true],
  ['^oo', 'foobar', false],
  ['^foobar$', 'foobar', true],
  ['FOO', 'foobar', false],
  ['(?i)FOO', 'foobar', true],
  ['(?iu)É', 'é', true],
  ['(?:a|b){2,3}?c', 'xabc', true],
  [String.raw`\d{3}-\d+`, 'call 555-1', true],
  [String.raw`\Qa.b\E+$`, 'a.bb', true],
  [String.raw`\Qa.b\E`, 'axb', false],
  [String.raw`\Q[`, '[', true],
  [String.raw`a\hb`, 'a\u00a0b', true],
  [String.raw`a\Hb`, 'a b', false],
  [String.raw`[\h,]b`, 'x b', true],
  [String.raw`^\s$`, '\u000b', true],
  [String.raw`\v`, '\u2028', true],
  [String.raw`a\Rb`, 'a\r\nb', true],
  [String.raw`end\Z`, 'end\n', true],
  [String.raw`end\z`, 'end\n', false],
  [String.raw`^\p{Alpha}+$`, 'abcX', true],
  [String.raw`^\p{Alpha}+$`, 'abcé', false],
  [String.raw`^[\p{Digit}_]+$`, '12_3', true],
  [String.raw`\P{Upper}`, 'ABC', false],
  [String.raw`^\p{IsLatin}+$`, 'abcé', true],
  [String.raw`\p{Lu}\pL`, 'Éa', true],
  [String.raw`\u0041\x42\x{43}\0104\cA\e`, 'ABCD\u0001\u001b', true],
  ['[]a]', ']', true],
  ['[^]a]', ']', false],
  [String.raw`\_\-\.`, '_-.', true],
  ['(?<year>[0-9]{4})', 'in 2026', true],
  ['a{,2}', 'a{,2}', true],
])('Java pattern %s is found in %j: %j [AUD-80], [AUD-81~]', (pattern, value, found) => {
  expect(checkPattern(pattern)).toBeUndefined()
  expect(openPattern(pattern).test(value)).toBe(found)
})

test.each([
  ['ab(?=c)', 'look-around', 2],
  ['(?<!a)b', 'look-around', 0],
  [String.raw`(a)\1`, 'back-references', 3],
  [String.raw`(?<n>a)\k<n>`, 'back-references', 7],
  ['x(?>a)', 'atomic', 1],
  ['a++', 'possessive', 2],
  ['a{2}+', 'possessive', 4],
  ['[a-z&&[aeiou]]', 'intersections', 4],
  ['[a[b]]', 'inside another', 2],
  ['a[bc', 'missing closing ]', 4],
  ['(ab', 'missing closing )', 0],
  ['ab)', 'unexpected )', 2],
  ['*a', 'missing argument', 0],
  ['(?x)a b', 'flag x', 2],
  [String.raw`\G`, 'not supported', 0],
  [String.raw`a\y`, 'not supported', 1],
  [String.raw`a\u12`, 'invalid escape', 1],
  ['a\\', 'trailing backslash', 1],
  [String.raw`a\p{Klingon}`, 'invalid character class', 1],
  ['(a{100}){200}', 'repeat', 8],
  ['(a?){600}', 'too large', 0],
])('pattern %s is refused with the reason and the place: %s, %i [AUD-80], [SEC-70]', (pattern, reason, offset) => {
  const fault = checkPattern(pattern)
  expect(fault?.message).toContain(reason)
  expect(fault?.offset).toBe(offset)
})

test('a pattern may have 1 KiB, a value 4 KiB; longer values never match [SEC-70]', () => {
  expect(checkPattern('a'.repeat(PATTERN_BYTES_MAX))).toBeUndefined()
  expect(checkPattern('a'.repeat(PATTERN_BYTES_MAX + 1))?.message).toContain('longer')
  expect(checkPattern('é'.repeat(PATTERN_BYTES_MAX / 2 + 1))?.message).toContain('longer')
  const pattern = openPattern('x$')
  expect(pattern.test(`${'a'.repeat(PATTERN_INPUT_BYTES_MAX - 1)}x`)).toBe(true)
  expect(pattern.test(`${'a'.repeat(PATTERN_INPUT_BYTES_MAX)}x`)).toBe(false)
  expect(pattern.test(`${'é'.repeat(PATTERN_INPUT_BYTES_MAX / 2)}x`)).toBe(false)
})

test('a pattern that would cost a backtracking engine years is answered [SEC-70]', () => {
  expect(openPattern('^(([a-z])+.)+[A-Z]([a-z])+$').test('a'.repeat(4000))).toBe(false)
  expect(openPattern('(x+x+)+y').test('x'.repeat(4000))).toBe(false)
})
