import { describe, expect, test } from 'vitest'
import type { TraitId } from '../../model/ids.ts'
import { NEVER_HOLDS } from './rule-hints.ts'
import { parseSegmentRule } from './segment-rule.ts'

const SEGMENT_TRAITS_MAX = 5000

describe('grammar [AUD-128]', () => {
  test.each([
    ['(1634962T) AND (1634961T OR 1634966T)', [1634961, 1634962, 1634966]],
    ['12T OR 13T', [12, 13]],
    ['1T AND NOT 2T', [1, 2]],
    ['FREQUENCY([1T,2T]>=5D)>=3', [1, 2]],
    ['frequency ( [ 1T , 2 T ] <= 5 D ) == 3', [1, 2]],
    ['frequency([1000T]) >= 1 AND frequency([1000T]) <= 5', [1000]],
    ['frequency([1000T]) <= 5 AND 7T', [7, 1000]],
    ['(frequency([1000T] <= 2D) >= 5)', [1000]],
    ['1t', [1]],
  ])('%s is read; its traits are %j [AUD-129], [AUD-130], [AUD-131], [AUD-347]', (rule, traitIds) => {
    expect(parseSegmentRule(rule)).toMatchObject({ ok: true, traitIds, normalized: rule })
  })

  test.each([
    ['1T NOT 2T', '1T AND NOT 2T'],
    ['FREQUENCY([1T]=>5D)=>3', 'FREQUENCY([1T]>=5D)>=3'],
    ['1T not (2T OR 3T)', '1T AND not (2T OR 3T)'],
  ])('%s is printed back as %s [AUD-346], [AUD-128]', (rule, normalized) => {
    expect(parseSegmentRule(rule)).toMatchObject({ ok: true, normalized })
  })
})

describe('refusals name the position of the first error [AUD-140]', () => {
  test.each([
    ['', 0, 'empty'],
    ['12', 0, 'T is missing'],
    ['1T AND 12', 7, 'T is missing'],
    ['12S', 0, '1234T'],
    ['abc', 0, '1234T'],
    ['1T AND', 6, 'rule ends'],
    ['1T 2T', 3, 'AND, OR'],
    ['(1T', 0, 'never closed'],
    ['1T)', 2, 'closes nothing'],
    ['0T', 0, 'no trait 0'],
    ['99999999999T', 0, 'no trait'],
    ['FREQUENCY[1T])>=1', 9, 'expected ('],
    ['FREQUENCY(1T)>=1', 10, 'expected ['],
    ['FREQUENCY([])>=1', 11, '1234T'],
    ['FREQUENCY([1T,])>=1', 14, '1234T'],
    ['FREQUENCY([1T)>=1', 13, 'expected ]'],
    ['FREQUENCY([1T]', 14, '>= or <='],
    ['FREQUENCY([1T])', 15, 'rule ends'],
    ['FREQUENCY([1T])>1', 15, '>= or <= or =='],
    ['FREQUENCY([1T])>=', 17, 'whole number'],
    ['FREQUENCY([1T])>=1.5', 17, 'whole number'],
    ['FREQUENCY([1T])>=99999999999', 17, 'at most'],
    ['FREQUENCY([1T]==5D)>=1', 14, '>= or <='],
    ['FREQUENCY([1T]<=5)>=1', 16, 'D is missing'],
    ['FREQUENCY([1T]<=0D)>=1', 16, 'greater than 0'],
    ['FREQUENCY([1T]<=99999D)>=1', 16, 'at most'],
  ])('%j at %i: %s [AUD-129], [AUD-131]', (rule, position, message) => {
    const parsed = parseSegmentRule(rule)
    expect(parsed).toMatchObject({ ok: false, position })
    expect(!parsed.ok && parsed.message).toContain(message)
  })

  test.each([
    ['frequency([1000T]) <= 5', 0],
    ['NOT 1T', 0],
    ['1T OR frequency([2T]) == 0', 6],
    ['frequency([2T] <= 5D) >= 0', 0],
  ])('%s would hold for an empty profile and is refused [AUD-135]', (rule, position) => {
    expect(parseSegmentRule(rule)).toMatchObject({
      ok: false,
      position,
      message: expect.stringContaining('without any traits'),
    })
  })

  test('recency and frequency are refused for traits that may not carry them, and unknown traits always [AUD-132]', () => {
    const traits = (sid: TraitId) => (sid === 9 ? undefined : { recencyAllowed: sid === 1 })
    expect(parseSegmentRule('FREQUENCY([1T]) >= 1 AND 2T', { traits }).ok).toBe(true)
    expect(parseSegmentRule('FREQUENCY([1T,2T]) >= 1', { traits })).toMatchObject({ ok: false, position: 14 })
    expect(parseSegmentRule('1T OR 9T', { traits })).toMatchObject({
      ok: false,
      position: 6,
      message: 'there is no trait 9',
    })
  })
})

describe('limits', () => {
  test('5,000 traits fit, each with its own NOT, frequency and operator; one more is refused [AUD-124~], [SEC-70]', () => {
    const rule = (traits: number) =>
      Array.from({ length: traits - 1 }, (_, i) => `NOT FREQUENCY([${i + 1}T]) >= 2`)
        .join(' AND ')
        .concat(` AND ${traits}T`)
    expect(parseSegmentRule(rule(SEGMENT_TRAITS_MAX))).toMatchObject({
      ok: true,
      traitIds: { length: SEGMENT_TRAITS_MAX },
    })
    expect(parseSegmentRule(rule(SEGMENT_TRAITS_MAX + 1))).toMatchObject({ ok: false })
  })

  test.each([
    ['('.repeat(100_000)],
    ['NOT('.repeat(30_000)],
    ['1'.repeat(100_000)],
    [`FREQUENCY([${'1T,'.repeat(30_000)}1T])>=1`],
    ['1T AND '.repeat(30_000)],
    [`FREQUENCY([1T])>=${'9'.repeat(100_000)}`],
  ])('hostile text %.14s... is refused, not a crash [SEC-70]', (text) => {
    expect(parseSegmentRule(text).ok).toBe(false)
  })
})

test('a rule that asks for both and neither carries a hint when it is checked [AUD-140~]', () => {
  const hintsOf = (rule: string) => parseSegmentRule(rule, { traits: () => ({ recencyAllowed: true }) })
  for (const rule of [
    '1T AND NOT 1T',
    '2T AND (1T OR 3T) AND NOT 1T AND NOT 3t',
    'FREQUENCY([1T,2T]<=7D)>=2 AND NOT FREQUENCY([1T, 2T] <= 7D) >= 2',
  ])
    expect(hintsOf(rule)).toMatchObject({ ok: true, hints: [NEVER_HOLDS] })
  for (const rule of [
    '1T AND NOT 2T',
    '1T AND NOT (1T AND 2T)',
    'FREQUENCY([1T]<=7D)>=2 AND NOT FREQUENCY([1T]<=7D)>=3',
  ])
    expect(hintsOf(rule)).toMatchObject({ ok: true, hints: [] })
})
