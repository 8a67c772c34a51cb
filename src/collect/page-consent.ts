import { ALL_DESTINATIONS, PAGE_CONSENT, PAGE_WITHDRAWN } from '../model/profile.ts'
import type { Consent } from './consent.ts'
import type { Parameters } from './parse-query.ts'

/**
 * `d_consent`: what the visitor answered to the page's own question. `1` is yes; like every flag of privacy, any other
 * value that is not empty, and one such value among several, is no [COL-275].
 *
 * A no is a withdrawal, not an opt-out: nothing of the call is stored, partners are told that the device it names has
 * left, none hears of it again [SEC-74], and the browser drops our cookies. A later yes ends it, which nothing does for an
 * opt-out [COL-237]. A yes opens nothing that anything else in the call forbids.
 */
export function withPageConsent(consent: Consent, { signals }: Parameters): Consent {
  const values = signals.all('d_consent').filter((value) => value !== '')
  if (values.length === 0 || consent.result === 'declined') return consent
  if (values.some((value) => value !== '1')) return { ...consent, decision: WITHDRAWN, result: 'withdrawn', errors: [] }
  if (consent.result !== 'free' || consent.decision.reason !== 'none_applies') return consent
  return { ...consent, decision: { ...consent.decision, reason: PAGE_CONSENT } }
}

const WITHDRAWN: Consent['decision'] = {
  cookie: false,
  store: false,
  syncDenied: true,
  deniedDestinations: [ALL_DESTINATIONS],
  reason: PAGE_WITHDRAWN,
  fingerprint: '',
}

/** By its address alone: a call that takes consent back must not be turned away before its body is read [SEC-11]. */
export function isWithdrawal({ signals }: Parameters): boolean {
  return signals.all('d_consent').some((value) => value !== '' && value !== '1')
}
