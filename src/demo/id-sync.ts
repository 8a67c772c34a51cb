import type { PartnerRoute } from '../partner/partner.ts'
import { PARTNER_COOKIE, partnerIdOf } from '../partner/partner-page.ts'
import { PARTNER_DATA_SOURCE } from './definitions.ts'

/**
 * The partner's end of an ID sync: Usher's answer has the page load `/sync?did=<device ID>`; the partner gives the browser
 * an ID of its own and sends it on to `/ibs:`, where the two IDs are linked. A page without JavaScript loads `/sync`
 * alone: the edge then knows the browser by its cookie. Source: spec/collection.md [COL-166], 12.1, 12.3.
 */
const YEAR_SECONDS = 31_536_000

/** @param newId makes the ID of a browser that comes for the first time */
export function idSyncRoute(edgeUrl: string, newId: () => string): PartnerRoute {
  return (request, response) => {
    const asked = /^\/sync(?:\?did=(\d{38}))?$/.exec(request.url ?? '')
    if (asked === null || request.method !== 'GET') return false
    const device = asked[1] === undefined ? '' : `&d_uuid=${asked[1]}`
    const id = partnerIdOf(request) ?? newId()
    response.writeHead(302, {
      location: `${edgeUrl}/ibs:dpid=${PARTNER_DATA_SOURCE}&dpuuid=${id}${device}`,
      'set-cookie': `${PARTNER_COOKIE}=${id}; Path=/; Max-Age=${YEAR_SECONDS}; SameSite=Lax; HttpOnly`,
      'cache-control': 'no-store',
      'content-length': 0,
    })
    response.end()
    return true
  }
}
