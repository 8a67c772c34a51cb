import type { CallError } from '../model/collected-call.ts'
import type { Edge } from './edge.ts'
import { type EdgeRequest, firstValue } from './edge-request.ts'
import { callError } from './error-codes.ts'
import { headerText } from './header-text.ts'
import { hasInvalidImsToken } from './ims-token.ts'

/** IMS Organization ID, such as `5DC5123F5245B1D20A490D46@AdobeOrg` [COL-06]. */
const organizationForm = /^[0-9A-Za-z]{1,64}@[0-9A-Za-z]{1,32}$/

/** Why a whole call is refused, whoever sent it: the first reason in this order, or undefined. */
export function admit(edge: Edge, request: EdgeRequest): CallError | undefined {
  const { host } = request
  if (request.oversize) return callError(900)
  if (request.bodyProblem !== undefined) return callError(901, request.bodyProblem)
  if (request.parameters.malformed) return callError(311)
  if (host === undefined) return callError(100)
  if (!host.isKnown) return callError(1, host.name)
  const organization = firstValue(request, 'd_orgid')
  if (organization !== undefined && organization !== '' && !isKnownOrganization(edge, organization)) {
    return callError(2, organization)
  }
  const { imsTokens } = edge.config
  if (imsTokens !== undefined && hasInvalidImsToken(imsTokens, request.headers.authorization, request.receivedAtMs)) {
    return callError(111)
  }
  return refuseCountry(edge, request.address) ?? refuseReferer(edge, request)
}

function isKnownOrganization(edge: Edge, organization: string): boolean {
  return edge.organizations.size === 0 ? organizationForm.test(organization) : edge.organizations.has(organization)
}

/** The address is obfuscated before this [COL-122], [COL-220]; a caller that hands over none is not checked [COL-264]. */
function refuseCountry(edge: Edge, address: string): CallError | undefined {
  if (address === '') return undefined
  const { countryOf, forbiddenCountries, blockedCountries, onlyCountries } = edge.config
  const country = countryOf?.(address)
  if (country === undefined) return undefined
  if (forbiddenCountries.includes(country)) return callError(199)
  if (blockedCountries.includes(country)) return callError(198)
  return onlyCountries.length > 0 && !onlyCountries.includes(country) ? callError(198) : undefined
}

/** Only the real header counts, and a call without one is allowed [COL-23], [COL-123]. */
function refuseReferer(edge: Edge, request: EdgeRequest): CallError | undefined {
  const { refererHosts } = edge
  const referer = headerText(request.headers.referer ?? '')
  if (refererHosts.length === 0 || referer === '') return undefined
  const host = hostOfUrl(referer)
  const isAllowed = refererHosts.some((allowed) => host === allowed || host.endsWith(`.${allowed}`))
  return isAllowed ? undefined : callError(109, referer, request.host?.label ?? '')
}

function hostOfUrl(url: string): string {
  try {
    return new URL(url).hostname
  } catch {
    return ''
  }
}
