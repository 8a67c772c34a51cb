import { ALL_DESTINATIONS, PAGE_CONSENT, PAGE_WITHDRAWN } from '../model/profile.ts'
import { type Consent, FREE } from './consent.ts'
import type { EdgeRequest } from './edge-request.ts'

/**
 * What the visitor answered to the page's own question: `d_consent` with `1` is yes; like every flag of privacy, any other
 * value that is not empty, and one such value among several, is no [COL-275]. `/demoptout/consent` says no by its name.
 *
 * A no is a withdrawal, not an opt-out: nothing of the call is stored, partners are told that the device it names has
 * left, none hears of it again [SEC-74], and the browser drops our cookies. A later yes ends it, which nothing does for an
 * opt-out [COL-237]. A yes opens nothing that anything else in the call forbids.
 */
export function withPageConsent(consent: Consent, request: EdgeRequest): Consent {
  if (consent.result === 'declined') return consent
  if (isWithdrawal(request)) return { ...consent, decision: WITHDRAWN, result: 'withdrawn', errors: [] }
  const isYes = consent.decision.reason === FREE.decision.reason && saidOf(request).length > 0
  return isYes ? { ...consent, decision: { ...consent.decision, reason: PAGE_CONSENT } } : consent
}

const WITHDRAWN: Consent['decision'] = {
  cookie: false,
  store: false,
  syncDenied: true,
  deniedDestinations: [ALL_DESTINATIONS],
  reason: PAGE_WITHDRAWN,
  fingerprint: '',
}

/** Known before the body is read, if the address says it: such a call is never turned away [SEC-11]. */
export function isWithdrawal(request: EdgeRequest): boolean {
  return request.route.name === 'withdrawal' || saidOf(request).some((value) => value !== '1')
}

function saidOf({ parameters }: EdgeRequest): readonly string[] {
  return parameters.privacy.given('d_consent')
}
