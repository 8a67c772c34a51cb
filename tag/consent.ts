import { guarded, page, settings, type TcData, warnOnce } from './page.ts'
import { beginAnew, isForgotten, mark, OPTED_OUT } from './visitor.ts'

/** Whether anything may be stored or sent. Source: spec/security.md [SEC-73] to [SEC-76]. */

const YES: readonly unknown[] = [true, 1, '1']
const NO: readonly unknown[] = [false, 0, '0']
/** Local storage: other tabs hear of it as it is set, and it is gone at once. */
const REFUSED = 'usher.refused'

/** What the page said itself; undefined until it does. */
let said: boolean | undefined
let tcf: TcData | 'asked' | undefined

/** `wait`: nobody has decided yet, so calls are held in memory and nothing is stored or sent. */
export function permission(): 'yes' | 'no' | 'wait' {
  if (said === false) return 'no'
  if (tcf === 'asked') return 'wait'
  const isDecided = said === true || settings.consent === undefined
  const isGiven = tcf?.gdprApplies === true ? isGranted(tcf) : isDecided
  // Last, because without consent the browser's memory is not even read.
  if (isGiven) return isForgotten() || mark() === OPTED_OUT ? 'no' : 'yes'
  return tcf?.gdprApplies === true ? 'no' : 'wait'
}

/** Purposes 1 and 10; the edge checks the rest of the string: vendors, restrictions, who wrote it [COL-240]. */
function isGranted({ purpose, tcString }: TcData): boolean {
  return !!tcString && purpose?.consents?.[1] === true && purpose.consents[10] === true
}

/** What is not exactly yes is no, as at the edge [COL-275]. */
export function say(given: unknown): void {
  said = YES.includes(given)
  if (said) beginAnew()
  else tellTabs()
}

export function isDocumented(given: unknown): boolean {
  return YES.includes(given) || NO.includes(given)
}

/** A refusal here is one in every tab of this site. */
export function tellTabs(): void {
  try {
    localStorage.setItem(REFUSED, '1')
    localStorage.removeItem(REFUSED)
  } catch {
    // No storage; a missing cookie says it.
  }
}

/** @param changed is called after each change that this page did not make itself */
export function watchTabs(changed: () => void): void {
  const listener = ({ key, newValue }: StorageEvent) => {
    if (key !== REFUSED || newValue === null) return
    said = false
    changed()
  }
  addEventListener('storage', guarded(listener))
}

/** Once, as soon as the page has a consent platform; it calls back on every change. */
export function watchPlatform(changed: () => void): void {
  if (tcf !== undefined || typeof page.__tcfapi !== 'function') return
  tcf = 'asked'
  page.__tcfapi(
    'addEventListener',
    2,
    guarded((data: TcData, ok: boolean) => {
      // The platform does not know yet, or the visitor is looking at the question.
      if (!ok || data.gdprApplies === undefined || (data.eventStatus === 'cmpuishown' && data.gdprApplies)) return
      tcf = data
      beginAnew()
      changed()
    }),
  )
}

export function checkSettings(): void {
  const { consent = 'required' } = settings
  if (consent !== 'required') warnOnce(`data-consent="${consent}" counts as "required"`)
}

/** What a call says of consent, as names and values. */
export function consentPairs(): [string, string][] {
  const pairs: [string, string][] = []
  if (tcf !== 'asked' && tcf?.gdprApplies === true) pairs.push(['gdpr', '1'], ['gdpr_consent', tcf.tcString ?? ''])
  if (said === true) pairs.push(['d_consent', '1'])
  return pairs
}
