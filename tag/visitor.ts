import { settings, warnOnce } from './page.ts'

/** What the browser keeps of the visitor: one first-party cookie. */

/** As long as the edge keeps a profile that is not seen again. */
export const COOKIE_DAYS = 120
export const ID = /^\d{38}$/
/** In place of an ID: who opted out is recognised without being one. Browsers keep no cookie for longer. */
export const OPTED_OUT = 'optout'
export const OPTED_OUT_DAYS = 400

/** What the cookie would hold, where the browser keeps none. */
let memory: string | undefined
/** The cookie was there: when it is no more, consent was taken back in another tab. */
let hadCookie = false

/** An ID, the text of a first visit, the mark of an opt-out, or nothing. A sandboxed frame forbids even to look. */
export function mark(): string | undefined {
  try {
    const found = /(?:^|; )usher_id=([\d-]{9,}|optout)(?:;|$)/.exec(document.cookie)?.[1]
    hadCookie = hadCookie || found !== undefined
    return found ?? memory
  } catch {
    return memory
  }
}

/** Another tab of this visitor has removed the cookie, or the visitor has. */
export function isForgotten(): boolean {
  return mark() === undefined && hadCookie
}

/** Consent is given here and now: that a cookie is missing says nothing any more. */
export function beginAnew(): void {
  hadCookie = false
}

/** What calls name the visitor by. Before the edge has said an ID, all calls of all tabs carry one text of a first visit. */
export function name(): string {
  const value = mark() ?? OPTED_OUT
  return value === OPTED_OUT ? '' : `${ID.test(value) ? 'd_uuid' : 'd_first'}=${value}`
}

export function keep(value: string, days: number): void {
  memory = undefined
  const { cookieDomain } = settings
  const isKept = () => (mark() ?? '') === value
  try {
    if (cookieDomain) {
      // One of this host alone, from before the page named a domain, would stand in front of it.
      write('', 0)
      write(value, days, cookieDomain)
    }
    if (!cookieDomain || !isKept()) {
      write(value, days)
      if (cookieDomain && isKept()) {
        warnOnce(
          `the browser keeps no cookie of data-cookie-domain="${cookieDomain}" on ${location.hostname}: this host alone has it`,
        )
      }
    }
  } catch {
    // No cookies.
  }
  if (!isKept()) memory = value
}

/** Nothing is to be known of the visitor from here on. */
export function drop(): void {
  keep('', 0)
  memory = undefined
  hadCookie = false
}

function write(value: string, days: number, domain?: string): void {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is missing in browsers that are in use.
  document.cookie =
    `usher_id=${value}; Path=/; Max-Age=${days * 86_400}; SameSite=Lax` +
    (location.protocol === 'https:' ? '; Secure' : '') +
    (domain === undefined ? '' : `; Domain=${domain}`)
}
