import { type MessageFormatElement, parse, TYPE } from '@formatjs/icu-messageformat-parser'
import { describe, expect, test } from 'vitest'
import { createFormats } from './formats.ts'
import { chooseLanguage, LANGUAGES, type Language, type WordKey } from './languages.ts'

const languages = Object.keys(LANGUAGES) as Language[]
const keys = Object.keys(LANGUAGES.en.words) as WordKey[]

/** Names of the arguments of a message, those inside its branches too. */
function argumentsOf(elements: readonly MessageFormatElement[]): string[] {
  const names = elements.flatMap((element) => {
    if (element.type === TYPE.plural || element.type === TYPE.select)
      return [element.value, ...Object.values(element.options).flatMap(({ value }) => argumentsOf(value))]
    return element.type === TYPE.literal || element.type === TYPE.pound || element.type === TYPE.tag
      ? []
      : [element.value]
  })
  return [...new Set(names)].sort()
}

describe.each(languages)('in %s', (language) => {
  const { words } = LANGUAGES[language]

  test('there are the keys of English, in its order, and none is empty', () => {
    expect(Object.keys(words)).toEqual(keys)
    expect(keys.filter((key) => words[key].trim() === '')).toEqual([])
  })

  test('every message is valid ICU and takes the arguments of the English one', () => {
    for (const key of keys) {
      expect(argumentsOf(parse(words[key])), key).toEqual(argumentsOf(parse(LANGUAGES.en.words[key])))
    }
  })

  test('no message says sorry, shouts or joins with a hyphen for a dash', () => {
    expect(keys.filter((key) => /sorry|oops|please|désolé|\w!| - /i.test(words[key]))).toEqual([])
  })
})

test('French has a narrow space before : ; ? ! and %', () => {
  const { words } = LANGUAGES.fr
  // A colon inside an ID or a time belongs to it.
  const wrong = keys.filter((key) => /[^\u202f\s\d]([:;?!%»])(\s|$)|\s(?<!\u202f)[:;?!%»]/.test(words[key]))
  expect(wrong).toEqual([])
})

test('the kept language wins, then the first of the browser that we have, then English', () => {
  expect(chooseLanguage('sv', ['fr-FR'])).toBe('sv')
  expect(chooseLanguage(null, ['de-DE', 'fr-CA', 'en'])).toBe('fr')
  expect(chooseLanguage('xx', ['de'])).toBe('en')
  expect(chooseLanguage('toString', [])).toBe('en')
})

describe('numbers and times', () => {
  const en = createFormats('en')
  const now = Date.parse('2026-11-20T14:32:07.000Z')

  test('a share is 100 % only when it is all', () => {
    expect(en.percent(1)).toBe('100.0%')
    expect(en.percent(0.99999)).toBe('99.99%')
    expect(en.percent(0.9996)).toBe('99.96%')
    expect(en.percent(0.928)).toBe('92.8%')
  })

  test('large numbers are short, small ones exact', () => {
    expect([0, 999, 9999, 760_200, 2_412_000].map(en.short)).toEqual(['0', '999', '9,999', '760 k', '2.41 M'])
    expect(createFormats('sv').exact(214_300)).toBe('214\u00a0300')
    expect(createFormats('fr').duration(410)).toBe('0,41 s')
  })

  test('durations name their unit', () => {
    expect([231, 410, 302_000, 11_100_000, 12 * 86_400_000].map(en.duration)).toEqual([
      '231 ms',
      '0.41 s',
      '5 min 2 s',
      '3 h 5 min',
      '12 d',
    ])
  })

  test('a time is bare today, has its date this year, and its year before', () => {
    expect(en.time('2026-11-20T14:07:11.204Z', now)).toBe('14:07:11')
    expect(en.minuteTime('2026-11-20T14:07:11.204Z', now)).toBe('14:07')
    expect(en.minuteTime('2026-11-18T16:02:11.204Z', now)).toBe('18 Nov 16:02')
    expect(en.time('2026-11-18T16:02:11.204Z', now)).toBe('18 Nov 16:02')
    expect(en.time('2025-11-18T16:02:11.204Z', now)).toBe('18 Nov 2025 16:02')
    expect(en.exactTime('2026-11-20T14:07:11.204Z', now)).toBe('14:07:11.204')
  })

  test('a day has its year when it is not this one, after it too', () => {
    expect(en.day('2026-12-24', now)).toBe('24 December')
    expect(en.day('2027-03-30T00:00:00.000Z', now)).toBe('30 March 2027')
    expect(en.shortDay('2027-03-30', now)).toBe('30 Mar 2027')
    expect(createFormats('sv').day('2025-03-30', now)).toBe('30 mars 2025')
  })

  test('the first of a month is an ordinal in French, and nothing else is', () => {
    const fr = createFormats('fr')
    expect(fr.day('2026-12-01', now)).toBe('1er décembre')
    expect(fr.shortDay('2027-12-01', now)).toBe('1er déc. 2027')
    expect(fr.time('2026-12-01T01:01:01.000Z', now)).toBe('1er déc. 01:01')
    expect(fr.day('2026-12-11', now)).toBe('11 décembre')
    expect(fr.wallDay(Date.parse('2026-12-01'))).toBe('mar. 1er déc.')
    expect(createFormats('sv').day('2026-12-01', now)).toBe('1 december')
  })
})
