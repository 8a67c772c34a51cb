import { DEVICE, RECORDED, RECORDED_AT, type Recorded } from './recorded-answers.ts'

const WORD = 'retargeting_returning_visitors_scandinavia_finland_q4_2026_programmatic_second_try_final'

/** Names as of generated campaigns: one word, wider than any column. */
const lengthened = (answer: unknown): unknown =>
  answer === undefined
    ? undefined
    : JSON.parse(JSON.stringify(answer), (key, value) =>
        (key === 'name' || key === 'destinationName') && typeof value === 'string' ? `${value} ${WORD}` : value,
      )

const dayBefore = (days: number) => new Date(Date.parse(RECORDED_AT) - days * 86_400_000).toISOString().slice(0, 10)

const traits = Array.from({ length: 200 }, (_, at) => ({
  sid: 100_001 + at,
  name: `Trait ${at}`,
  count: 30,
  days: Array.from({ length: 30 }, (_, days) => ({ day: dayBefore(days), count: 1 })),
  lastRealized: RECORDED_AT,
  expires: null,
}))

/** As after a decline: no partner may hear of the visitor. */
const consent = { store: true, sync: {}, deliver: { '0': false }, reason: 'page_withdrawn' }
const PROGRESS = { of: 1_234_567, share: 0.001, perSecond: 20, secondsLeft: 61_666 }

const paused = (destinationId: number, count: number, reason: string) => ({
  kind: 'paused',
  severity: 'warning',
  destinationId,
  name: 'Halden DSP',
  count,
  messages: 0,
  deadLetters: null,
  atLeast: false,
  since: RECORDED_AT,
  reason,
  nextAttempt: null,
})

/** A server with much of everything, under long names. */
export const HARD: Recorded = {
  ...RECORDED,
  answer(method, url, body) {
    const answer = RECORDED.answer(method, url, body)
    if (method === 'POST' && url.pathname === '/v1/deliveries/replay')
      return { ...(answer as object), matched: 1_234_567 }
    const running = { state: 'running', reason: 'gone', progress: { ...PROGRESS, done: 1_234 } }
    if (url.pathname === '/v1/deliveries/replays')
      return { total: 1, page: 0, pageSize: 20, list: [{ ...(answer as { list: object[] }).list[0], ...running }] }
    if (/^\/v1\/deliveries\/replays\/\w+$/.test(url.pathname)) return { ...(answer as object), ...running }
    if (url.pathname === `/v1/profiles/${DEVICE}`) return lengthened({ ...(answer as object), traits, consent })
    if (url.pathname === '/v1/overview') {
      const overview = answer as { needsAttention: unknown[]; figures: object }
      const needsAttention = [paused(424, 1, 'operator'), paused(425, 0, 'gone'), ...overview.needsAttention]
      return lengthened({ ...overview, needsAttention, figures: { ...overview.figures, entered: 1, left: 1 } })
    }
    if (answer !== undefined && /^\/v1\/deliveries\/dl_/.test(url.pathname)) {
      const delivery = answer as { request: object; attempts: { response: object }[] }
      const url = `https://in.halden.example/${'segments/'.repeat(20)}`
      const attempts = delivery.attempts.map((one) => ({
        ...one,
        response: { headers: {}, excerpt: 'x'.repeat(1024), note: 'cut' },
      }))
      return lengthened({ ...delivery, attempts, request: { ...delivery.request, url } })
    }
    return lengthened(answer)
  },
}
