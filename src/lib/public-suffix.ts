import { isIP } from 'node:net'
import { getDomain } from 'tldts'

/**
 * The domain that one party registered: one label below a public suffix such as `co.uk` or `herokuapp.com`, below which
 * everybody is somebody else. Browsers keep no cookie for a suffix itself. Source: publicsuffix.org, both sections of its
 * list; a name that is not on it ends in a suffix of one label.
 * @param name host name in lower case, no IP address
 * @returns undefined where the name is a suffix itself
 */
export function registrableDomain(name: string): string | undefined {
  return getDomain(name, { allowPrivateDomains: true, extractHostname: false, validateHostname: false }) ?? undefined
}

/** A name of several labels for which browsers keep no cookie, as `co.uk`. */
export function isSharedSuffix(name: string): boolean {
  return name.includes('.') && isIP(name) === 0 && registrableDomain(name.toLowerCase()) === undefined
}

/** `*.com`, `*.co.uk`: hosts of everybody, to which nobody means to redirect. @param pattern a host, or `*.` and a domain */
export function isOpenToAll(pattern: string): boolean {
  const host = pattern.toLowerCase()
  return host.startsWith('*.') && isIP(host.slice(2)) === 0 && registrableDomain(host.slice(2)) === undefined
}
