import type { TraitRepository } from '../store/catalog/traits.ts'
import type { RuleChecker } from './parts.ts'
import { invalidRule } from './problem.ts'

/**
 * Reads a segment rule twice: once to learn which traits it names, then with what is known of them.
 * @param field member of the request that holds the rule
 * @throws Problem with the position of the first error, an unknown trait included
 */
export async function checkSegmentRule(
  text: string,
  field: string,
  { rules, traits }: { readonly rules: RuleChecker; readonly traits: Pick<TraitRepository, 'recencyAllowed'> },
): Promise<{ readonly normalized: string; readonly traitIds: readonly number[]; readonly hints: readonly string[] }> {
  const first = rules.parseSegmentRule(text)
  if (!first.ok) throw invalidRule(field, first)
  const known = await traits.recencyAllowed(first.traitIds)
  const lookup = (sid: number) => {
    const recencyAllowed = known.get(sid)
    return recencyAllowed === undefined ? undefined : { recencyAllowed }
  }
  const parsed = rules.parseSegmentRule(text, { traits: lookup })
  if (!parsed.ok) throw invalidRule(field, parsed)
  return parsed
}
