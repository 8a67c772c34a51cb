// P5: what matching costs at 100,000 rules against 10,000, with the same matches an event.
import { buildAudienceRules } from '../dist/audience/audience-rules.js'
import { matchTraits } from '../dist/audience/evaluate.js'
import { runInSlices } from '../dist/lib/slices.js'
import { definitions, events, microsecondsPerCall, round, selectiveRules, trait } from './made-rules.mjs'

const FEW = 10_000
const MANY = 100_000

/** @returns {Promise<import('./result.ts').BenchResult>} */
export async function run() {
  const texts = selectiveRules(MANY)
  const traits = texts.map((text, i) => trait(i + 1, text))
  const small = await runInSlices(buildAudienceRules(definitions({ traits: traits.slice(0, FEW) })))
  const large = await runInSlices(buildAudienceRules(definitions({ traits })))
  // Events draw from the first 10,000 rules, so both sides find the same.
  const some = events(10_000, FEW)
  for (const signals of some) {
    const equal = matchTraits(small, signals, undefined).join() === matchTraits(large, signals, undefined).join()
    if (!equal) throw new Error('the two sides found different traits')
  }
  const measure = (rules) =>
    microsecondsPerCall(some.length, () => {
      for (const signals of some) matchTraits(rules, signals, undefined)
    })
  const [one, two] = [measure(small), measure(large)]
  const [three, four] = [measure(small), measure(large)]
  const peer = Math.min(one, three)
  const ours = Math.min(two, four)
  return {
    id: 'P5',
    what: `cost of matching at ${MANY} rules / at ${FEW}, same matches an event`,
    ours: { name: `${MANY} rules`, value: round(ours), unit: 'µs/event' },
    peer: { name: `${FEW} rules`, value: round(peer), unit: 'µs/event' },
    ratio: round(ours / peer),
    must: '<= 2',
    aim: '<= 1.3',
    met: ours / peer <= 2,
  }
}
