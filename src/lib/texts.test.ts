import { expect, test } from 'vitest'
import { codeIssue, comparableCode, nameIssue, secretIssue, unstorableIssue } from './texts.ts'

test.each([
  ['a\0b', 'holds the character U+0000'],
  ['\0', 'holds the character U+0000'],
  ['a\ud800', 'holds an unpaired surrogate (U+D800)'],
  ['\udc00a', 'holds an unpaired surrogate (U+DC00)'],
])('%j is in no text: it %s [API-164]', (text, issue) => {
  for (const check of [unstorableIssue, nameIssue, codeIssue]) expect(check(text)).toBe(issue)
  expect(secretIssue(text)).toBe(`${issue}; copy it again without that`)
})

test.each([
  ['a\nb', 'holds the control character U+000A (a line break)'],
  ['a\x7fb', 'holds the control character U+007F'],
  ['a\x85b', 'holds the control character U+0085'],
  ['a\u2028b', 'holds the control character U+2028 (a line break)'],
  ['crm\u200b_x', 'holds the invisible character U+200B (a zero-width space)'],
  ['\ufeffcrm_x', 'holds the invisible character U+FEFF (a byte order mark)'],
  ['crm\u00ad_x', 'holds the invisible character U+00AD (a soft hyphen)'],
  ['\u202ecrm', 'holds the invisible character U+202E'],
])('%j is in no name and no code: it %s [API-164]', (text, issue) => {
  expect(unstorableIssue(text)).toBeUndefined()
  expect(nameIssue(text)).toBe(issue)
  expect(codeIssue(text)).toBe(issue)
})

test('names may hold what emoji and the scripts of the world need; codes hold nothing unseen', () => {
  for (const name of ['Käufer 靴', 'می‌خواهم', '👩‍👩‍👧', '❤️', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', 'a b']) expect(nameIssue(name), name).toBeUndefined()
  expect(codeIssue('a\u200db')).toBe('holds the invisible character U+200D')
  for (const code of ['crm_x', 'Käufer', 'a b', '🛒']) expect(codeIssue(code), code).toBeUndefined()
})

test.each([
  ['secret-secret-1\n', 'ends with U+000A (a line break)'],
  ['secret-secret-1\r\n', 'ends with U+000A (a line break)'],
  [' secret-secret-1', 'begins with U+0020 (a blank)'],
  ['secret-secret-1\t', 'ends with U+0009 (a tab)'],
  ['\ufeffsecret-secret-1', 'begins with U+FEFF (a byte order mark)'],
  ['secret-secret-1\u200b', 'ends with U+200B (a zero-width space)'],
  ['secret-secret-1\u00a0', 'ends with U+00A0 (a no-break space)'],
  ['secret\nsecret', 'holds the control character U+000A (a line break)'],
  ['secret\u200bsecret', 'holds the invisible character U+200B (a zero-width space)'],
  ['secret\u00a0secret', 'holds U+00A0 (a no-break space)'],
])('%j is no secret: it %s', (text, issue) => {
  expect(secretIssue(text)).toBe(`${issue}; copy it again without that`)
})

test('a secret may hold blanks inside, signs, and letters of any script', () => {
  for (const secret of ['correct horse battery', 'p@ss+wörd%', ':', 'a', 'ключ-ключ', '🔑'.repeat(8)])
    expect(secretIssue(secret), secret).toBeUndefined()
})

test('a code is compared without white space around it and in one spelling', () => {
  expect(comparableCode(' crm_x\n')).toBe('crm_x')
  expect(comparableCode('Ka\u0308ufer')).toBe('Käufer')
})
