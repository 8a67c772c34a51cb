import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseSegmentRule } from '../src/audience/rules/segment-rule.ts'
import { parseTraitRule } from '../src/audience/rules/trait-rule.ts'
import { startTestEdge } from '../src/collect/test-edge.conformance.ts'
import type { TraitId } from '../src/model/ids.ts'
import { deviceId, makeCall } from '../src/testkit/make-call.ts'
import { makeDefinitions, makeSegment, makeTrait } from '../src/testkit/make-definitions.ts'
import { makePipeline } from '../src/testkit/make-pipeline.ts'

/** Every example of docs/rules.md, against the calls and visits beside it: the real edge and the real pipeline. */
const page = readFileSync(join(import.meta.dirname, '..', 'docs', 'rules.md'), 'utf8')
const DAY_MS = 86_400_000
const TODAY_MS = Date.UTC(2026, 10, 22, 10)
const TRAIT = 100_001

interface Example {
  readonly title: string
  readonly language: 'trait' | 'segment'
  readonly rule: string
  readonly cases: readonly { readonly given: string; readonly holds: boolean }[]
}

const examples = page
  .split(/^### /m)
  .slice(1)
  .flatMap((text): Example[] => {
    const [, language, rule = ''] = /```(trait|segment)\n([\s\S]*?)\n```/.exec(text) ?? []
    if (language !== 'trait' && language !== 'segment') return []
    const cases = [...text.matchAll(/^\| (.+?) \| (yes|no) \|$/gm)].map(([, given = '', verdict]) => ({
      given,
      holds: verdict === 'yes',
    }))
    return [{ title: text.slice(0, text.indexOf('\n')), language, rule, cases }]
  })

test('the page has ten examples, of both languages, each with calls for which it holds and for which it does not', () => {
  expect(examples.map(({ title }) => title.slice(0, title.indexOf('.')))).toEqual(
    Array.from({ length: 10 }, (_, at) => String(at + 1)),
  )
  expect(page.match(/```(trait|segment)$/gm)).toHaveLength(10)
  for (const { title, cases } of examples) {
    expect([title, new Set(cases.map(({ holds }) => holds)).size]).toEqual([title, 2])
    // A line of a table that is not read would prove nothing.
    const section = page.slice(page.indexOf(`### ${title}`)).split(/^##/m)[1] ?? ''
    expect([title, section.match(/^\| /gm)?.length]).toEqual([title, cases.length + 1])
  }
})

describe('trait rules [AUD-81~] [AUD-77~] [AUD-79~] [AUD-80~]', () => {
  const ofTraits = examples.filter(({ language }) => language === 'trait')
  test.each(ofTraits.flatMap(({ rule, cases }) => cases.map((one) => ({ rule, ...one }))))(
    '$rule on $given: $holds',
    async ({ rule, given, holds }) => {
      expect(parseTraitRule(rule)).toMatchObject({ ok: true, normalized: rule, hints: [] })
      expect(await isRealized(rule, given.replaceAll('`', ''))).toBe(holds)
    },
  )
})

describe('segment rules [AUD-129~] [AUD-130~] [AUD-133~]', () => {
  const ofSegments = examples.filter(({ language }) => language === 'segment')
  test.each(ofSegments.flatMap(({ rule, cases }) => cases.map((one) => ({ rule, ...one }))))(
    '$rule after $given: $holds',
    async ({ rule, given, holds }) => {
      const parsed = parseSegmentRule(rule)
      if (!parsed.ok) throw new Error(parsed.message)
      expect(parsed.normalized).toBe(rule)
      const traits = parsed.traitIds.map((sid: TraitId) => makeTrait(sid, `t == ${sid}`))
      await using pipeline = await makePipeline(makeDefinitions({ traits, segments: [makeSegment(1, rule)] }))
      for (const { sid, daysAgo } of readVisits(given)) {
        expect(parsed.traitIds).toContain(sid)
        const receivedAtMs = TODAY_MS - daysAgo * DAY_MS
        await pipeline.sweepAt(receivedAtMs)
        await pipeline.process(makeCall(1, { t: String(sid) }, { receivedAtMs }))
      }
      // A visit that says nothing, only to ask.
      await pipeline.sweepAt(TODAY_MS)
      expect(await pipeline.process(makeCall(1, {}, { receivedAtMs: TODAY_MS }))).toMatchObject({
        segments: holds ? [1] : [],
      })
    },
  )
})

test.each([
  ['c_price == "1,000"', 'c_price=1%2C000', true],
  ['c_price == "1,000"', 'c_price=1,000', false],
  ['c_price == 000', 'c_price=1,000', true],
  ['c_a == ""', 'c_a=', true],
  ['c_a != 5', 'c_a=', false],
  ['c_a contains ""', 'c_a=', false],
  ['c_paid == c_price', 'c_paid=5&c_price=5', false],
  ['c_paid == c_price', 'c_paid=c_price', true],
  ['c_a == "\u00fc"', 'c_a=u%CC%88', false],
  ['c_n == +3.5', 'c_n=3.50', true],
  ['c_n == 3.5', 'c_n=%2B3.5', true],
  ['c_n > 1e-7', 'c_n=0.1', true],
  ['c_n < 1.5E+21', 'c_n=1e21', true],
  ['c_n == 1e3', 'c_n=1000', false],
  ['c_n == 1000', 'c_n=1e3', false],
  ['c_n == .5', 'c_n=0.5', false],
  ['c_n >= 0', 'c_n=.5', false],
])('in words: %s on %s: %j [AUD-21~] [AUD-348~] [AUD-349~]', async (rule, query, holds) => {
  expect(await isRealized(rule, query)).toBe(holds)
})

test('what the page says is refused is refused', () => {
  for (const value of ['.5', '1.', '"1,000"']) {
    expect(parseTraitRule(`c_n > ${value}`)).toMatchObject({ ok: false, message: expect.stringContaining('(write ') })
    const hints = expect.arrayContaining([expect.stringContaining('(write ')])
    expect(parseTraitRule(`c_n == ${value}`)).toMatchObject({ ok: true, hints })
  }
  const patterns = /\*\*Regular expressions\*\*[\s\S]*?\n\n/.exec(page)?.[0].match(/(?<=`)[^`]+(?=`)/g) ?? []
  const refused = patterns.filter((text) => /[\\([+]/.test(text))
  expect(refused.length).toBeGreaterThan(10)
  for (const pattern of refused)
    expect([pattern, parseTraitRule(`c_a matchesregex '${pattern.replace('…', 'a')}'`).ok]).toEqual([pattern, false])
  for (const rule of ['NOT c_order == 1', 'c_a == 1 OR NOT c_b == 1']) expect(parseTraitRule(rule).ok).toBe(false)
  for (const rule of ['NOT 200001T', 'FREQUENCY([200001T]) <= 5', '200001'])
    expect(parseSegmentRule(rule).ok).toBe(false)
})

/** Through the real edge and the real pipeline. */
async function isRealized(rule: string, query: string): Promise<boolean> {
  await using edge = await startTestEdge()
  await edge.call(`/event?${query}`)
  const [call] = edge.calls
  if (call === undefined) throw new Error(`not a call: ${query}`)
  await using pipeline = await makePipeline(makeDefinitions({ traits: [makeTrait(TRAIT, rule)] }))
  const outcome = await pipeline.process({ ...call, deviceId: deviceId(1), wantsMemberships: true })
  if (outcome.status !== 'processed') throw new Error(outcome.status)
  return outcome.traits.length > 0
}

/** `200001T` 3 days ago, `200003T` today: the earliest first. */
function readVisits(text: string): { readonly sid: number; readonly daysAgo: number }[] {
  const visits = text.split(', ').map((visit) => {
    const [, sid, when = ''] = /^`(\d+)T` (today|yesterday|\d+ days ago)$/.exec(visit) ?? []
    if (sid === undefined) throw new Error(`not a visit: ${visit}`)
    const daysAgo = when === 'today' ? 0 : when === 'yesterday' ? 1 : Number.parseInt(when, 10)
    return { sid: Number(sid), daysAgo }
  })
  return visits.sort((a, b) => b.daysAgo - a.daysAgo)
}
