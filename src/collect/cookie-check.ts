import { randomDeviceId } from '../lib/random-ids.ts'
import type { DeviceId } from '../model/ids.ts'
import { type Answer, pixelAnswer, redirectAnswer } from './answers.ts'
import { visitorCookie } from './cookies.ts'
import type { Edge } from './edge.ts'
import { cookieScope, type EdgeRequest, isCoppa, wantsJson } from './edge-request.ts'
import { callError } from './error-codes.ts'
import { isUnderWay } from './opt-out-tools.ts'
import { gdprOf } from './privacy-flags.ts'

/**
 * Finds out whether the browser keeps our cookies, where the operator wants to know: a pixel without any ID is sent to
 * itself once, with a cookie. If that request comes without one, cookies are blocked (172) [COL-128].
 */
export function cookieCheckAnswer(edge: Edge, request: EdgeRequest): Answer | undefined {
  if (!edge.config.cookieCheck || request.route.name !== 'event' || request.method !== 'GET') return undefined
  const { withheld, declared, malformed, signals, privacy } = request.parameters
  const hasId = withheld.has('d_uuid') || withheld.has('d_mid') || declared.length > 0
  const isPixel = !wantsJson(request) && signals.first('d_event') !== 'click' && !isCoppa(request)
  // No cookie is set before consent has been read, nor while an opt-out is under way.
  const hasGpp = privacy.given('gpp').length > 0 || privacy.given('gpp_sid').length > 0
  const needsConsent = gdprOf(privacy) !== 'free' || hasGpp || isUnderWay(edge, request)
  if (hasId || !isPixel || needsConsent || malformed || request.cookies.demdex !== undefined) return undefined
  if (request.host?.isKnown !== true) return undefined
  if (withheld.has('_ct')) return pixelAnswer([callError(172)], [])
  const separator = request.route.queryStart < request.target.length ? '&' : request.target.includes('?') ? '' : '?'
  const cookie = visitorCookie(randomDeviceId() as DeviceId, cookieScope(edge, request))
  return redirectAnswer(`${request.target}${separator}_ct=1`, [], [cookie])
}
