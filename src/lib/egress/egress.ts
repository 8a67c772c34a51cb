import { createSecureContext, rootCertificates } from 'node:tls'
import { Pool } from 'undici'
import { type AddressPolicyOptions, addressPolicy } from './address-policy.ts'
import { boundedClient } from './bounded-client.ts'
import { checkedConnector, type Lookup, sharedLookup } from './checked-connector.ts'
import { type EgressAnswer, type ExchangeLimits, exchange } from './exchange.ts'
import { isExempt, parseTarget, type Target, type TargetRules, targetDenial } from './target.ts'

/** The only way out: every connection made on behalf of a person's setting. Source: security.md section 3. */
export interface Egress {
  /** Never rejects: what went wrong is in the answer. Redirects are not followed [SEC-26]. */
  request(request: EgressRequest): Promise<EgressAnswer>
  /** Ends all connections, requests under way included. */
  close(): Promise<void>
}

export interface EgressRequest extends ExchangeLimits {
  readonly url: string
  readonly method: 'GET' | 'POST'
  /** Name and value, in the order they are sent; a name may repeat. `Host` and `Content-Length` are added. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string | Buffer
  /** From the call to the complete answer, connecting included. */
  readonly timeoutMs: number
  /** Connections are shared only among requests with the same key. */
  readonly poolKey: string
}

export interface EgressOptions extends AddressPolicyOptions, TargetRules {
  /** PEM text of further certificate authorities. */
  readonly extraCa?: string | undefined
  /** Hears why a request was not sent because of the address rules; one of few words [SEC-23]. */
  readonly onDenied?: (reason: string) => void
  /** Replaced in tests. */
  readonly lookup?: Lookup
}

const RESPONSE_HEAD_BYTES_MAX = 16 * 1024
const KEEP_ALIVE_MS = 30_000
/** Open pools; the one unused for longest goes first. A pool without connections is small. */
const POOLS_MAX = 2_000

export function openEgress(options: EgressOptions): Egress {
  const policy = addressPolicy(options)
  const ca = options.extraCa === undefined ? {} : { ca: [...rootCertificates, options.extraCa] }
  // Made once: reading all authorities takes some 30 ms, too long for each connection.
  const secureContext = createSecureContext({ minVersion: 'TLSv1.2', ...ca })
  const lookup = options.lookup ?? sharedLookup()
  const pools = new Map<string, Pool>()
  let isClosed = false

  function poolFor(target: Target, { poolKey, timeoutMs }: EgressRequest): Pool {
    const key = `${poolKey} ${target.origin} ${timeoutMs}`
    const known = pools.get(key)
    if (known !== undefined) return known
    const connect = checkedConnector({
      target,
      policy: isExempt(target, options) ? undefined : policy,
      secureContext,
      timeoutMs,
      lookup,
    })
    const pool = new Pool(target.origin, {
      factory: (origin, settings) => boundedClient(origin, settings, connect),
      maxHeaderSize: RESPONSE_HEAD_BYTES_MAX,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // However long the other side offers to keep it.
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      // The deadline of `exchange` covers both, at the cost of one timer.
      headersTimeout: 0,
      bodyTimeout: 0,
    })
    pools.set(key, pool)
    if (pools.size > POOLS_MAX) closeOldest()
    return pool
  }

  function closeOldest(): void {
    for (const [key, pool] of pools) {
      pools.delete(key)
      void pool.close()
      return
    }
  }

  function counted(answer: EgressAnswer): EgressAnswer {
    if (answer.status !== 'answered' && answer.error === 'egress_denied') options.onDenied?.(answer.detail ?? 'unknown')
    return answer
  }

  return {
    async request(request) {
      const target = parseTarget(request.url)
      const denied = targetDenial(target, options)
      if (target === undefined || denied !== undefined)
        return counted(refused('egress_denied', denied ?? 'url_invalid'))
      if (isClosed) return refused('closed', null)
      const headers: string[] = []
      for (const [name, value] of request.headers) headers.push(name, value)
      const body = request.body.length === 0 ? null : request.body
      const pool = poolFor(target, request)
      const call = { path: target.requestTarget, method: request.method, headers, body }
      return counted(await exchange(pool, call, request))
    },
    async close() {
      isClosed = true
      await Promise.all([...pools.values()].map((pool) => pool.destroy()))
    },
  }
}

function refused(error: 'egress_denied' | 'closed', detail: string | null): EgressAnswer {
  return { status: 'not_sent', error, detail, durationMs: 0 }
}
