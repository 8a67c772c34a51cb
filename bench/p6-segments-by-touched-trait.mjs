// P6: evaluating the segments that one realized trait touches against evaluating all, 10,000 segments.
import { buildAudienceRules } from '../dist/audience/audience-rules.js'
import { evaluateSegments, realizeTraits } from '../dist/audience/evaluate.js'
import { runInSlices } from '../dist/lib/slices.js'
import { EMPTY_SEGMENTS, EMPTY_TRAITS } from '../dist/model/profile.js'
import { definitions, microsecondsPerCall, randomFrom, round, segments, trait } from './made-rules.mjs'

const SEGMENTS = 10_000
const TRAITS = 10_000
const NOW_MS = Date.UTC(2026, 10, 22, 12)

/** @returns {Promise<import('./result.ts').BenchResult>} */
export async function run() {
  const traits = Array.from({ length: TRAITS }, (_, i) => trait(i + 1, `k == ${i}`))
  const all = segments(SEGMENTS, TRAITS + 1, 1, TRAITS)
  const rules = await runInSlices(buildAudienceRules(definitions({ traits, segments: all })))
  const random = randomFrom(4)
  const profiles = Array.from({ length: 200 }, () => {
    const sids = Array.from({ length: 60 + Math.floor(random() * 140) }, () => 1 + Math.floor(random() * TRAITS))
    const table = realizeTraits(rules, EMPTY_TRAITS, sids, NOW_MS)
    const views = () => [table]
    const members = evaluateSegments(rules, EMPTY_SEGMENTS, { touched: 'all', views }, NOW_MS).segments
    const touched = Int32Array.of(table.sids[Math.floor(random() * table.sids.length)])
    return { views, members, touched }
  })
  const index = rules.compiled.segments
  const day = Math.floor(NOW_MS / 86_400_000)
  /** Every segment evaluated, nothing else done: the cheapest form of the other side. */
  const evaluateAll = ({ views }) => {
    index.begin(views, day, false)
    let members = 0
    for (let segment = 0; segment < SEGMENTS; segment++) if (index.holds(segment)) members++
    return members
  }
  for (const profile of profiles) {
    if (evaluateAll(profile) !== profile.members.sids.length) throw new Error('the two sides found different members')
  }
  const ours = microsecondsPerCall(profiles.length * 20, () => {
    for (let i = 0; i < 20; i++) {
      for (const { views, members, touched } of profiles)
        evaluateSegments(rules, members, { touched, views }, NOW_MS + i)
    }
  })
  const peer = microsecondsPerCall(profiles.length, () => {
    for (const profile of profiles) evaluateAll(profile)
  })
  const ratio = peer / ours
  return {
    id: 'P6',
    what: `segments by touched trait / all, ${SEGMENTS} segments`,
    ours: { name: 'touched by one trait, memberships written', value: round(ours), unit: 'µs/event' },
    peer: { name: 'all evaluated', value: round(peer), unit: 'µs/event' },
    ratio: round(ratio, 0),
    must: '>= 200',
    aim: '>= 1000',
    met: ratio >= 200,
    notes: 'profiles of 60 to 200 traits',
  }
}
