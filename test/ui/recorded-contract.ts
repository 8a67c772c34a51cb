import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import {
  Delivery,
  DeliveryDetail,
  DeliveryListQuery,
  Destination,
  DestinationDraft,
  DestinationHealthView,
  DestinationQuery,
  DestinationTypeView,
  ExplainQuery,
  ExplainView,
  Found,
  LiveRates,
  listOf,
  Mapping,
  MappingDraft,
  MappingListQuery,
  Overview,
  OverviewQuery,
  ProfileView,
  paged,
  Replay,
  ReplayAnswer,
  ReplayDetail,
  ReplayDetailQuery,
  ReplayListQuery,
  ReplayRequest,
  SearchQuery,
  Segment,
  SegmentListQuery,
  SessionRequest,
  SessionView,
  Trait,
} from '../../src/contract.ts'

/** One route as the contract has it: what is asked, what is sent, what is answered. */
interface RouteContract {
  readonly method: string
  readonly path: RegExp
  readonly answer: z.ZodType
  readonly query?: z.ZodType
  readonly body?: z.ZodType
}

/** Of objects that the UI shows by name alone only that much is recorded. */
const named = { sid: true, name: true } as const
/** With the settings of its type. */
const WholeDestination = Destination.extend({ s2s: z.unknown().optional() })
const ROUTES: readonly RouteContract[] = [
  { method: 'GET', path: /^\/v1\/session$/, answer: SessionView },
  { method: 'POST', path: /^\/v1\/session$/, answer: z.undefined(), body: SessionRequest },
  { method: 'GET', path: /^\/v1\/live$/, answer: LiveRates },
  { method: 'GET', path: /^\/v1\/overview$/, answer: Overview, query: OverviewQuery },
  { method: 'GET', path: /^\/v1\/search$/, answer: z.array(Found), query: SearchQuery },
  { method: 'GET', path: /^\/v1\/deliveries$/, answer: paged(Delivery), query: DeliveryListQuery },
  { method: 'GET', path: /^\/v1\/deliveries\/replays$/, answer: paged(Replay), query: ReplayListQuery },
  { method: 'GET', path: /^\/v1\/deliveries\/replays\/[^/]+$/, answer: ReplayDetail, query: ReplayDetailQuery },
  { method: 'POST', path: /^\/v1\/deliveries\/replays\/[^/]+\/cancel$/, answer: Replay },
  { method: 'GET', path: /^\/v1\/deliveries\/[^/]+$/, answer: DeliveryDetail },
  { method: 'POST', path: /^\/v1\/deliveries\/replay$/, answer: ReplayAnswer, body: ReplayRequest },
  {
    method: 'GET',
    path: /^\/v1\/destinations\/$/,
    answer: listOf(Destination.pick({ destinationId: true, name: true, destinationType: true, status: true })),
  },
  { method: 'POST', path: /^\/v1\/destinations$/, answer: WholeDestination, body: DestinationDraft },
  { method: 'GET', path: /^\/v1\/destination-types$/, answer: z.array(DestinationTypeView) },
  { method: 'GET', path: /^\/v1\/destinations\/\d+$/, answer: WholeDestination, query: DestinationQuery },
  { method: 'PUT', path: /^\/v1\/destinations\/\d+$/, answer: WholeDestination, body: DestinationDraft },
  {
    method: 'GET',
    path: /^\/v1\/destinations\/\d+\/mappings$/,
    answer: paged(Mapping),
    query: MappingListQuery,
  },
  { method: 'POST', path: /^\/v1\/destinations\/\d+\/mappings$/, answer: Mapping, body: MappingDraft },
  { method: 'DELETE', path: /^\/v1\/destinations\/\d+\/mappings\/\d+$/, answer: z.undefined() },
  { method: 'GET', path: /^\/v1\/destinations\/\d+\/health$/, answer: DestinationHealthView },
  { method: 'POST', path: /^\/v1\/destinations\/\d+\/(pause|resume)$/, answer: DestinationHealthView },
  { method: 'GET', path: /^\/v1\/segments\/$/, answer: listOf(Segment.pick(named)), query: SegmentListQuery },
  { method: 'GET', path: /^\/v1\/segments\/\d+$/, answer: Segment.pick(named) },
  { method: 'GET', path: /^\/v1\/traits\/\d+$/, answer: Trait.pick(named) },
  { method: 'GET', path: /^\/v1\/profiles\/[^/]+$/, answer: ProfileView },
  { method: 'GET', path: /^\/v1\/profiles\/[^/]+\/explain$/, answer: ExplainView, query: ExplainQuery },
]

/**
 * What is wrong with an exchange by the contract; undefined when nothing is. An answer that has more members than the
 * contract is wrong too: the server would not send them.
 * @param answer undefined: not found, so that only the request is looked at
 */
export function breachOf(method: string, url: URL, body: unknown, answer: unknown): string | undefined {
  const route = ROUTES.find((one) => one.method === method && one.path.test(url.pathname))
  const where = `${method} ${url.pathname}${url.search}`
  if (route === undefined) return `${where}: no route of the contract`
  const asked = route.query?.safeParse(Object.fromEntries(url.searchParams))
  if (asked?.success === false) return `${where}: the query is wrong. ${z.prettifyError(asked.error)}`
  const sent = route.body?.safeParse(body)
  if (sent?.success === false) return `${where}: the body is wrong. ${z.prettifyError(sent.error)}`
  if (answer === undefined) return undefined
  const plain: unknown = JSON.parse(JSON.stringify(answer))
  const given = route.answer.safeParse(plain)
  if (!given.success) return `${where}: the answer is wrong. ${z.prettifyError(given.error)}`
  return isDeepStrictEqual(given.data, plain)
    ? undefined
    : `${where}: the answer has members that the contract does not have: ${firstDifference(plain, given.data)}`
}

function firstDifference(had: unknown, kept: unknown, path = ''): string {
  if (typeof had !== 'object' || had === null || typeof kept !== 'object' || kept === null) return path
  for (const [key, value] of Object.entries(had)) {
    const other = (kept as Record<string, unknown>)[key]
    if (!isDeepStrictEqual(value, other)) return firstDifference(value, other, `${path}.${key}`)
  }
  return path
}
