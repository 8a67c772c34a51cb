// P4: matching by index against trying every rule, 50,000 selective rules. Both sides must find the same traits.
import { buildAudienceRules } from '../dist/audience/audience-rules.js'
import { matchTraits } from '../dist/audience/evaluate.js'
import { foldValue, predicateOf, testValue } from '../dist/audience/rules/predicate.js'
import { parseTraitRule } from '../dist/audience/rules/trait-rule.js'
import { runInSlices } from '../dist/lib/slices.js'
import { definitions, events, microsecondsPerCall, round, selectiveRules, trait } from './made-rules.mjs'

const RULES = 50_000

/** @returns {Promise<import('./result.ts').BenchResult>} */
export async function run() {
  const texts = selectiveRules(RULES)
  const traits = texts.map((text, i) => trait(i + 1, text))
  const rules = await runInSlices(buildAudienceRules(definitions({ traits })))
  const trees = texts.map((text) => prepare(parseTraitRule(text).rule))
  const many = events(5000, RULES)
  const few = many.slice(0, 100)

  let matches = 0
  for (const signals of few) {
    const ours = matchTraits(rules, signals, undefined)
    const theirs = tryAll(trees, signals)
    if (ours.join() !== theirs.join()) throw new Error('the two sides found different traits')
    matches += ours.length
  }
  const ours = microsecondsPerCall(many.length, () => {
    for (const signals of many) matchTraits(rules, signals, undefined)
  })
  const peer = microsecondsPerCall(
    few.length,
    () => {
      for (const signals of few) tryAll(trees, signals)
    },
    3,
  )
  const ratio = peer / ours
  return {
    id: 'P4',
    what: `rule matching / trying all rules, ${RULES} selective rules`,
    ours: { name: 'index', value: round(ours), unit: 'µs/event' },
    peer: {
      name: 'every rule tried, values folded once, first failing part ends it',
      value: round(peer),
      unit: 'µs/event',
    },
    ratio: round(ratio, 0),
    must: '>= 100',
    aim: '>= 500',
    met: ratio >= 100,
    notes: `events of 20 parameters, ${round(matches / few.length, 1)} matches an event, checked equal on ${few.length}`,
  }
}

/** The other side: trees of ready predicates. */
function prepare(node) {
  if (node.op === 'comparison') return { op: 'test', ...predicateOf(node) }
  if (node.op === 'not') return { op: 'not', child: prepare(node.child) }
  return { op: node.op, children: node.children.map(prepare) }
}

function tryAll(trees, signals) {
  const folded = new Map()
  for (const key of new Set(signals.names)) folded.set(key, signals.all(key).map(foldValue))
  const found = []
  for (let i = 0; i < trees.length; i++) if (holds(trees[i], folded)) found.push(i + 1)
  return found
}

function holds(node, folded) {
  if (node.op === 'test') {
    const values = folded.get(node.key) ?? []
    return values.some((value) => testValue(node.operator, node.operand, value))
  }
  if (node.op === 'not') return !holds(node.child, folded)
  if (node.op === 'and') return node.children.every((child) => holds(child, folded))
  return node.children.some((child) => holds(child, folded))
}
