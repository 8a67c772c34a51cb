import { createHash } from 'node:crypto'
import type { CallError } from '../model/collected-call.ts'
import type { Directory } from '../model/directory.ts'
import type { ConsentDecision } from '../model/event.ts'
import type { DestinationId } from '../model/ids.ts'
import { ALL_DESTINATIONS } from '../model/profile.ts'
import type { EdgeConfig } from './edge-config.ts'
import { callError } from './error-codes.ts'
import type { Parameters } from './parse-query.ts'
import { gdprOf, type PrivacyFlags } from './privacy-flags.ts'
import { type ConsentString, parseConsentString } from './tcf.ts'
import { decideUs } from './us-signals.ts'

/**
 * What a call says about consent, decided before anything is looked up [SEC-73]. Source: spec/collection.md section 18,
 * spec/security.md section 8.
 */
export interface Consent {
  readonly decision: ConsentDecision
  /**
   * `declined`: a readable string withholds something that is needed, which is an opt-out [COL-245]. `missing`: there
   * is no usable string, so the data is dropped, but nobody is opted out for ever [COL-244]. `withdrawn`: the page takes
   * consent back (page-consent.ts).
   */
  readonly result: 'free' | 'granted' | 'declined' | 'missing' | 'withdrawn'
  /** What the macros `${GDPR}` and `${GDPR_CONSENT_XXXX}` say [COL-187]. */
  readonly gdprMacro: '0' | '1'
  readonly consentMacro: string
  readonly errors: readonly CallError[]
}

export type ConsentSettings = Pick<EdgeConfig, 'gvlVendorId' | 'cmpList' | 'acceptUnlistedCmp' | 'usEnforcement'>

/** Purposes AAM needs: store or access information, improve products [COL-240]. */
const STORE_OR_ACCESS = 1
const NEEDED_PURPOSES: readonly number[] = [STORE_OR_ACCESS, 10]

/** Strings created from this day on must hold the disclosed vendors [SEC-75]. */
const DISCLOSURE_REQUIRED_MS = Date.UTC(2026, 2, 1)

const NO_ERRORS: readonly CallError[] = []

/** Nothing in the call asks for consent, or it was never looked at. */
export const FREE: Consent = {
  decision: {
    cookie: true,
    store: true,
    syncDenied: false,
    deniedDestinations: [],
    reason: 'none_applies',
    fingerprint: '',
  },
  result: 'free',
  gdprMacro: '0',
  consentMacro: '0',
  errors: NO_ERRORS,
}

/**
 * @param gpc value of the `Sec-GPC` header
 * @param nowMs decides whether a CMP has been deleted by now
 */
export function decideConsent(
  parameters: Parameters,
  gpc: string | undefined,
  directory: Directory,
  settings: ConsentSettings,
  nowMs: number,
): Consent {
  const { privacy } = parameters
  const gdpr = gdprOf(privacy)
  const consent = gdpr === 'free' ? FREE : decideTcf(privacy, gdpr === 'unreadable', directory, settings, nowMs)
  const us = decideUs(gpc, privacy, settings.usEnforcement)
  // Who may not store anything already needs no further prohibition.
  if (us === undefined || !consent.decision.store) return consent
  const fingerprint = consent.decision.fingerprint || fingerprintOf(privacy.given('gpp'))
  const decision = { ...consent.decision, syncDenied: true, reason: us.reason, fingerprint }
  if (us.forbids === 'sale') return { ...consent, decision: { ...decision, deniedDestinations: [ALL_DESTINATIONS] } }
  // The call is dropped and nobody opted out: the string speaks of kinds of data, not of the person.
  const errors = [...consent.errors, callError(315)]
  return { ...consent, decision: { ...decision, cookie: false, store: false }, result: 'missing', errors }
}

/** For a call that is refused before its consent is read: a redirect still tells no partner that GDPR does not apply. */
export function unreadConsent({ privacy }: Parameters): Consent {
  return gdprOf(privacy) === 'free' ? FREE : { ...FREE, gdprMacro: '1', consentMacro: '' }
}

function decideTcf(
  privacy: PrivacyFlags,
  isUnreadable: boolean,
  directory: Directory,
  settings: ConsentSettings,
  nowMs: number,
): Consent {
  const texts = privacy.given('gdpr_consent')
  const consents = (texts.length === 0 ? [undefined] : texts).map((text) => judge(text, directory, settings, nowMs))
  const strictest = strictestOf(consents)
  const reason = isUnreadable && strictest.result !== 'declined' ? 'gdpr_flag_unreadable' : strictest.decision.reason
  return { ...strictest, decision: { ...strictest.decision, reason, fingerprint: fingerprintOf(texts) } }
}

const strictness: Readonly<Record<Consent['result'], number>> = {
  free: 0,
  granted: 1,
  missing: 2,
  declined: 3,
  withdrawn: 4,
}

/** Of several strings each has a say: one that withholds wins, and where all grant, each keeps destinations from hearing. */
function strictestOf(consents: readonly Consent[]): Consent {
  const strictest = consents.reduce((a, b) => (strictness[b.result] > strictness[a.result] ? b : a))
  if (consents.length === 1 || !strictest.decision.store) return strictest
  const deniedDestinations = [...new Set(consents.flatMap(({ decision }) => decision.deniedDestinations))]
  const errors = consents.flatMap((consent) => consent.errors)
  return { ...strictest, decision: { ...strictest.decision, deniedDestinations }, errors }
}

/** What one string says; its fingerprint is added later. */
function judge(text: string | undefined, directory: Directory, settings: ConsentSettings, nowMs: number): Consent {
  const string = text === undefined || text === '0' ? undefined : parseConsentString(text)
  if (string === undefined) return refused('missing', 'tcf_missing', [callError(315)])

  const cmpCode = cmpError(string.cmpId, settings.cmpList, nowMs)
  if (cmpCode !== undefined) {
    if (!settings.acceptUnlistedCmp) return refused('missing', 'tcf_cmp', [callError(cmpCode), callError(315)])
    return { ...FREE, consentMacro: '', errors: [callError(cmpCode)] }
  }
  if (string.disclosed === undefined && string.createdAtMs >= DISCLOSURE_REQUIRED_MS) {
    return refused('missing', 'tcf_not_disclosed', [callError(315)])
  }
  const reason = refusal(string, settings.gvlVendorId)
  if (reason !== undefined) return refused('declined', reason, [callError(315)])
  const deniedDestinations = deniedByVendor(string, directory)
  return {
    decision: { ...FREE.decision, deniedDestinations, reason: 'tcf_granted' },
    result: 'granted',
    gdprMacro: '1',
    consentMacro: text as string,
    errors: NO_ERRORS,
  }
}

/** Why the string does not allow our own processing; undefined when it does. Restrictions come first [SEC-75]. */
function refusal(string: ConsentString, vendorId: number): string | undefined {
  for (const purpose of NEEDED_PURPOSES) {
    if (string.restricts(purpose, vendorId)) return `tcf_restriction_${purpose}`
    if (!string.purpose(purpose)) return `tcf_purpose_${purpose}`
  }
  return hasVendorConsent(string, vendorId) ? undefined : 'tcf_vendor'
}

function hasVendorConsent(string: ConsentString, vendorId: number): boolean {
  if (!string.vendor(vendorId)) return false
  return string.createdAtMs < DISCLOSURE_REQUIRED_MS || string.disclosed?.(vendorId) === true
}

/** A destination that names its vendor hears only with that vendor's consent [SEC-77], [COL-251]. */
function deniedByVendor(string: ConsentString, directory: Directory): readonly DestinationId[] {
  return directory.vendorDestinations
    .filter(
      ({ vendorId }) =>
        vendorId !== undefined && (!hasVendorConsent(string, vendorId) || string.restricts(STORE_OR_ACCESS, vendorId)),
    )
    .map(({ destinationId }) => destinationId)
}

function refused(result: 'declined' | 'missing', reason: string, errors: readonly CallError[]): Consent {
  const decision = { cookie: false, store: false, syncDenied: true, deniedDestinations: [], reason, fingerprint: '' }
  return { decision, result, gdprMacro: errors.length > 1 ? '0' : '1', consentMacro: '', errors }
}

/** 313 or 314; undefined for a CMP in good standing, or without a list [COL-248]. */
function cmpError(cmpId: number, list: ConsentSettings['cmpList'], nowMs: number): 313 | 314 | undefined {
  if (list === undefined) return undefined
  const deletedAtMs = list.get(cmpId)
  if (deletedAtMs === undefined) return 313
  return deletedAtMs !== null && deletedAtMs <= nowMs ? 314 : undefined
}

/** Tells strings apart without keeping them; empty for none. */
function fingerprintOf(texts: readonly string[]): string {
  return texts.length === 0 ? '' : createHash('sha256').update(texts.join('\n')).digest('hex').slice(0, 16)
}
