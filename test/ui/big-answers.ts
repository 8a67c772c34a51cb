import { DEVICE, listed, RECORDED, RECORDED_AT, RETRIED, type Recorded } from './recorded-answers.ts'

const LONG = 'Retargeting_Returning_Visitors_Scandinavia_Finland_Q4_2026_Programmatic_Second_Try_Final'
const SENTENCE = 'Interested in products of many kinds and likely to buy again within the next ninety days'
const nameOf = (kind: string, at: number) =>
  at % 40 === 3 ? `${LONG} ${at}` : at % 40 === 5 ? `${SENTENCE}, number ${at}` : `${kind} ${at}`
const many = <One>(count: number, make: (at: number) => One) => Array.from({ length: count }, (_, at) => make(at))

const SEGMENTS = 520
const delivering = { state: 'delivering', reason: null, since: null, nextAttempt: null } as const
const stopped = {
  state: 'stopped',
  reason: 'http_503',
  since: RECORDED_AT,
  nextAttempt: '2026-11-20T14:36:40.000Z',
} as const

const destinations = many(60, (at) => ({ destinationId: 500 + at, name: nameOf('Advertising partner', at) }))
const segments = many(SEGMENTS, (at) => ({ sid: 300_000 + at, name: nameOf('Segment', at) }))
const standingOf = (at: number) => (at < 10 ? stopped : delivering)
const owedAt = (at: number) => ({ waitingUsers: at < 10 ? 11 : 0, moreOnDisk: false, openMessages: at < 10 ? 2 : 0 })
/** As the server answers: the largest 50 of each by name, the rest as one count. */
const flow = {
  sources: [{ dataSourceId: 2001, name: SENTENCE, events: 23 }],
  traits: many(50, (at) => ({ sid: 200_000 + at, name: nameOf('Viewed category', at), realized: 11 })),
  segments: segments.slice(0, 50).map((one) => ({ ...one, entered: 11 })),
  destinations: destinations.map((one, at) => ({
    ...one,
    acknowledged: at < 10 ? 0 : 11,
    waiting: at < 10 ? 11 : 0,
    dead: 0,
    ...owedAt(at),
    ...standingOf(at),
  })),
  links: [
    ...many(50, (at) => ({ from: 'source:2001', to: `trait:${200_000 + at}`, count: 11 })),
    // Most of what is linked is not among the 50.
    ...many(200, (at) => ({ from: `trait:${200_300 + at}`, to: `segment:${300_300 + at}`, count: 11 })),
    ...many(240, (at) => ({
      from: `segment:${300_000 + (at % 120)}`,
      to: `destination:${500 + (at % 60)}`,
      count: 11,
    })),
  ],
  others: { sources: 0, traits: 5_170, segments: 5_170, destinations: 0, links: 5_792 },
}

const days = [{ day: '2026-11-20', count: 1 }]
const told = segments.slice(0, 500)

/** A server with 60 partners, 520 segments and a person who is in 500 of them, some under long names. */
export const BIG: Recorded = {
  ...RECORDED,
  answer(method, url, body) {
    const answer = RECORDED.answer(method, url, body)
    const path = url.pathname
    if (path === '/v1/destinations/') return listed(destinations)
    if (path === '/v1/segments/') {
      const search = (url.searchParams.get('search') ?? '').toLowerCase()
      const found = segments.filter(({ name }) => name.toLowerCase().includes(search))
      const pageSize = Number(url.searchParams.get('pageSize'))
      return { total: found.length, page: 0, pageSize, list: found.slice(0, pageSize) }
    }
    if (path === '/v1/search')
      return segments.slice(0, 20).map(({ sid, name }) => ({ kind: 'segment', id: sid, name, detail: null }))
    if (path === '/v1/overview') {
      const overview = answer as { needsAttention: object[]; ledger: object[] }
      const [item] = overview.needsAttention
      return {
        ...overview,
        flow,
        needsAttention: many(14, (at) => ({ ...item, ...destinations[at], count: 11, atLeast: false })),
        ledger: flow.destinations.map((one) => ({ ...one, blocked: 0 })),
      }
    }
    if (path === `/v1/profiles/${DEVICE}`)
      return {
        ...(answer as object),
        traits: many(500, (at) => ({
          ...{ sid: 200_000 + at, name: nameOf('Viewed category', at), count: 1, days },
          ...{ lastRealized: RECORDED_AT, expires: '2027-03-20' },
        })),
        segments: told.map((one) => ({
          ...{ ...one, status: 'in', since: RECORDED_AT, until: '2027-03-20T00:00:00.000Z' },
          mergeRuleDataSourceId: null,
        })),
      }
    if (path === `/v1/profiles/${DEVICE}/explain`)
      return { ...(answer as object), leavesAt: '2027-03-20T00:00:00.000Z' }
    if (path === `/v1/deliveries/${RETRIED}`) {
      const delivery = answer as { recipients: { active: object[] }[] }
      const [one] = delivery.recipients
      const active = told.map(({ sid, name }) => ({ sid, name, code: String(sid) }))
      return {
        ...delivery,
        destinationName: LONG,
        recipients: [
          { ...one, active },
          ...many(60, (at) => ({ ...one, profileId: `d:${String(at).padStart(38, '3')}` })),
        ],
      }
    }
    return answer
  },
}
