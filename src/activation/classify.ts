import type { EgressAnswer } from '../lib/egress/exchange.ts'
import { parseRetryAfter } from '../lib/retry-after.ts'
import type { BoundDestination, PartnerAnswer } from './destinations/define-destination.ts'
import { type Fault, faultOfStatus, type RealtimeReading, type RefusedUser } from './destinations/reading.ts'
import type { RunnerSettings } from './destinations/runner-settings.ts'

/** What one attempt came to. The mode decides what follows from it (`policy.ts`). */
export type Outcome =
  | {
      readonly status: 'acknowledged'
      /** `users_refused`: some of its users were, for good. */
      readonly note?: string
    }
  | {
      /** `unknown`: bytes left and no answer came; it may have arrived. */
      readonly status: 'failed' | 'unknown'
      /** Stable: `http_503`, `redirect_refused`, `timeout`, `tls_cert_has_expired`, ... */
      readonly reason: string
      readonly httpStatus: number | null
      readonly retryAfterMs: number | undefined
      /** As the type read it; left out: as the status says. */
      readonly fault?: Fault
    }
  /** The address rules forbid the target: the message is kept [SEC-23]. */
  | { readonly status: 'blocked'; readonly reason: 'egress_denied' }
  /** No access token, `oauth_http_401`: trouble of the destination, not of the message [SEC-55]. */
  | { readonly status: 'unauthenticated'; readonly reason: string; readonly retryAfterMs?: number | undefined }
  /** We are stopping: as if it had not been tried. */
  | { readonly status: 'stopped' }

/** That name another place; 304 does not. */
const REDIRECTS = [300, 301, 302, 303, 307, 308]

/**
 * @param wire of a type that reads answers itself, and for how many users; left out: the status says it all
 * Source: outbound.md OUT-21, OUT-208; security.md SEC-26, SEC-45, SEC-46.
 */
export function classify(
  answer: EgressAnswer,
  config: Pick<RunnerSettings, 'mode' | 'successStatuses'>,
  nowMs: number,
  { read, users }: Pick<BoundDestination, 'read'> & { readonly users: number } = { read: undefined, users: 0 },
): Outcome {
  if (answer.status !== 'answered') {
    if (answer.error === 'egress_denied') return { status: 'blocked', reason: 'egress_denied' }
    if (answer.error === 'closed') return { status: 'stopped' }
    const status = answer.status === 'unknown' ? 'unknown' : 'failed'
    return { status, reason: reasonOf(answer), httpStatus: null, retryAfterMs: undefined }
  }
  const { httpStatus, headers, body, isCut } = answer
  const isRedirect = REDIRECTS.includes(httpStatus)
  const retryAfterMs = parseRetryAfter(headers['retry-after'], nowMs)
  if (read !== undefined && !isRedirect) {
    const reading = readSafely(read, { httpStatus, headers, body: body.toString('utf8'), isCut, users })
    return outcomeOf(reading, { httpStatus, retryAfterMs, users })
  }
  if (isAccepted(httpStatus, config)) return { status: 'acknowledged' }
  return { status: 'failed', reason: isRedirect ? 'redirect_refused' : `http_${httpStatus}`, httpStatus, retryAfterMs }
}

/** Of what its author did not think of nothing was taken for sure: the message is repeated, and none hangs on it. */
function readSafely(read: NonNullable<BoundDestination['read']>, answer: PartnerAnswer): RealtimeReading {
  try {
    return read(answer)
  } catch {
    return { status: 'refused', fault: 'other', reason: 'answer_unreadable' }
  }
}

/** Who has to do something about it. */
export function faultOf({ fault, httpStatus }: Extract<Outcome, { status: 'failed' | 'unknown' }>): Fault {
  return fault ?? faultOfStatus(httpStatus)
}

/**
 * What a type read, for a message as a whole: it is acknowledged when the partner took some of its users, and will never
 * take the others. Where a part may be taken later all of it is repeated, which tells nobody anything new.
 */
function outcomeOf(
  reading: RealtimeReading,
  {
    users,
    ...answer
  }: { readonly httpStatus: number; readonly retryAfterMs: number | undefined; readonly users: number },
): Outcome {
  if (reading.status === 'accepted') return { status: 'acknowledged' }
  if (reading.status === 'refused') {
    const { fault, reason, retryAfterMs = answer.retryAfterMs } = reading
    return {
      status: 'failed',
      reason: isCode(reason) ? reason : 'refused',
      fault,
      httpStatus: answer.httpStatus,
      retryAfterMs,
    }
  }
  const failed = (fault: Fault): Outcome => ({ status: 'failed', reason: 'users_refused', fault, ...answer })
  const refused = reading.status === 'counted' ? reading.refused : refusedUsers(reading.refused)
  if (refused === 0) return { status: 'acknowledged' }
  const passing = reading.status === 'itemised' ? reading.refused.find(({ fault }) => fault !== 'record') : undefined
  if (passing !== undefined) return failed(passing.fault)
  return refused >= users ? failed('message') : { status: 'acknowledged', note: 'users_refused' }
}

/** A user can be named twice. */
function refusedUsers(refused: readonly RefusedUser[]): number {
  return new Set(refused.map(({ user }) => user)).size
}

/** Reasons are searched for, counted and shown: short words, and nothing of what a partner wrote. */
function isCode(reason: string): boolean {
  return /^[a-z0-9_]{1,64}$/.test(reason)
}

export function isAccepted(
  httpStatus: number,
  { mode, successStatuses }: Pick<RunnerSettings, 'mode' | 'successStatuses'>,
): boolean {
  return mode === 'compat' ? successStatuses.includes(httpStatus) : httpStatus >= 200 && httpStatus <= 299
}

/** The trouble with a certificate is named: `tls_cert_has_expired`, `tls_wrong_version_number` [SEC-28]. */
function reasonOf({ error, detail }: Exclude<EgressAnswer, { status: 'answered' }>): string {
  return error === 'tls' && detail !== null ? `tls_${detail.toLowerCase().replace(/^err_(ssl|tls)_/, '')}` : error
}
