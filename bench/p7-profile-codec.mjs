// P7: encode and decode one profile of 100 traits, against msgpackr with the same columns as plain arrays.
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { Packr } from 'msgpackr'
import { decodeProfile, encodeProfile } from '../dist/store/profile-codec.js'

const TRAITS = 100
const PROFILES = 64
const ROUNDS = 15
const SLICE = 4_000

/** A small generator with a fixed seed, so that every run measures the same profiles. */
function random(seed) {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/**
 * Of 100,000 traits; 85 % were realized once, 12 % more often on one day, 3 % on several days. That is the mixture behind
 * the measured 10 bytes a trait of msgpackr (performance.md, finding 5).
 */
function makeProfile(next) {
  const today = 20_600
  const chosen = new Set()
  while (chosen.size < TRAITS) chosen.add(1 + Math.floor(next() * 100_000))
  const sids = Int32Array.from(chosen).sort()
  const totals = []
  const dayStart = [0]
  const days = []
  const dayCounts = []
  for (let i = 0; i < TRAITS; i++) {
    const shape = next()
    const count = shape < 0.97 ? 1 : 2 + Math.floor(next() * 4)
    const first = today - 119 + Math.floor(next() * (120 - count))
    let total = 0
    for (let d = 0; d < count; d++) {
      const realizations = shape < 0.85 ? 1 : 1 + Math.floor(next() * 5)
      days.push(first + d)
      dayCounts.push(realizations)
      total += realizations
    }
    totals.push(total)
    dayStart.push(days.length)
  }
  const none = new Uint32Array(0)
  return {
    id: 'd:01234567890123456789012345678901234567',
    revision: 1,
    firstSeenMs: (today - 100) * 86_400_000,
    lastSeenMs: today * 86_400_000,
    regions: [],
    traits: {
      sids,
      totals: Uint32Array.from(totals),
      dayStart: Uint32Array.from(dayStart),
      days: Uint16Array.from(days),
      dayCounts: Uint32Array.from(dayCounts),
    },
    segments: { sids: new Int32Array(0), left: new Uint8Array(0), sinceSeconds: none, verifiedSeconds: none },
    links: [],
    devices: [],
    appliedEvents: [],
    plans: [],
    consent: undefined,
    membershipKey: 200_000_001,
    dueMs: 0,
  }
}

/** msgpackr's own best form: records with shared structure, columns as plain arrays (typed arrays become opaque bytes). */
function asPlain(profile) {
  const { sids, totals, dayStart, days, dayCounts } = profile.traits
  const traits = {
    sids: [...sids],
    totals: [...totals],
    dayStart: [...dayStart],
    days: [...days],
    dayCounts: [...dayCounts],
  }
  const segments = { sids: [], left: [], sinceSeconds: [], verifiedSeconds: [] }
  return { ...profile, traits, segments, consent: null }
}

function microseconds(work) {
  const start = performance.now()
  for (let i = 0; i < SLICE; i++) work(i % PROFILES)
  return ((performance.now() - start) * 1000) / SLICE
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1]

export async function run() {
  const next = random(20_261_122)
  const profiles = Array.from({ length: PROFILES }, () => makeProfile(next))
  const plain = profiles.map(asPlain)
  const packr = new Packr({ structures: [] })
  const bytes = profiles.reduce((sum, profile) => sum + encodeProfile(profile).length, 0) / PROFILES
  const peerBytes = plain.reduce((sum, profile) => sum + packr.pack(profile).length, 0) / PROFILES
  let kept = 0
  const ours = []
  const peer = []
  for (let round = 0; round < ROUNDS; round++) {
    // Turn by turn in the same process, so that a busy machine slows both sides alike.
    ours.push(
      microseconds((i) => (kept += decodeProfile(profiles[i].id, 1, encodeProfile(profiles[i])).traits.days.length)),
    )
    peer.push(microseconds((i) => (kept += packr.unpack(packr.pack(plain[i])).traits.days.length)))
  }
  const oursUs = median(ours.slice(3))
  const peerUs = median(peer.slice(3))
  const ratio = peerUs / oursUs
  const bytesPerTrait = bytes / TRAITS
  return {
    id: 'P7',
    what: 'encode and decode a profile of 100 traits',
    ours: { name: 'usher profile codec', value: Number(oursUs.toFixed(3)), unit: 'µs' },
    peer: { name: 'msgpackr', value: Number(peerUs.toFixed(3)), unit: 'µs' },
    ratio: Number(ratio.toFixed(2)),
    must: '>= 4 times, <= 5 bytes a trait',
    aim: '>= 8 times, <= 3.5 bytes a trait',
    met: ratio >= 4 && bytesPerTrait <= 5,
    notes: `${bytesPerTrait.toFixed(2)} bytes a trait (msgpackr ${(peerBytes / TRAITS).toFixed(2)}); checked sum ${kept}`,
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(JSON.stringify(await run(), null, 2))
