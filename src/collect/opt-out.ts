import type { CallError, OptOutCall } from '../model/collected-call.ts'
import { admit } from './admission.ts'
import { type Answer, jsonAnswer, pixelAnswer } from './answers.ts'
import { type CallIds, readIds } from './call-ids.ts'
import { NOT_A_TARGET, optedOutCookie, optOutCookies, visitorCookie } from './cookies.ts'
import type { Edge } from './edge.ts'
import { cookieScope, type EdgeRequest, isCoppa, needsStatus200, wantsJson } from './edge-request.ts'
import { callError } from './error-codes.ts'
import { OPT_OUT_TTL_SECONDS, stoppedJson } from './json-bodies.ts'
import { isUnderWay, NO_HINDRANCE } from './opt-out-tools.ts'

/**
 * `/demoptout.jpg` and `/demoptout`. A call that names an ID opts that one out for the partner; a call that names none
 * speaks for the browser it comes from: a global opt-out with its cookies. Source: spec/collection.md section 17.
 */
export async function serveOptOut(edge: Edge, request: EdgeRequest): Promise<Answer> {
  const errors: CallError[] = []
  const refusal = admit(edge, request)
  // The country or page somebody opts out from does not matter.
  if (refusal !== undefined && !NO_HINDRANCE.has(refusal.code)) return answer(edge, request, [refusal], [])
  const ids = readIds(edge, withoutEmpty(request), errors)
  // An ID in a form we refuse is meant as one; an empty one, or a name that is not ours, names nobody.
  const isGlobal = subjectOf(ids) === undefined && errors.length === 0
  if (request.unreadBody !== undefined) errors.push(callError(901, request.unreadBody))
  const call = callOf(request, ids, isGlobal)
  const globalCookies = isGlobal ? optOutCookiesOf(edge, request) : []
  if (call === undefined) {
    // The cookie alone is the record of a browser we do not know.
    if (isGlobal) errors.push(callError(171, NOT_A_TARGET))
    return answer(edge, request, errors, globalCookies)
  }
  try {
    const outcome = await edge.handler.optOut(call)
    if (outcome.ids[0] !== undefined) errors.push(callError(171, outcome.ids[0]))
    if (isGlobal) return answer(edge, request, errors, globalCookies)
    // The device that was made for a pair without one: only a cookie lets later calls be recognised [COL-230].
    const isMade = outcome.deviceId !== undefined && request.cookies.demdex === undefined && !isCoppa(request)
    const cookies = isMade ? [visitorCookie(outcome.deviceId, cookieScope(edge, request))] : []
    return answer(edge, request, errors, cookies)
  } catch (error) {
    edge.events.onFault?.(error, request.eventId)
    const failed = answer(edge, request, [callError(0)], [])
    return needsStatus200(request) ? failed : { ...failed, status: 503, retryAfterSeconds: 1 }
  }
}

/** The opt-out a tool had announced has arrived with it [COL-235]. */
function optOutCookiesOf(edge: Edge, request: EdgeRequest): readonly string[] {
  const scope = cookieScope(edge, request)
  return isUnderWay(edge, request) ? [...optOutCookies(scope), optedOutCookie(scope)] : optOutCookies(scope)
}

/** Declared IDs without a value are none: a page fills in what it has. */
function withoutEmpty(request: EdgeRequest): EdgeRequest {
  const declared = request.parameters.declared.filter(({ raw }) => raw !== '')
  return { ...request, parameters: { ...request.parameters, declared } }
}

function subjectOf(ids: CallIds) {
  return ids.deviceId ?? ids.ecid ?? ids.declaredIds[0] ?? ids.deprecatedPair ?? ids.firstDeviceId
}

/** @returns undefined when there is nothing to record */
function callOf(request: EdgeRequest, ids: CallIds, isGlobal: boolean): OptOutCall | undefined {
  const subject = isGlobal ? ids.cookieDeviceId : subjectOf(ids)
  if (subject === undefined) return undefined
  return {
    eventId: request.eventId,
    receivedAtMs: request.receivedAtMs,
    level: isGlobal ? 'global' : 'partner',
    reason: 'request',
    deviceId: subject === ids.firstDeviceId ? ids.firstDeviceId : ids.deviceId,
    ecid: ids.ecid,
    organization: ids.organization,
    cookieDeviceId: ids.cookieDeviceId,
    declaredIds: ids.declaredIds,
    deprecatedPair: ids.deprecatedPair,
  }
}

function answer(edge: Edge, request: EdgeRequest, errors: readonly CallError[], cookies: readonly string[]): Answer {
  if (!wantsJson(request)) {
    // The image says nothing of a success; what went wrong is in the header.
    const wrong = errors.filter((error) => error.code !== 171)
    return pixelAnswer(wrong, cookies)
  }
  return jsonAnswer(edge, request, stoppedJson(edge, request, { outcome: undefined, errors }), errors, cookies)
}

/** `/optOutStatus`: looks only, makes no ID and sets no cookie [COL-261]. */
export async function serveOptOutStatus(edge: Edge, request: EdgeRequest): Promise<Answer> {
  const errors: CallError[] = []
  const refusal = admit(edge, request)
  if (refusal !== undefined) return statusAnswer(edge, request, false, [refusal])
  if (request.unreadBody !== undefined) errors.push(callError(901, request.unreadBody))
  if (request.cookies.demdex === NOT_A_TARGET) return statusAnswer(edge, request, true, errors)
  const ids = readIds(edge, request, errors)
  try {
    const level = await edge.handler.optOutStatus(ids)
    return statusAnswer(edge, request, level !== undefined, errors)
  } catch (error) {
    edge.events.onFault?.(error, request.eventId)
    return statusAnswer(edge, request, false, [callError(0)])
  }
}

/** Clients know the one word `global`, so it stands for every level of opt-out. */
function statusAnswer(edge: Edge, request: EdgeRequest, isOptedOut: boolean, errors: readonly CallError[]): Answer {
  const message = errors[0]?.code === 0 ? { error_msg: errors[0].msg } : {}
  const body = { d_optout: isOptedOut ? ['global'] : [], d_ottl: OPT_OUT_TTL_SECONDS, ...message }
  return jsonAnswer(edge, request, JSON.stringify(body), errors, [])
}
