import fc from 'fast-check'
import { expect, test } from 'vitest'
import { runThrough } from '../../testkit/run-through.ts'
import { openPattern } from './java-pattern.ts'

const search = (pattern: string, value: string) => runThrough(openPattern(pattern).search(value))

test.each([
  ['oo', 'foobar', true],
  ['^oo', 'foobar', false],
  ['^foobar$', 'foobar', true],
  ['^$', '', true],
  ['a$', 'ba', true],
  ['a$', 'ab', false],
  ['(?m)^b$', 'a\nb\nc', true],
  ['^b$', 'a\nb\nc', false],
  ['a.c', 'a\nc', false],
  ['(?s)a.c', 'a\nc', true],
  ['(?i)É', 'é', true],
  ['(?i)k', '\u212a', true], // The sign of the Kelvin folds to k.
  [String.raw`\bfoo\b`, 'a foo b', true],
  [String.raw`\bfoo\b`, 'afoo', false],
  [String.raw`fo\Bo`, 'foo', true],
  [String.raw`\d{3}-\d+`, 'call 555-1', true],
  ['(a+)+$', `${'a'.repeat(4000)}!`, false],
  ['x{5}', 'xxxx', false],
  ['x{5}', 'yxxxxx', true],
  ['^.$', '😀', true], // One character, two units.
  ['^..$', '😀', false],
  [String.raw`\x{1f600}`, 'a😀b', true],
  ['[^x]{20}', 'a'.repeat(20), true],
  ['[^x]{999}', 'a'.repeat(998), false],
  ['[^x]{999}', 'a'.repeat(999), true],
  ['', 'anything', true],
])('%s in %j: %j, in steps as at once [AUD-80]', (pattern, value, found) => {
  expect(search(pattern, value)).toBe(found)
  expect(openPattern(pattern).test(value)).toBe(found)
})

test('a value that is too long matches nothing, in steps as at once [SEC-70]', () => {
  expect([search('a', 'a'.repeat(4096)), search('a', 'a'.repeat(4097))]).toEqual([true, false])
})

const piece = fc.constantFrom(
  'a',
  'b',
  '.',
  '[ab]',
  '[^a]',
  String.raw`\d`,
  String.raw`\w`,
  String.raw`\b`,
  String.raw`\B`,
  '^',
  '$',
  '(?i:A)',
  'é',
  String.raw`\p{L}`,
  '\n',
  '😀',
) // prettier-ignore
const pattern = fc.letrec<{ one: string }>((tie) => ({
  one: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    piece,
    fc.tuple(tie('one'), tie('one')).map(([a, b]) => `${a}${b}`),
    fc.tuple(tie('one'), tie('one')).map(([a, b]) => `(?:${a}|${b})`),
    fc.tuple(tie('one'), fc.constantFrom('*', '+', '?', '*?', '{2}', '{0,3}', '{2,}')).map(([a, q]) => `(?:${a})${q}`),
  ),
})).one
const value = fc.array(fc.constantFrom('a', 'b', 'A', '1', '_', ' ', '\n', 'é', '😀', '\ud83d'), { maxLength: 12 })

test('any pattern on any value: in steps it finds what the engine finds [AUD-80]', () => {
  fc.assert(
    fc.property(pattern, value, (source, characters) => {
      const text = characters.join('')
      expect(search(source, text)).toBe(openPattern(source).test(text))
    }),
    { numRuns: 2_000 },
  )
})
