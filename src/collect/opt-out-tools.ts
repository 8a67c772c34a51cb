import { randomToken } from '../lib/random-ids.ts'
import { admit } from './admission.ts'
import { type Answer, pixelAnswer, redirectAnswer } from './answers.ts'
import { isOptingOut, optingOutCookie } from './cookies.ts'
import type { Edge } from './edge.ts'
import { cookieScope, type EdgeRequest, firstValue } from './edge-request.ts'
import { fillKeyMacros } from './macros.ts'

/**
 * The opt-out tools of the industry (NAI, DAA). Such a tool first sends the browser to a token endpoint of each member,
 * which hands it a token and sends it back; then it calls the global opt-out. From the one to the other the opt-out is
 * under way, and calls of this browser give 173 [COL-235]. Source: spec/collection.md section 17.
 */
export class OptOutTools {
  readonly isEmpty: boolean
  private readonly tools: readonly { readonly host: string; readonly template: string }[]

  /** @throws RangeError for a template that is no `https` address, or has a macro in its host [SEC-15] */
  constructor(templates: readonly string[]) {
    this.isEmpty = templates.length === 0
    this.tools = templates.map((template) => ({ host: hostOf(template), template }))
  }

  /**
   * Where the tool awaits the browser.
   * @param returnUrl what the call says of it (`rd`): it may choose among the tools, and nothing else
   */
  templateFor(returnUrl: string | undefined): string | undefined {
    if (returnUrl === undefined || returnUrl === '') return this.tools[0]?.template
    const host = URL.canParse(returnUrl) ? new URL(returnUrl).host : undefined
    return this.tools.find((tool) => tool.host === host)?.template
  }
}

function hostOf(template: string): string {
  const url = URL.canParse(template) ? new URL(template) : undefined
  if (url?.protocol !== 'https:' || /[%{}$]/.test(url.host) || url.username !== '') {
    throw new RangeError(`edge.optOutTools: not an https address: ${template}`)
  }
  return url.host
}

/** A browser whose opt-out by a tool is under way. */
export function isUnderWay(edge: Edge, request: EdgeRequest): boolean {
  return !edge.optOutTools.isEmpty && isOptingOut(request.headers.cookie)
}

/** Refusals that must not keep anybody from opting out: page, place and token of the call. */
export const NO_HINDRANCE: ReadonlySet<number> = new Set([109, 111, 198, 199])

/** `/demoptout/token`; 404 while no tool is configured. */
export function serveOptOutToken(edge: Edge, request: EdgeRequest): Answer {
  const refusal = admit(edge, request)
  if (refusal !== undefined && !NO_HINDRANCE.has(refusal.code)) return pixelAnswer([refusal], [])
  const template = edge.optOutTools.templateFor(firstValue(request, 'rd'))
  if (template === undefined) {
    edge.events.onRedirectBlocked?.('host')
    return pixelAnswer([], [])
  }
  const token = randomToken()
  const location = fillKeyMacros(template, (key) => (key === 'token' ? token : (firstValue(request, key) ?? '')))
  return redirectAnswer(location, [], [optingOutCookie(token, cookieScope(edge, request))])
}
