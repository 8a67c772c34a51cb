import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import { isIP } from 'node:net'
import type { SecureContext } from 'node:tls'
import { buildConnector } from 'undici'
import type { AddressPolicy } from './address-policy.ts'
import { EgressDeniedError, NameUnresolvedError } from './egress-error.ts'
import type { Target } from './target.ts'

/** Resolves a name to all of its addresses. Replaced in tests that need a lying name server. */
export type Lookup = (
  hostname: string,
  done: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void

export interface ConnectorOptions {
  readonly target: Target
  /** Undefined: this target may be reached whatever its address. */
  readonly policy: AddressPolicy | undefined
  /** Authorities and least version of TLS. */
  readonly secureContext: SecureContext
  readonly timeoutMs: number
  readonly lookup: Lookup
}

/**
 * A connector that checks every address of a name and connects to exactly those addresses, so that a second answer of
 * the name server cannot change the target. It runs anew for each connection. Source: security.md SEC-23, SEC-28.
 */
export function checkedConnector({
  target,
  policy,
  secureContext,
  timeoutMs,
  lookup,
}: ConnectorOptions): buildConnector.connector {
  const denialOf = (address: string) => policy?.denial(address, target.port)

  const connect = buildConnector({
    timeout: timeoutMs,
    secureContext,
    // Node tries the checked addresses one after another.
    autoSelectFamily: true,
    lookup(hostname, _options, done) {
      lookup(hostname, (error, addresses) => {
        // An answer without an address, or with something else in its place, would fail later as if somebody had hung up.
        if (error !== null || addresses.length === 0 || addresses.some(({ address }) => isIP(address) === 0)) {
          done(new NameUnresolvedError(hostname, error), [])
          return
        }
        const denial = addresses.map((each) => denialOf(each.address)).find((reason) => reason !== undefined)
        if (denial !== undefined) done(new EgressDeniedError(denial), [])
        else done(null, [...addresses])
      })
    },
  } as buildConnector.BuildOptions)

  return (options, callback) => {
    // An address written in the URL is never looked up.
    const denial = isIP(target.hostname) === 0 ? undefined : denialOf(target.hostname)
    if (denial === undefined) connect(options, callback)
    else callback(new EgressDeniedError(denial), null)
  }
}

/** Asks the operating system, so that `/etc/hosts` counts. Calls for one name share an answer while it is awaited. */
export function sharedLookup(): Lookup {
  const waiting = new Map<string, Parameters<Lookup>[1][]>()
  return (hostname, done) => {
    const others = waiting.get(hostname)
    if (others !== undefined) {
      others.push(done)
      return
    }
    waiting.set(hostname, [done])
    systemLookup(hostname, { all: true }, (error, addresses) => {
      const all = waiting.get(hostname) ?? []
      waiting.delete(hostname)
      for (const each of all) each(error, addresses ?? [])
    })
  }
}
