import type { CallError, CallOutcome } from '../model/collected-call.ts'
import type { Consent } from './consent.ts'

/** What became of a call, in the terms of its answer. */
export interface CallResult {
  readonly outcome: CallOutcome | undefined
  readonly errors: readonly CallError[]
  readonly consent: Consent
  readonly cookies: readonly string[]
}
