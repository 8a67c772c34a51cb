import type { HttpAnswer, HttpClient } from '../lib/http-client.ts'
import { PARTNER_DATA_SOURCE } from './definitions.ts'
import { type Category, productsOf } from './shop/products.ts'

/**
 * One generated visitor of the demo shop: a browser with a cookie jar that walks from the home page to the till, or
 * gives up on the way. Calls the real edge over HTTP, as a page tag would.
 */
export interface Visitor {
  /** The partner's ID of this visitor, e.g. `ada-4f1c`. */
  readonly partnerId: string
  /** Does the next thing. @returns what was done, or undefined when the visitor has left for good */
  step(): Promise<VisitorStep | undefined>
}

export type VisitorStep = 'home' | 'sync' | 'look' | 'basket' | 'order' | 'optout'

export interface VisitorHabits {
  /** Refuses consent on every call: nothing may be stored or sent. */
  readonly refusesConsent: boolean
  /** Opts out at the end. */
  readonly optsOut: boolean
  readonly category: Category
  /** Products looked at. */
  readonly looks: number
  readonly fillsBasket: boolean
  readonly orders: boolean
}

/** A TCF string of 1 June 2026 that grants nothing to anyone (core and disclosed-vendors segments). */
const REFUSAL =
  'CQlH_MAQlH_MAAKABBENCWFgAAAAAAAAAAYgAAAAAAAA.IEagAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA'

export function planSteps(habits: VisitorHabits): VisitorStep[] {
  return [
    'home',
    'sync',
    ...new Array<VisitorStep>(habits.looks).fill('look'),
    ...(habits.fillsBasket ? (['basket'] as const) : []),
    ...(habits.orders ? (['order'] as const) : []),
    ...(habits.optsOut ? (['optout'] as const) : []),
  ]
}

export function createVisitor(
  http: HttpClient,
  edgeUrl: string,
  partnerId: string,
  habits: VisitorHabits,
  random: () => number,
): Visitor {
  const cookies = new Map<string, string>()
  const steps = planSteps(habits)

  const call = async (path: string, signals: Record<string, string> = {}): Promise<HttpAnswer> => {
    const consent = habits.refusesConsent ? { gdpr: '1', gdpr_consent: REFUSAL } : {}
    const query = new URLSearchParams({ ...signals, ...consent }).toString()
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const separator = path.startsWith('/ibs:') ? '&' : '?'
    const answer = await http.call(`${edgeUrl}${path}${query === '' ? '' : separator}${query}`, {
      headers: { 'user-agent': 'Mozilla/5.0 (demo shop)', ...(cookie === '' ? {} : { cookie }) },
    })
    keepCookies(cookies, answer)
    return answer
  }

  const product = () => {
    const choice = productsOf(habits.category)
    return choice[Math.floor(random() * choice.length)]?.slug ?? habits.category
  }
  const page = (signals: Record<string, string>) => call('/event', { d_rtbd: 'json', d_jsonv: '1', ...signals })
  const act: Record<VisitorStep, () => Promise<HttpAnswer>> = {
    home: () => page({ c_page: 'home' }),
    sync: () => call(`/ibs:dpid=${PARTNER_DATA_SOURCE}&dpuuid=${partnerId}`),
    look: () => page({ c_page: 'product', c_category: habits.category, c_product: product() }),
    basket: () => page({ c_page: 'basket', c_event: 'basket', c_category: habits.category }),
    order: () => page({ c_page: 'thanks', c_event: 'order' }),
    optout: () => call('/demoptout.jpg', { d_uuid: cookies.get('demdex') ?? '' }),
  }

  return {
    partnerId,
    async step() {
      const next = steps.shift()
      if (next !== undefined) await act[next]()
      return next
    },
  }
}

/** Names and values are all the demo needs: it calls one host. */
function keepCookies(jar: Map<string, string>, { headers }: HttpAnswer): void {
  for (const line of headers['set-cookie'] ?? []) {
    const [pair = ''] = line.split(';')
    const equals = pair.indexOf('=')
    if (equals > 0) jar.set(pair.slice(0, equals).trim(), pair.slice(equals + 1).trim())
  }
}
