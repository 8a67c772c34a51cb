import type { DataSourceId, TraitId } from '../model/ids.ts'
import type { ReadonlySignals } from '../model/signals.ts'
import type { AudienceRules } from './audience-rules.ts'
import { matchBounded } from './bounded-matching.ts'

/**
 * Traits a call realizes by its signals.
 * @param only traits of this data source alone; `null`: named but unknown, so none [COL-49], [COL-50]
 * @returns ids of active rule-based traits, ascending, each once [AUD-138]
 */
export function matchTraits(
  rules: AudienceRules,
  signals: ReadonlySignals,
  only: DataSourceId | null | undefined,
): Int32Array {
  return rules.compiled.matcher.match(signals, only)
}

/** The same, without holding the thread where regular expressions take long; a promise then. */
export function matchTraitsBounded(
  rules: AudienceRules,
  signals: ReadonlySignals,
  only: DataSourceId | null | undefined,
): Int32Array | Promise<Int32Array> {
  return matchBounded(rules.compiled.matcher, signals, only)
}

/**
 * Traits a call realizes by naming them (`d_sid`) [AUD-57], [COL-194]: active rule-based and onboarded ones. All other
 * ids (unknown, algorithmic, folder, segment) are left out without an error [COL-195].
 * @returns in the order given, each once
 */
export function directTraits(rules: AudienceRules, traitIds: readonly TraitId[]): number[] {
  const direct = new Set<number>()
  for (const traitId of traitIds) {
    const trait = rules.trait(traitId)
    if (trait?.status !== 'ACTIVE') continue
    if (trait.traitType === 'RULE_BASED_TRAIT' || trait.traitType === 'ON_BOARDED_TRAIT') direct.add(traitId)
  }
  return [...direct]
}
