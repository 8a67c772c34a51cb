import { describe, expect, test } from 'vitest'
import { Signals } from '../../model/signals.ts'
import { makeDefinitions, makeTrait } from '../../testkit/audience-definitions.ts'
import { runThrough } from '../../testkit/run-through.ts'
import { buildAudienceRules } from '../audience-rules.ts'
import { matchTraits } from '../match-traits.ts'

import { NEVER_HOLDS } from './rule-hints.ts'
import { parseSavedTraitRule, parseTraitRule } from './trait-rule.ts'

const RULE_DEPTH_MAX = 100
const RULE_NODES_MAX = 20_000

/** Does the rule hold for a call, given as a query string? */
function holds(rule: string, query: string): boolean {
  const parsed = parseTraitRule(rule)
  if (!parsed.ok) throw new Error(`${parsed.message} at ${parsed.position}`)
  const rules = runThrough(buildAudienceRules(makeDefinitions({ traits: [makeTrait(1, { traitRule: rule })] })))
  return matchTraits(rules, Signals.of(new URLSearchParams(query)), undefined).length === 1
}

test('a rule has at most 1,048,576 characters, which is where the refusal points [AUD-79~]', () => {
  const longest = `a == "${'x'.repeat(1_048_576 - 7)}"`
  expect([longest.length, parseTraitRule(longest).ok]).toEqual([1_048_576, true])
  expect(parseTraitRule(`${longest} `)).toMatchObject({
    ok: false,
    position: 1_048_576,
    message: expect.stringContaining('at most 1048576 characters'),
  })
})

describe('the conformance examples [AUD-85]', () => {
  test.each([
    ['(c_make=="A") AND (c_model=="B") AND (c_search=="1")', 'c_make=A&c_model=B&c_search=1', true],
    ['(c_make=="A") AND (c_model=="B") AND (c_search=="1")', 'c_make=A&c_model=B', false],
    ['(a== "1" OR b=="1") AND (c=="new")', 'b=1&c=new', true],
    ['(a== "1" OR b=="1") AND (c=="new")', 'a=1&b=1', false],
    ['(price >= 1.00 AND price <= 100.00)', 'price=1', true],
    ['(price >= 1.00 AND price <= 100.00)', 'price=100', true],
    ['(price >= 1.00 AND price <= 100.00)', 'price=100.01', false],
    ['p_age < 25', 'p_age=23', true],
    ['p_age < 25', 'p_age=25', false],
    ['h_referer contains "www.omniture.com/en/"', 'h_referer=https://www.omniture.com/en/privacy', true],
    ['h_referer contains "www.omniture.com/en/"', 'h_referer=https://www.omniture.com/de/', false],
    ['productPage == "December Promotion"', 'productPage=December Promotion', true],
    ['d_country=="CW" OR d_country=="SX" OR d_country=="BQ"', 'd_country=SX', true],
    ['d_country=="CW" OR d_country=="SX" OR d_country=="BQ"', 'd_country=NL', false],
    ['v==1 AND NOT (a==23)', 'v=1', true],
    ['v==1 AND (a!=23)', 'v=1', false],
    ['v==1 AND NOT (a==23)', 'v=1&a=24', true],
    ['v==1 AND (a!=23)', 'v=1&a=24', true],
    ['v==1 AND NOT (a==23)', 'v=1&a=23', false],
  ])('%s on %s: %j', (rule, query, expected) => {
    expect(holds(rule, query)).toBe(expected)
  })
})

describe('comparisons', () => {
  test.each([
    ['product==2093', 'product=2093', true],
    ['price > "500"', 'price=501', true],
    ["h_referer = 'campaign=123'", 'h_referer=campaign=123', true],
    ['product == camera-1.5:x/y', 'product=Camera-1.5:X/Y', true],
  ])('%s on %s: values may be quoted either way or bare [AUD-76]: %j', (rule, query, expected) => {
    expect(holds(rule, query)).toBe(expected)
  })

  test.each([
    ['a == 1', 'a=1.0', true],
    ['a == "01"', 'a=1', true],
    ['a != 1', 'a=1.0', false],
    ['a == 1', 'a=one', false],
    ['a < 5', 'a=x', false],
    ['a < 1', 'a=1e-7', true],
    ['a > 0.0000001', 'a=1e-7', false],
    ['a >= 1e-7', 'a=0.0000001', true],
    ['a > 100000000000000000000', 'a=1e%2B21', true],
    ['a < 0', 'a=-1.5E2', true],
    ['a >= "+5"', 'a=5', true],
    ['a >= +5', 'a=5', true],
    ['a == +3.50', 'a=%2B3.5', true],
    ['a != +3.5', 'a=3.5', false],
    ['a > 1e+2', 'a=101', true],
    ['a <= -1E+2', 'a=-100', true],
    ['a == .5', 'a=0.5', false],
    ['a == .5', 'a=.5', true],
    ['a == 1000', 'a=1e3', false],
    ['a == 1e3', 'a=1E3', true],
    ['a >= 0', 'a=.5', false],
    ['a >= 0', 'a=1.', false],
    ['a >= 0', 'a= 5 ', false],
    ['a >= 0', 'a=0x10', false],
    ['a >= 0', 'a=Infinity', false],
    ['a >= 0', 'a=1e9999', false],
    ['a >= 0', 'a=1,000', false],
    ['a >= -1.5', 'a=-1.50', true],
    ['a > 9', 'a=10', true],
    ['id < 12345678901234567890123456789012345679', 'id=12345678901234567890123456789012345678', true],
    ['id == 12345678901234567890123456789012345679', 'id=12345678901234567890123456789012345678', false],
  ])(
    '%s on %s: numbers compare exactly, an order reads exponents too, anything else is text [AUD-77], [AUD-348]: %j',
    (rule, query, expected) => {
      expect(holds(rule, query)).toBe(expected)
    },
  )

  test.each([
    ['a contains mer', 'a=Camera', true],
    ['a startswith CAM', 'a=camera', true],
    ['a startswith era', 'a=camera', false],
    ['a endswith era', 'a=camera', true],
    ['a endswith cam', 'a=camera', false],
    ['a contains "00"', 'a=007', true],
  ])('%s on %s: parts of a value [AUD-78]: %j', (rule, query, expected) => {
    expect(holds(rule, query)).toBe(expected)
  })

  test.each([
    ['a matcheswords "red car"', 'a=fast red car', true],
    ['a matcheswords "red car"', 'a=fast red carpet', false],
    ['a matcheswords "red car"', 'a=RED-CAR!', true],
    ['a matcheswords "car red"', 'a=red car', false],
    ['a matcheswords "red car"', 'a=red fast car', false],
  ])('%s on %s: a run of whole words [AUD-79]: %j', (rule, query, expected) => {
    expect(holds(rule, query)).toBe(expected)
  })

  test.each([
    ['a matchesregex "^cam"', 'a=camera', true],
    ['a matchesregex "era"', 'a=camera', true],
    ['a matchesregex "CAM"', 'a=camera', false],
    ['a matchesregex "(?i)CAM"', 'a=camera', true],
    [String.raw`a matchesregex "^\d+$"`, 'a=123', true],
  ])(
    '%s on %s: a regular expression is found anywhere and minds case [AUD-80], [AUD-81~]: %j',
    (rule, query, expected) => {
      expect(holds(rule, query)).toBe(expected)
    },
  )

  test('keys and values compare without case [AUD-81~], [COL-36]', () => {
    expect(holds('Product == "SmartPhone"', 'PRODUCT=smartphone')).toBe(true)
  })

  test('values of one key in different case belong together [AUD-21], [AUD-81~]', () => {
    expect(holds('color == red AND color == blue', 'Color=red&COLOR=blue')).toBe(true)
  })

  test('any value of a repeated key satisfies a comparison [AUD-21], [COL-28]', () => {
    expect(holds('c_color == blue', 'c_color=red&c_color=blue')).toBe(true)
    expect(holds('a != 23', 'a=23')).toBe(false)
    expect(holds('a != 23', 'a=23&a=24')).toBe(true)
  })

  test.each(['a != 1', 'a < 1', 'a <= 1', 'a contains ""', 'a == ""'])(
    '%s is false on an absent key [AUD-23]',
    (rule) => {
      expect(holds(rule, 'b=1')).toBe(false)
    },
  )

  test('an empty value matches only the comparison with the empty string [AUD-341], [COL-35]', () => {
    expect(holds('a == ""', 'a=')).toBe(true)
    expect(holds('a == ""', 'a=x')).toBe(false)
    for (const rule of ['a != "23"', 'a contains ""', 'a startswith ""', 'a matchesregex ""', 'a <= 5']) {
      expect(holds(rule, 'a=')).toBe(false)
    }
  })

  test('the prefix is part of the key [AUD-12], [COL-20], [COL-19]', () => {
    expect(holds('c_price == 9', 'c_price=9')).toBe(true)
    expect(holds('price == 9', 'c_price=9')).toBe(false)
    expect(holds('c_price == 9', 'price=9')).toBe(false)
  })

  test('__proto__ and constructor are keys like any other [SEC-06~]', () => {
    expect(holds('__proto__ == x OR constructor == y', '__proto__=x')).toBe(true)
    expect(holds('constructor == y', 'a=1')).toBe(false)
    expect(holds('a == constructor', 'a=constructor')).toBe(true)
    expect(holds('a == constructor', 'a=toString')).toBe(false)
  })
})

describe('grammar', () => {
  test.each([
    ['a==1 OR b==1 AND c==1', 'a=1', true],
    ['(a==1 OR b==1) AND c==1', 'a=1', false],
    ['c==1 AND NOT a==1 AND b==1', 'b=1&c=1', true],
    ['c==1 AND NOT (a==1 OR b==1)', 'b=1&c=1', false],
  ])('%s on %s: AND binds before OR, NOT before AND [AUD-72]: %j', (rule, query, expected) => {
    expect(holds(rule, query)).toBe(expected)
  })

  test('keywords and named operators match in any case, white space is free [AUD-71]', () => {
    expect(holds('a==1 And Not b CONTAINS x\n oR\t c StartsWith y', 'c=yes')).toBe(true)
    expect(holds('(a==1)and(b==2)', 'a=1&b=2')).toBe(true)
  })

  test.each(['price123', '123price', 'price-123', 'c_price123', 'c_contextData.a.CarrierName', 'd_zx'])(
    'the key %s is valid [AUD-10], [AUD-11], [COL-26], [COL-27], [COL-55]',
    (key) => {
      expect(holds(`${key} == 1`, `${key}=1`)).toBe(true)
    },
  )

  test('in quotes a backslash escapes a quote or a backslash, and otherwise stays [AUD-347]', () => {
    expect(holds(String.raw`a == "say \"hi\" \\ \d"`, String.raw`a=say "hi" \ \d`)).toBe(true)
    expect(holds(String.raw`a == 'it\'s'`, "a=it's")).toBe(true)
  })

  test('a quoted keyword is a string [AUD-347]', () => {
    expect(holds('a == "OR"', 'a=or')).toBe(true)
  })

  test.each([
    ['a => 5', 'a >= 5', []],
    ['a=5', 'a==5', ['= was read as ==']],
    ['a == 1 NOT b == 2', 'a == 1 AND NOT b == 2', []],
    [' (a  ==1) and b contains "=>" ', '(a  ==1) and b contains "=>"', []],
  ])('%s is stored as %s, the rest as written [AUD-74], [AUD-75], [AUD-73]', (rule, normalized, hints) => {
    expect(parseTraitRule(rule)).toMatchObject({ ok: true, normalized, hints })
  })

  test.each(['d_rs', 'D_DST_FILTER'])('a rule on the reserved attribute %s carries a warning [COL-53~]', (key) => {
    const parsed = parseTraitRule(`${key} == 1`)
    expect(parsed.ok && parsed.hints).toEqual([expect.stringContaining('reserved')])
  })
})

describe('hints on what will surprise [AUD-75~]', () => {
  const hintsOf = (rule: string) => {
    const parsed = parseTraitRule(rule)
    if (!parsed.ok) throw new Error(parsed.message)
    return parsed.hints
  }

  test.each([
    ['a == 1e3', '1e3 is compared as a text, character by character (write 1000)'],
    ['a != .5', '.5 is compared as a text, character by character (write 0.5)'],
    ['a == 1.', '1. is compared as a text, character by character (write 1)'],
    ['a == -.5', '-.5 is compared as a text, character by character (write -0.5)'],
    ['a == c_q', 'c_q is read as a text, not as a key: a key stands on the left of a comparison only'],
    ['a contains "b, c"', 'a comma separates the values of a key: b, c is found only where its comma was sent as %2C'],
    ['a == "u\u0308"', expect.stringContaining('letters that are written as several characters')],
    ['a == 1 AND NOT A == "1.0"', NEVER_HOLDS],
    ['(a == 1 OR b > 2) AND NOT a == 1 AND NOT b > 2.0', NEVER_HOLDS],
  ])('%s: %s', (rule, hint) => {
    expect(hintsOf(rule)).toEqual([hint])
  })

  test('a thousand with a comma is neither the number nor found where the comma separates', () => {
    expect(hintsOf('a == "1,000"')).toEqual([
      '1,000 is compared as a text, character by character (write 1000)',
      expect.stringContaining('%2C'),
    ])
    expect([holds('a == "1,000"', 'a=1%2C000'), holds('a == "1,000"', 'a=1000')]).toEqual([true, false])
  })

  test.each([
    'a == 1000',
    'a == +3.5',
    'a > 1e-7',
    'a == 12e5x',
    'a == "c_q"',
    'h_accept contains "text/html,"',
    'a matcheswords "b, c"',
    'a matchesregex "[0-9]{1,3}"',
    'a == \u00fc',
    'a == 1 AND NOT a == 2',
    'a == 1 AND a == 2',
    'a == 1 AND NOT b == 1',
  ])('%s has none', (rule) => {
    expect(hintsOf(rule)).toEqual([])
  })

  test('a long rule is not tried out, whatever it says', () => {
    const many = Array.from({ length: 9 }, (_, at) => `k${at} == 1`).join(' AND ')
    expect(hintsOf(`${many} AND NOT k0 == 1`)).toEqual([])
    const long = Array.from({ length: 300 }, () => 'a == 1').join(' OR ')
    expect(hintsOf(`(${long}) AND NOT a == 1`)).toEqual([])
  })
})

describe('refusals name the position of the first error [AUD-140], [AUD-83~]', () => {
  test.each([
    ['price >= .5', 9, '".5" is not one (write 0.5)'],
    ['price > "1,000"', 8, '"1,000" is not one (write 1000)'],
    ['price < "1,234,567.5"', 8, '(write 1234567.5)'],
    ['price <= 1.', 9, '(write 1)'],
    ['price => "-.5"', 9, '(write -0.5)'],
    ['price > " 5 "', 8, '(write 5)'],
    ['price > ""', 8, '"" is not one:'],
    ['price > 0x10', 8, '"0x10" is not one:'],
    ['price > Infinity', 8, '"Infinity" is not one:'],
    ['price > 1e9999', 8, '"1e9999" is not one:'],
    ['price > "1,00"', 8, '"1,00" is not one:'],
    ['price < x', 8, '"x" is not one:'],
    ['price > +.5', 8, '"+.5" is not one (write 0.5)'],
    ['price > 1.e3', 8, '"1.e3" is not one (write 1000)'],
    ['a == 1 AND NOT (b < 5 OR c >= "5 %")', 30, '"5 %" is not one:'],
  ])('%s would never hold and is refused at %i [AUD-77]', (rule, position, words) => {
    const refused = parseTraitRule(rule)
    expect(refused).toMatchObject({ ok: false, position, message: expect.stringContaining(words) })
  })

  test('a rule with such an order that was saved before is still read, and its other conditions hold', () => {
    expect(parseSavedTraitRule('a == 1 OR price >= .5')).toMatchObject({ ok: true })
  })

  test.each([
    ['', 0, 'empty'],
    ['   ', 3, 'empty'],
    ['a', 1, 'operator'],
    ['a ==', 4, 'value'],
    ['a == "x', 5, 'never closed'],
    ['a ! 1', 2, 'unexpected character !'],
    ['a == 1 && b == 2', 7, 'unexpected character &'],
    ['price!123 == 1', 5, 'unexpected'],
    ['a == x+1', 6, 'found +1'],
    ['a == +x', 5, 'unexpected character +'],
    ['+5 == 1', 0, 'key may not hold +'],
    ['123 == 1', 0, 'letter'],
    ['"a" == 1', 0, 'quotes'],
    ['a/b == 1', 1, 'key may not hold /'],
    ['.a == 1', 0, 'dot'],
    ['a. == 1', 1, 'dot'],
    ['é == 1', 0, 'may not hold'],
    ['a === 1', 4, 'value'],
    ['a <> 1', 3, 'value'],
    ['a 1', 2, 'operator'],
    ['a == 1 b == 2', 7, 'AND, OR'],
    ['a == 1 AND', 10, 'key'],
    ['a == 1 OR OR b == 1', 10, 'keyword'],
    ['(a == 1', 0, 'never closed'],
    ['a == 1)', 6, 'closes nothing'],
    ['(a == 1 b == 2)', 8, 'expected )'],
    ['()', 1, 'key'],
    ['NOT NOT a == 1', 4, 'NOT'],
    ['AND == 1', 0, 'keyword'],
    ['a == or', 5, 'quotes'],
    ['a == b == c', 7, 'AND, OR'],
    ['a matcheswords "--"', 15, 'word'],
    ['a matchesregex "x(?=y)"', 17, 'look-around'],
    ["a matchesregex 'x(?=y)'", 17, 'look-around'],
    [String.raw`a matchesregex "\"x(?=y)"`, 19, 'look-around'],
    [String.raw`a matchesregex '\'x(?=y)'`, 19, 'look-around'],
    [String.raw`a matchesregex "\"\\1"`, 18, 'back-references'],
    ['b == 1 AND a matchesregex a(', 27, 'AND, OR'],
  ])('%j at %i: %s [AUD-347] [AUD-10] [AUD-11] [COL-26]', (rule, position, message) => {
    const parsed = parseTraitRule(rule)
    expect(parsed).toMatchObject({ ok: false, position })
    expect(!parsed.ok && parsed.message).toContain(message)
  })

  test.each([
    ['NOT a == 1', 0],
    ['a == 1 OR NOT b == 2', 10],
    ['a == 1 OR (NOT b == 2 AND NOT c == 3)', 11],
    ['NOT (a == 1 AND b == 2)', 0],
  ])('%s would hold for a call without signals and is refused [AUD-73]', (rule, position) => {
    expect(parseTraitRule(rule)).toMatchObject({ ok: false, position, message: expect.stringContaining('every call') })
  })

  test('a leading NOT is accepted when something must hold [AUD-73]', () => {
    expect(holds('NOT a == 1 AND b == 2', 'b=2')).toBe(true)
  })
})

describe('limits [SEC-70]', () => {
  test('a rule of 10,000 comparisons in one chain is read, one part more is refused', () => {
    const chain = (length: number) => Array.from({ length }, () => 'a==1').join(' AND ')
    expect(parseTraitRule(chain(RULE_NODES_MAX / 2)).ok).toBe(true)
    expect(parseTraitRule(chain(RULE_NODES_MAX / 2 + 1))).toMatchObject({ ok: false, position: 90_000 })
  })

  test('parentheses nest 100 deep and no deeper', () => {
    const nested = (depth: number) => `${'('.repeat(depth)}a==1${')'.repeat(depth)}`
    expect(parseTraitRule(nested(RULE_DEPTH_MAX)).ok).toBe(true)
    expect(parseTraitRule(nested(RULE_DEPTH_MAX + 1))).toMatchObject({ ok: false, position: RULE_DEPTH_MAX })
  })

  test.each([
    ['('.repeat(100_000)],
    ['NOT '.repeat(30_000)],
    ['NOT('.repeat(30_000)],
    ['a'.repeat(100_000)],
    ['"'.repeat(100_001)],
    [`a == "${'\\'.repeat(100_000)}`],
    [`a == 1 ${'AND '.repeat(30_000)}`],
    [`a matchesregex "${'('.repeat(100_000)}"`],
    ['\u0000'.repeat(100_000)],
    ['a==1 OR '.repeat(200_000)],
  ])('hostile text %.12s... is refused, not a crash', (text) => {
    expect(parseTraitRule(text).ok).toBe(false)
  })
})
