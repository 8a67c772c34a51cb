import type { EgressAnswer } from '../lib/egress/exchange.ts'
import { parseRetryAfter } from '../lib/retry-after.ts'
import type { S2sConfig } from './destinations/s2s.ts'

/** What one attempt came to. The mode decides what follows from it (`policy.ts`). */
export type Outcome =
  | { readonly status: 'acknowledged' }
  | {
      /** `unknown`: bytes left and no answer came; it may have arrived. */
      readonly status: 'failed' | 'unknown'
      /** Stable: `http_503`, `redirect_refused`, `timeout`, `tls_cert_has_expired`, ... */
      readonly reason: string
      readonly httpStatus: number | null
      readonly retryAfterMs: number | undefined
    }
  /** The address rules forbid the target: the message is kept [SEC-23]. */
  | { readonly status: 'blocked'; readonly reason: 'egress_denied' }
  /** No access token, `oauth_http_401`: trouble of the destination, not of the message [SEC-55]. */
  | { readonly status: 'unauthenticated'; readonly reason: string; readonly retryAfterMs?: number | undefined }
  /** We are stopping: as if it had not been tried. */
  | { readonly status: 'stopped' }

/** That name another place; 304 does not. */
const REDIRECTS = [300, 301, 302, 303, 307, 308]

/** Source: outbound.md OUT-21, OUT-208; security.md SEC-26, SEC-45, SEC-46. */
export function classify(
  answer: EgressAnswer,
  config: Pick<S2sConfig, 'mode' | 'successStatuses'>,
  nowMs: number,
): Outcome {
  if (answer.status !== 'answered') {
    if (answer.error === 'egress_denied') return { status: 'blocked', reason: 'egress_denied' }
    if (answer.error === 'closed') return { status: 'stopped' }
    const status = answer.status === 'unknown' ? 'unknown' : 'failed'
    return { status, reason: reasonOf(answer), httpStatus: null, retryAfterMs: undefined }
  }
  const { httpStatus, headers } = answer
  if (isAccepted(httpStatus, config)) return { status: 'acknowledged' }
  const reason = REDIRECTS.includes(httpStatus) ? 'redirect_refused' : `http_${httpStatus}`
  return { status: 'failed', reason, httpStatus, retryAfterMs: parseRetryAfter(headers['retry-after'], nowMs) }
}

export function isAccepted(
  httpStatus: number,
  { mode, successStatuses }: Pick<S2sConfig, 'mode' | 'successStatuses'>,
): boolean {
  return mode === 'compat' ? successStatuses.includes(httpStatus) : httpStatus >= 200 && httpStatus <= 299
}

/** The trouble with a certificate is named: `tls_cert_has_expired`, `tls_wrong_version_number` [SEC-28]. */
function reasonOf({ error, detail }: Exclude<EgressAnswer, { status: 'answered' }>): string {
  return error === 'tls' && detail !== null ? `tls_${detail.toLowerCase().replace(/^err_(ssl|tls)_/, '')}` : error
}
