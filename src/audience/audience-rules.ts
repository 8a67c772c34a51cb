import type { Definitions, MergeRule, Segment, Trait } from '../model/definitions.ts'
import type { MergeRuleId, SegmentId, TraitId } from '../model/ids.ts'
import { type CompiledSegmentRule, compileSegmentRule } from './rules/compiled-segment-rule.ts'
import { type CompiledTraitRule, compileTraitRule } from './rules/compiled-trait-rule.ts'
import { parseSegmentRule } from './rules/segment-rule.ts'
import { parseSavedTraitRule } from './rules/trait-rule.ts'
import type { SegmentFacts, SegmentIndex } from './segment-index.ts'
import { SegmentIndexBuilder } from './segment-index-builder.ts'
import { TraitFacts } from './trait-facts.ts'
import type { TraitMatcher } from './trait-matcher.ts'
import { TraitMatcherBuilder } from './trait-matcher-builder.ts'

/** All traits, segments and merge rules, compiled: the audience part of the rulebook. Never changes once built. */
export interface AudienceRules {
  /** Version of the definitions it was built from. */
  readonly version: number
  trait(sid: number): Trait | undefined
  segment(sid: number): SegmentFacts | undefined
  /** Does the segment's rule name the trait, or a folder it lies in? */
  isNamedBy(traitId: number, segmentId: number): boolean
  readonly mergeRules: ReadonlyMap<MergeRuleId, MergeRule>
  /** The rule that new segments get [AUD-201]. */
  readonly defaultMergeRule: MergeRule | undefined
  /** Does any active segment use it? */
  usesMergeRule(mergeRuleId: MergeRuleId): boolean
  /** Rules that cannot be read and therefore never hold; the catalogue refuses them, so none is expected. */
  readonly unreadable: readonly { readonly sid: TraitId | SegmentId; readonly message: string }[]
  /** For the functions of this folder. */
  readonly compiled: Compiled
}

export interface Compiled {
  readonly facts: TraitFacts
  readonly matcher: TraitMatcher
  readonly segments: SegmentIndex
  /** By trait and segment, to be carried over into the next build. */
  readonly traitRules: readonly (CompiledTraitRule | undefined)[]
  readonly segmentRules: readonly (CompiledSegmentRule | undefined)[]
}

interface Unreadable {
  readonly sid: TraitId | SegmentId
  readonly message: string
}

/** Characters of rules read between two yields; a rule counts as some more. */
const STEP_CHARS = 8 * 1024
const ROW_CHARS = 256

/**
 * Builds the rules in steps of at most a few milliseconds, for `runInSlices`; 100,000 traits and 20,000 segments take
 * about a second. Rules whose text did not change are taken over from `previous`.
 */
export function* buildAudienceRules(
  definitions: Definitions,
  previous?: AudienceRules,
): Generator<void, AudienceRules> {
  const unreadable: Unreadable[] = []
  const facts = new TraitFacts(definitions.folders)
  const { matcher, traitRules } = yield* buildTraits(definitions.traits, facts, previous, unreadable)
  const { segments, segmentRules } = yield* buildSegments(definitions.segments, facts, previous, unreadable)

  const mergeRules = new Map([...definitions.mergeRules].map((rule) => [rule.mergeRuleId, rule]))
  const used = new Set<MergeRuleId>()
  for (const segment of segments.tables.segments) if (segment.status === 'ACTIVE') used.add(segment.mergeRuleId)
  return {
    version: definitions.version,
    trait: (sid) => facts.get(sid),
    segment: (sid) => segments.tables.segments[segments.tables.ids.get(sid)],
    isNamedBy: (traitId, segmentId) => isNamedBy(segments, facts, traitId, segmentId),
    mergeRules,
    defaultMergeRule: [...mergeRules.values()].find((rule) => rule.isDefault),
    usesMergeRule: (id) => used.has(id),
    unreadable,
    compiled: { facts, matcher, segments, traitRules, segmentRules },
  }
}

function isNamedBy(segments: SegmentIndex, facts: TraitFacts, traitId: number, segmentId: number): boolean {
  const named = segments.tables.segments[segments.tables.ids.get(segmentId)]?.traitIds as readonly number[] | undefined
  const position = facts.positionOf(traitId)
  if (named === undefined || position < 0) return false
  return named.includes(traitId) || facts.folderTraitsOf(position).some((at) => named.includes(facts.at(at).traitId))
}

function* buildTraits(
  traits: Iterable<Trait>,
  facts: TraitFacts,
  previous: AudienceRules | undefined,
  unreadable: Unreadable[],
): Generator<void, { matcher: TraitMatcher; traitRules: (CompiledTraitRule | undefined)[] }> {
  const builder = new TraitMatcherBuilder()
  const traitRules: (CompiledTraitRule | undefined)[] = []
  let chars = 0
  for (const trait of traits) {
    facts.add(trait)
    chars += ROW_CHARS + (trait.traitRule?.length ?? 0)
    if (chars > STEP_CHARS) {
      yield
      chars = 0
    }
    const rule = readTraitRule(trait, previous, unreadable)
    traitRules.push(rule)
    // An inactive trait is never realized by its rule.
    if (rule !== undefined && trait.status === 'ACTIVE') builder.add(trait.traitId, trait.dataSourceId, rule)
  }
  facts.seal()
  return { matcher: yield* builder.finish(), traitRules }
}

function* buildSegments(
  segments: Iterable<Segment>,
  facts: TraitFacts,
  previous: AudienceRules | undefined,
  unreadable: Unreadable[],
): Generator<void, { segments: SegmentIndex; segmentRules: (CompiledSegmentRule | undefined)[] }> {
  const builder = new SegmentIndexBuilder(facts)
  const segmentRules: (CompiledSegmentRule | undefined)[] = []
  let chars = 0
  for (const segment of segments) {
    chars += ROW_CHARS + segment.segmentRule.length
    if (chars > STEP_CHARS) {
      yield
      chars = 0
    }
    const rule = readSegmentRule(segment, previous, unreadable)
    segmentRules.push(rule)
    builder.add(segment, rule)
  }
  return { segments: yield* builder.finish(), segmentRules }
}

function readTraitRule(
  trait: Trait,
  previous: AudienceRules | undefined,
  unreadable: Unreadable[],
): CompiledTraitRule | undefined {
  if (trait.traitType !== 'RULE_BASED_TRAIT' || trait.traitRule === undefined) return undefined
  const position = previous?.compiled.facts.positionOf(trait.traitId) ?? -1
  if (previous !== undefined && position >= 0 && previous.compiled.facts.at(position).traitRule === trait.traitRule) {
    const known = previous.compiled.traitRules[position]
    if (known !== undefined) return known
  }
  const parsed = parseSavedTraitRule(trait.traitRule)
  if (parsed.ok) return compileTraitRule(parsed.rule)
  unreadable.push({ sid: trait.traitId, message: parsed.message })
  return undefined
}

function readSegmentRule(
  segment: Segment,
  previous: AudienceRules | undefined,
  unreadable: Unreadable[],
): CompiledSegmentRule | undefined {
  const position = previous?.compiled.segments.tables.ids.get(segment.segmentId) ?? -1
  if (previous !== undefined && position >= 0) {
    const known = previous.compiled.segmentRules[position]
    const text = previous.compiled.segments.tables.segments[position]?.segmentRule
    if (known !== undefined && text === segment.segmentRule) return known
  }
  const parsed = parseSegmentRule(segment.segmentRule)
  if (parsed.ok) return compileSegmentRule(parsed.rule, parsed.traitIds)
  unreadable.push({ sid: segment.segmentId, message: parsed.message })
  return undefined
}
