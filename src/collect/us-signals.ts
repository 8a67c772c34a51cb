import { parseGpp } from './gpp.ts'
import type { PrivacyFlags } from './privacy-flags.ts'
import { isUsSection, readUsPrivacy, readUsSection, type UsChoice } from './us-sections.ts'

/** What the US signals of a call forbid. Source: spec/security.md [SEC-78]. */
export interface UsDecision {
  /** `sale`: third parties hear nothing, collection goes on. */
  readonly forbids: 'sale' | 'storage'
  readonly reason: string
}

/**
 * The strictest of all signals wins, and of all values of one [COL-275].
 * @param gpc value of the `Sec-GPC` header, lines joined by commas
 * @param flags holds `gpp`, `gpp_sid` and `us_privacy`
 * @param usEnforcement whether a GPP string that cannot be decoded counts as an opt-out
 */
export function decideUs(gpc: string | undefined, flags: PrivacyFlags, usEnforcement: boolean): UsDecision | undefined {
  const isGpc = (gpc ?? '').split(',').some((line) => line.trim() === '1')
  if (flags.isEmpty) return isGpc ? GPC : undefined
  const ofGpp = decideGpp(flags.given('gpp'), flags.given('gpp_sid'), usEnforcement)
  if (ofGpp?.forbids === 'storage') return ofGpp
  if (isGpc) return GPC
  return ofGpp ?? decideUsPrivacy(flags.given('us_privacy'))
}

const GPC: UsDecision = { forbids: 'sale', reason: 'gpc' }
const UNDECODABLE: UsDecision = { forbids: 'sale', reason: 'gpp_undecodable' }

/** Four characters, version 1, and no opt-out in the third: everything else protects [COL-275]. */
const US_PRIVACY_FREE = /^1.[N-].$/s

function decideUsPrivacy(texts: readonly string[]): UsDecision | undefined {
  const denied = texts.filter((text) => !US_PRIVACY_FREE.test(text))
  if (denied.length === 0) return undefined
  const isReadable = denied.some((text) => readUsPrivacy(text)?.isSaleDenied === true)
  return { forbids: 'sale', reason: isReadable ? 'us_privacy' : 'us_privacy_undecodable' }
}

/**
 * Looks at the US sections that `gpp_sid` says are in force, or at every one of the strings without it. Others, and those
 * we do not know, are left to whom they concern.
 */
function decideGpp(texts: readonly string[], sids: readonly string[], usEnforcement: boolean): UsDecision | undefined {
  const inForce = sids.length === 0 ? undefined : sectionsInForce(sids)
  if (texts.length === 0 && sids.length === 0) return undefined
  const choices: UsChoice[] = []
  let isUndecodable = false
  for (const text of texts.length === 0 ? [undefined] : texts) {
    const sections = text === undefined ? undefined : parseGpp(text)
    // Without a list of what is in force, a string that cannot be read may hold anything.
    if (sections === undefined && inForce === undefined) isUndecodable = true
    for (const id of (inForce ?? [...(sections?.keys() ?? [])]).filter(isUsSection)) {
      const section = sections?.get(id)
      const choice = section === undefined ? undefined : readUsSection(id, section)
      if (choice === undefined) isUndecodable = true
      else choices.push(choice)
    }
  }
  if (choices.some((choice) => choice.isChildDenied)) return { forbids: 'storage', reason: 'gpp_child' }
  if (choices.some((choice) => choice.isSensitiveDenied)) return { forbids: 'storage', reason: 'gpp_sensitive' }
  if (choices.some((choice) => choice.isSaleDenied)) return { forbids: 'sale', reason: 'gpp' }
  return isUndecodable && usEnforcement ? UNDECODABLE : undefined
}

/** `7,8`, also joined by `_`; `-1` is none. @returns undefined for all of the string: a value is no list of numbers */
function sectionsInForce(sids: readonly string[]): readonly number[] | undefined {
  const lists = sids.filter((text) => text !== '-1')
  if (lists.some((text) => !/^[1-9][0-9]*(?:[,_][1-9][0-9]*)*$/.test(text))) return undefined
  return [...new Set(lists.flatMap((text) => text.split(/[,_]/).map(Number)))]
}
