// Definitions and events for the benchmarks, the same on every run.
import { Signals } from '../dist/model/signals.js'

/** A small generator of equal pseudo-random numbers (mulberry32). @param {number} seed */
export function randomFrom(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * Selective rules as shops write them: each hangs on a product, a page or a campaign, so that an event matches a few.
 * @param {number} count
 */
export function selectiveRules(count) {
  const random = randomFrom(1)
  const pick = (n) => Math.floor(random() * n)
  return Array.from({ length: count }, (_, i) => {
    switch (i % 5) {
      case 0:
        return `c_product == "sku-${i}"`
      case 1:
        return `c_page == "page-${i}" AND c_site == "site-${pick(20)}"`
      case 2:
        return `(c_product == "sku-${i}" OR c_campaign == "cmp-${i}") AND c_country == "${'de fr us nl'.split(' ')[pick(4)]}"`
      case 3:
        return `c_campaign == "cmp-${i}" AND price >= ${pick(100)} AND price <= ${100 + pick(900)}`
      default:
        return `c_page == "page-${i}" AND NOT (c_logged == "1" AND h_referer contains "news-${pick(50)}")`
    }
  })
}

/** Events of 20 parameters; the first ones draw products, pages and campaigns of the rules. @param {number} rules */
export function events(count, rules) {
  const random = randomFrom(2)
  const pick = (n) => Math.floor(random() * n)
  const of = (shape) => Math.floor(pick(rules) / 5) * 5 + shape
  return Array.from({ length: count }, () => {
    const signals = Signals.of([
      ['c_product', [`sku-${of(pick(2) * 2)}`]],
      ['c_page', [`Page-${of(1 + pick(2) * 3)}`]],
      ['c_campaign', [`cmp-${of(2 + pick(2))}`]],
      ['c_site', [`site-${pick(20)}`]],
      ['c_country', ['de fr us nl'.split(' ')[pick(4)]]],
      ['price', [String(pick(1000))]],
      ['c_logged', [String(pick(2))]],
      ['h_referer', [`https://www.example.com/news-${pick(50)}/article/${pick(1e6)}`]],
      ['h_user-agent', ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36']],
      ['h_accept-language', ['de-DE,de;q=0.9,en;q=0.8']],
    ])
    for (let i = 0; i < 10; i++) signals.add(`c_other${i}`, `value-${pick(1000)}`)
    return signals
  })
}

/** @param {number} traitId @param {string | undefined} traitRule */
export function trait(traitId, traitRule, fields = {}) {
  const traitType = traitRule === undefined ? 'ON_BOARDED_TRAIT' : 'RULE_BASED_TRAIT'
  const plain = { dataSourceId: 1, folderId: 1, ttlDays: 120, status: 'ACTIVE', isFirstParty: true }
  return { traitId, name: `Trait ${traitId}`, traitType, traitRule, ...plain, ...fields }
}

export function segment(segmentId, segmentRule) {
  return { segmentId, name: `Segment ${segmentId}`, segmentRule, dataSourceId: 1, mergeRuleId: 1, status: 'ACTIVE' }
}

export function definitions(fields) {
  const mergeRule = {
    mergeRuleId: 1,
    name: 'Device',
    crossDeviceOption: 'NONE',
    deviceOption: 'DEVICE',
    crossDeviceDataSourceIds: [],
    isDefault: true,
  }
  const none = { dataSources: [], folders: [], traits: [], segments: [], destinations: [], mappings: [] }
  return { version: 1, ...none, mergeRules: [mergeRule], ...fields }
}

/** Segments over a handful of traits each. */
export function segments(count, firstId, firstTraitId, traitCount) {
  const random = randomFrom(3)
  const any = () => `${firstTraitId + Math.floor(random() * traitCount)}T`
  return Array.from({ length: count }, (_, i) => {
    const shapes = [
      () => `${any()} AND ${any()}`,
      () => `(${any()} OR ${any()} OR ${any()}) AND NOT ${any()}`,
      () => `FREQUENCY([${any()},${any()}] <= 30D) >= 2 AND ${any()}`,
      () => `${any()} OR ${any()}`,
    ]
    return segment(firstId + i, shapes[i % 4]())
  })
}

/** Microseconds a call, best of a few rounds after a warm-up. @param {() => void} work one round of `calls` calls */
export function microsecondsPerCall(calls, work, rounds = 5) {
  work()
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    const startMs = performance.now()
    work()
    best = Math.min(best, performance.now() - startMs)
  }
  return (best * 1000) / calls
}

export const round = (value, digits = 2) => Number(value.toFixed(digits))
