import type { CallError, CallOutcome, CollectedCall } from '../model/collected-call.ts'
import { type Answer, jsonAnswer, pixelAnswer } from './answers.ts'
import type { CallResult } from './call-result.ts'
import { type Consent, unreadConsent } from './consent.ts'
import { cookieCheckAnswer } from './cookie-check.ts'
import { droppedCookies, parseSyncTimes, renderSyncTimes, syncTimesCookie, visitorCookie } from './cookies.ts'
import type { Edge } from './edge.ts'
import { cookieScope, type EdgeRequest, firstValue, isCoppa, needsStatus200, wantsJson } from './edge-request.ts'
import { callError } from './error-codes.ts'
import { dueIdSyncs } from './id-syncs.ts'
import { eventJson, idJson, stoppedJson } from './json-bodies.ts'
import { readCall } from './read-call.ts'
import { redirectOf } from './redirect-of-call.ts'

/** `/event`, `/ibs:` and `/id`: read, hand over, answer. Never rejects. */
export async function serveCall(edge: Edge, request: EdgeRequest): Promise<Answer> {
  const check = cookieCheckAnswer(edge, request)
  if (check !== undefined) return check

  const read = readCall(edge, request)
  if (read.status !== 'opted_out') edge.events.onConsent?.(read.consent.decision.reason, read.consent.result)
  try {
    if (read.status === 'read') {
      const outcome = await edge.handler.process(read.call)
      return renderCall(edge, request, resultOf(edge, request, read.call, outcome, read.consent))
    }
    if (read.status === 'declined' && read.optOut !== undefined) await edge.handler.optOut(read.optOut)
    return refusedAnswer(edge, request, read.errors, read.consent)
  } catch (error) {
    edge.events.onFault?.(error, request.eventId)
    return troubleAnswer(edge, request, error, read.consent)
  }
}

/** A call that was refused as a whole; 200 as AAM answers, or 4xx in strict mode [SEC-02]. */
function refusedAnswer(edge: Edge, request: EdgeRequest, errors: readonly CallError[], consent: Consent): Answer {
  const answer = renderCall(edge, request, { outcome: undefined, errors, consent, cookies: NO_COOKIES })
  const isStrict = edge.config.strict && answer.status === 200 && request.route.name !== 'id' && errors[0]?.code !== 171
  return isStrict ? { ...answer, status: 400 } : answer
}

/**
 * Trouble of ours. Nothing was stored, and it must not look like an acknowledgement: 503 with `Retry-After` where a
 * repeat can help, except to page libraries and mobile SDKs, which would stop for good [SEC-11], [COL-113].
 */
function troubleAnswer(edge: Edge, request: EdgeRequest, error: unknown, consent: Consent): Answer {
  const answer = renderCall(edge, request, { outcome: undefined, errors: UNSPECIFIED, consent, cookies: NO_COOKIES })
  const isRetryable = error instanceof Error && (error as { readonly retryable?: unknown }).retryable === true
  if (!isRetryable || answer.status !== 200 || needsStatus200(request)) return answer
  return { ...answer, status: 503, retryAfterSeconds: 1 }
}

/** The answer while we are overloaded: not processed, nothing stored [SEC-11]. */
export function shedAnswer(edge: Edge, request: EdgeRequest): Answer {
  const answer = renderCall(edge, request, {
    outcome: undefined,
    errors: UNSPECIFIED,
    consent: unreadConsent(request.parameters),
    cookies: NO_COOKIES,
  })
  // A click still takes the visitor where they wanted to go [COL-189].
  const isClick = answer.status === 302 && request.route.name === 'event'
  if (isClick || needsStatus200(request)) return answer
  return { ...pixelAnswer(UNSPECIFIED, NO_COOKIES), status: 429, retryAfterSeconds: 1 }
}

const NO_COOKIES: readonly string[] = []
const UNSPECIFIED: readonly CallError[] = [callError(0)]

function resultOf(
  edge: Edge,
  request: EdgeRequest,
  call: CollectedCall,
  outcome: CallOutcome,
  consent: Consent,
): CallResult {
  const errors = outcome.errors.length === 0 ? call.errors : [...call.errors, ...outcome.errors]
  if (outcome.status === 'processed') {
    const cookies = isCoppa(request) || !consent.decision.cookie ? NO_COOKIES : cookiesOf(edge, request, call, outcome)
    return { outcome, errors, consent, cookies }
  }
  if (outcome.status === 'opted_out' && !errors.some((error) => error.code === 171)) {
    return { outcome, errors: [...errors, callError(171, outcome.id)], consent, cookies: NO_COOKIES }
  }
  const { demdex, dextp } = request.cookies
  if (consent.result === 'withdrawn' && (demdex ?? dextp) !== undefined) {
    return { outcome, errors, consent, cookies: droppedCookies(cookieScope(edge, request)) }
  }
  return { outcome, errors, consent, cookies: NO_COOKIES }
}

/**
 * A valid cookie is renewed and never replaced: any page can send an ID, and replacing would let it bind a browser to
 * an ID of its choice. Without a cookie, IDs from parameters stay in the body [COL-259].
 */
function cookiesOf(
  edge: Edge,
  request: EdgeRequest,
  call: CollectedCall,
  outcome: Extract<CallOutcome, { status: 'processed' }>,
): readonly string[] {
  const scope = cookieScope(edge, request)
  const cookies: string[] = []
  const received = request.cookies.demdex
  if (received !== undefined && call.cookieDeviceId === received)
    cookies.push(visitorCookie(call.cookieDeviceId, scope))
  else if (outcome.source === 'ecid' || outcome.source === 'new') cookies.push(visitorCookie(outcome.deviceId, scope))
  if (call.kind === 'sync' && call.declaredIds.length > 0 && !call.consent.syncDenied) {
    const synced = call.declaredIds.map(({ dataSourceId }) => dataSourceId)
    const times = renderSyncTimes(parseSyncTimes(request.cookies.dextp), synced, call.receivedAtMs)
    cookies.push(syncTimesCookie(times, scope))
  }
  return cookies
}

/** Picks the form of the answer: redirect, JSON of the ID service, JSON of an event, or the pixel. */
function renderCall(edge: Edge, request: EdgeRequest, result: CallResult): Answer {
  const { outcome, errors, cookies } = result
  const redirect = redirectOf(edge, request, result)
  if (redirect !== undefined) return redirect
  const isId = request.route.name === 'id'
  if (!isId && !wantsJson(request)) return pixelAnswer(errors, cookies)

  const processed = outcome?.status === 'processed' ? outcome : undefined
  const syncs = processed === undefined ? [] : dueIdSyncs(edge, request, result.consent, processed)
  if (isId && (firstValue(request, 'd_orgid') ?? '') !== '') {
    return jsonAnswer(edge, request, idJson(edge, request, result, syncs), errors, cookies)
  }
  if (processed === undefined) {
    return jsonAnswer(edge, request, stoppedJson(edge, request, result), errors, cookies)
  }
  return jsonAnswer(edge, request, eventJson(edge, request, processed, errors, syncs), errors, cookies)
}
