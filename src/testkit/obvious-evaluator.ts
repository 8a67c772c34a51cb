/**
 * A second evaluator, slow and plain, written from the specification alone (audience-model.md 3.3, 3.4, 4.2, 16): it
 * shares no code with the compiled one, so that property tests can hold the two against each other. Rules are built as
 * trees and written down as text; profiles are lists of the days on which a trait was realized.
 */
export type ObviousTraitRule =
  | { readonly and: readonly ObviousTraitRule[] }
  | { readonly or: readonly ObviousTraitRule[] }
  | { readonly not: ObviousTraitRule }
  | { readonly key: string; readonly operator: string; readonly value: string }

export type ObviousSegmentRule =
  | { readonly and: readonly ObviousSegmentRule[] }
  | { readonly or: readonly ObviousSegmentRule[] }
  | { readonly not: ObviousSegmentRule }
  | { readonly trait: number }
  | {
      readonly traits: readonly number[]
      readonly recency?: { readonly operator: '<=' | '>='; readonly days: number }
      readonly operator: '<=' | '>=' | '=='
      readonly times: number
    }

export interface ObviousTrait {
  readonly sid: number
  readonly ttlDays: number
  /** Onboarded: the count stays 1. */
  readonly countsOnce: boolean
  /** Folder traits that cover it. */
  readonly folderTraits: readonly number[]
}

export type ObviousCall = readonly { readonly key: string; readonly value: string }[]

/** Days of every realization since the trait was gained. */
export type ObviousProfile = Map<number, number[]>

export function writeTraitRule(rule: ObviousTraitRule): string {
  if ('and' in rule) return `(${rule.and.map(writeTraitRule).join(' AND ')})`
  if ('or' in rule) return `(${rule.or.map(writeTraitRule).join(' OR ')})`
  if ('not' in rule) return `NOT (${writeTraitRule(rule.not)})`
  return `${rule.key} ${rule.operator} "${rule.value.replace(/["\\]/g, '\\$&')}"`
}

export function obviousTraitHolds(rule: ObviousTraitRule, call: ObviousCall): boolean {
  if ('and' in rule) return rule.and.every((part) => obviousTraitHolds(part, call))
  if ('or' in rule) return rule.or.some((part) => obviousTraitHolds(part, call))
  if ('not' in rule) return !obviousTraitHolds(rule.not, call)
  return call
    .filter(({ key }) => key.toLowerCase() === rule.key.toLowerCase())
    .some(({ value }) => compare(value, rule.operator, rule.value))
}

function compare(value: string, operator: string, operand: string): boolean {
  if (value === '') return operator === '==' && operand === ''
  const left = value.toLowerCase()
  const right = operand.toLowerCase()
  const both = isNumber(value) && isNumber(operand) ? scaled(value, operand) : undefined
  const equal = both === undefined ? left === right : both[0] === both[1]
  // An order is about numbers only, and reads an exponent too.
  const [a, b] = [writtenOut(value), writtenOut(operand)]
  const numbers = isNumber(a) && isNumber(b) ? scaled(a, b) : undefined
  switch (operator) {
    case '==':
      return equal
    case '!=':
      return !equal
    case '<':
      return numbers !== undefined && numbers[0] < numbers[1]
    case '<=':
      return numbers !== undefined && numbers[0] <= numbers[1]
    case '>':
      return numbers !== undefined && numbers[0] > numbers[1]
    case '>=':
      return numbers !== undefined && numbers[0] >= numbers[1]
    case 'contains':
      return left.includes(right)
    case 'startswith':
      return left.startsWith(right)
    case 'endswith':
      return left.endsWith(right)
    case 'matcheswords':
      return hasRun(words(left), words(right))
    case 'matchesregex':
      // Patterns of the tests come from a list that JavaScript reads as Java does.
      return new RegExp(operand).test(value)
    default:
      throw new Error(`no operator ${operator}`)
  }
}

function isNumber(text: string): boolean {
  return /^[+-]?[0-9]+(\.[0-9]+)?$/.test(text)
}

/** `1.5e-2` as `0.015`, by moving the point one place at a time. */
function writtenOut(text: string): string {
  const [, sign, integer, fraction = '', exponent] =
    /^([+-]?)([0-9]+)(?:\.([0-9]+))?e([+-]?[0-9]{1,3})$/i.exec(text) ?? []
  if (integer === undefined) return text
  let [before, behind] = [integer, fraction]
  for (let places = Number(exponent); places > 0; places--) {
    before += behind.charAt(0) || '0'
    behind = behind.slice(1)
  }
  for (let places = Number(exponent); places < 0; places++) {
    behind = (before.at(-1) ?? '0') + behind
    before = before.slice(0, -1)
  }
  return `${sign}${before || '0'}.${behind || '0'}`
}

/** Is it an order with something else than a number? Such a rule is refused. */
export function hasEmptyOrder(rule: ObviousTraitRule): boolean {
  if ('and' in rule) return rule.and.some(hasEmptyOrder)
  if ('or' in rule) return rule.or.some(hasEmptyOrder)
  if ('not' in rule) return hasEmptyOrder(rule.not)
  return /^[<>]=?$/.test(rule.operator) && !isNumber(writtenOut(rule.value))
}

/** Both numbers as whole numbers of one scale. */
function scaled(a: string, b: string): [bigint, bigint] {
  const places = Math.max(...[a, b].map((text) => text.split('.')[1]?.length ?? 0))
  const scale = (text: string) => {
    const [integer = '', fraction = ''] = text.replace(/^\+/, '').split('.')
    return BigInt(integer + fraction.padEnd(places, '0'))
  }
  return [scale(a), scale(b)]
}

function words(text: string): string[] {
  return text.split(/[^\p{L}\p{M}\p{N}]+/u).filter((word) => word !== '')
}

function hasRun(all: readonly string[], run: readonly string[]): boolean {
  return all.some((_, from) => run.every((word, i) => all[from + i] === word))
}

export function writeSegmentRule(rule: ObviousSegmentRule): string {
  if ('and' in rule) return `(${rule.and.map(writeSegmentRule).join(' AND ')})`
  if ('or' in rule) return `(${rule.or.map(writeSegmentRule).join(' OR ')})`
  if ('not' in rule) return `NOT (${writeSegmentRule(rule.not)})`
  if ('trait' in rule) return `${rule.trait}T`
  const recency = rule.recency === undefined ? '' : `${rule.recency.operator}${rule.recency.days}D`
  return `FREQUENCY([${rule.traits.map((sid) => `${sid}T`).join(',')}]${recency})${rule.operator}${rule.times}`
}

/** @param profiles all that are merged; one in the simple case */
export function obviousSegmentHolds(
  rule: ObviousSegmentRule,
  traits: readonly ObviousTrait[],
  profiles: readonly ObviousProfile[],
  today: number,
): boolean {
  const again = (part: ObviousSegmentRule) => obviousSegmentHolds(part, traits, profiles, today)
  if ('and' in rule) return rule.and.every(again)
  if ('or' in rule) return rule.or.some(again)
  if ('not' in rule) return !again(rule.not)
  const listed = 'trait' in rule ? [rule.trait] : rule.traits
  let count = 0
  for (const sid of listed) {
    for (const trait of traits.filter((one) => one.sid === sid || one.folderTraits.includes(sid))) {
      for (const profile of profiles) {
        if (!obviousIsLive(trait, profile, today)) continue
        for (const day of profile.get(trait.sid) ?? []) {
          const recency = 'trait' in rule ? undefined : rule.recency
          if (recency?.operator === '<=' && day < today - recency.days) continue
          if (recency?.operator === '>=' && day > today - recency.days) continue
          count += 1
        }
      }
    }
  }
  if ('trait' in rule) return count > 0
  if (rule.operator === '>=') return count >= rule.times
  if (rule.operator === '<=') return count <= rule.times
  return count === rule.times
}

export function obviousIsLive(trait: ObviousTrait, profile: ObviousProfile, today: number): boolean {
  const days = profile.get(trait.sid)
  if (days === undefined) return false
  return trait.ttlDays === 0 || today < Math.max(...days) + trait.ttlDays + 1
}

export function obviousRealize(profile: ObviousProfile, trait: ObviousTrait, today: number): void {
  const days = obviousIsLive(trait, profile, today) ? (profile.get(trait.sid) ?? []) : []
  profile.set(trait.sid, trait.countsOnce ? [today] : [...days, today])
}
