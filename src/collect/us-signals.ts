import { parseGpp } from './gpp.ts'
import { isUsSection, readUsPrivacy, readUsSection, type UsChoice } from './us-sections.ts'

/** What the US signals of a call forbid. Source: spec/security.md [SEC-78]. */
export interface UsDecision {
  /** `sale`: third parties hear nothing, collection goes on. */
  readonly forbids: 'sale' | 'storage'
  readonly reason: string
}

/**
 * The strictest of all signals wins.
 * @param gpc value of the `Sec-GPC` header
 * @param withheld holds `gpp`, `gpp_sid` and `us_privacy`
 * @param usEnforcement whether what cannot be decoded counts as an opt-out
 */
export function decideUs(
  gpc: string | undefined,
  withheld: ReadonlyMap<string, string>,
  usEnforcement: boolean,
): UsDecision | undefined {
  if (withheld.size === 0) return gpc === '1' ? GPC : undefined
  const ofGpp = decideGpp(withheld.get('gpp'), withheld.get('gpp_sid'), usEnforcement)
  if (ofGpp?.forbids === 'storage') return ofGpp
  if (gpc === '1') return GPC
  return ofGpp ?? decideUsPrivacy(withheld.get('us_privacy'), usEnforcement)
}

const GPC: UsDecision = { forbids: 'sale', reason: 'gpc' }
const UNDECODABLE: UsDecision = { forbids: 'sale', reason: 'gpp_undecodable' }

function decideUsPrivacy(text: string | undefined, usEnforcement: boolean): UsDecision | undefined {
  if (text === undefined || isAbsent(text)) return undefined
  const choice = readUsPrivacy(text)
  if (choice === undefined) return usEnforcement ? { forbids: 'sale', reason: 'us_privacy_undecodable' } : undefined
  return choice.isSaleDenied ? { forbids: 'sale', reason: 'us_privacy' } : undefined
}

/**
 * Looks at the US sections that `gpp_sid` says are in force, or at every one of the string without it. Others, and those
 * we do not know, are left to whom they concern.
 */
function decideGpp(text: string | undefined, sids: string | undefined, usEnforcement: boolean): UsDecision | undefined {
  const inForce = sids === undefined || isAbsent(sids) ? undefined : parseSectionIds(sids)
  const hasText = text !== undefined && !isAbsent(text)
  if (!hasText && inForce === undefined) return undefined
  const sections = hasText ? parseGpp(text) : undefined
  const ids = (inForce ?? [...(sections?.keys() ?? [])]).filter(isUsSection)
  // Without a list of what is in force, a string that cannot be read may hold anything.
  let isUndecodable = sections === undefined && inForce === undefined
  const choices: UsChoice[] = []
  for (const id of ids) {
    const section = sections?.get(id)
    const choice = section === undefined ? undefined : readUsSection(id, section)
    if (choice === undefined) isUndecodable = true
    else choices.push(choice)
  }
  if (choices.some((choice) => choice.isChildDenied)) return { forbids: 'storage', reason: 'gpp_child' }
  if (choices.some((choice) => choice.isSensitiveDenied)) return { forbids: 'storage', reason: 'gpp_sensitive' }
  if (choices.some((choice) => choice.isSaleDenied)) return { forbids: 'sale', reason: 'gpp' }
  return isUndecodable && usEnforcement ? UNDECODABLE : undefined
}

/** `7,8`, also joined by `_`; what is no number names no section of ours. */
function parseSectionIds(text: string): readonly number[] {
  return text.split(/[,_]/).map(Number)
}

/** Empty, or a macro that an ad server forgot to replace: that opts nobody out [COL-244]. */
function isAbsent(text: string): boolean {
  return text === '' || text.startsWith('${') || text.startsWith('{{') || (text.startsWith('%') && text.endsWith('%'))
}
