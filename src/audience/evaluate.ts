/** The evaluation of traits and segments: pure functions over the tables of `model/profile.ts`. */
export { type Evaluated, type EvaluateOptions, evaluateSegments, LEFT_KEPT_DAYS } from './evaluate-segments.ts'
export { type Explanation, explainSegment } from './explain-segment.ts'
export { holdingSegments, leaveTimes } from './leave-times.ts'
export { directTraits, matchTraits, matchTraitsBounded } from './match-traits.ts'
export { nextChangeMs, nextChangeOfTraits } from './next-change.ts'
export { PROFILE_TRAITS_MAX, realizeTraits, TRAIT_DAYS_MAX } from './realize-traits.ts'
export { dropDeleted, dropExpired, isLive } from './shrink-traits.ts'
