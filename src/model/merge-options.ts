import type { MergeRule } from './definitions.ts'

/** Pairs of options that exist [AUD-190]..[AUD-196], [AUD-198]; *All* takes no device option. */
export const MERGE_OPTIONS: Readonly<Record<MergeRule['crossDeviceOption'], readonly MergeRule['deviceOption'][]>> = {
  NONE: ['DEVICE', 'EXTERNAL'],
  CURRENT: ['NONE', 'PROFILE_LINK'],
  LAST: ['DEVICE', 'PROFILE_LINK', 'EXTERNAL'],
  ALL: ['NONE'],
}

/** As texts, for what people are told. */
export const EVALUATED_OPTIONS = 'NONE or LAST with deviceOption DEVICE'

/**
 * The merge rules that this version evaluates: *No Cross-Device Profile + Device Profile* [AUD-190] and *Last
 * Authenticated Profiles + Device Profile* [AUD-193]. Others are refused when saved [AUD-356].
 */
export function isEvaluated(rule: Pick<MergeRule, 'crossDeviceOption' | 'deviceOption'>): boolean {
  return rule.deviceOption === 'DEVICE' && (rule.crossDeviceOption === 'NONE' || rule.crossDeviceOption === 'LAST')
}
