import { createServer, type Socket } from 'node:net'
import {
  type Defined,
  deviceIn,
  OTHER,
  openWorkbench,
  until,
  type Workbench,
} from '../../src/activation/workbench.conformance.ts'
import type { Behaviour } from '../../src/partner/behaviour.ts'
import { type Partner, startPartner } from '../../src/partner/partner.ts'
import { freePort } from '../../src/testkit/free-port.ts'
import { type ManualTime, manualTime } from './manual-time.ts'

/** Every documented failure of a receiver, and a run against one: the real partner, a real dispatcher, time by hand. */

export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
/** As written in [SEC-46]. */
export const SCHEDULE = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, ...[2, 5, 10, 14, 20, 24].map((hours) => hours * HOUR)]
/** Jitter of the first, second, ... wait: the extremes and the middle, in turn. */
export const JITTER = [0.8, 1.2, 1]
/** Where it is to be exceeded. */
const TIMEOUT_MS = 400
export const BODY_AT_FAULT = [400, 413, 422]

export interface Failure {
  readonly name: string
  readonly behaviour?: Behaviour
  /** Nothing of HTTP answers at its address. */
  readonly at?: 'closed_port' | 'hanging_handshake'
  readonly reason: string
  /** The bytes may have arrived. */
  readonly isUnknown?: true
  readonly httpStatus: number | null
  /** In durable mode; default 10. */
  readonly attempts?: number
  /** Least wait before each repetition, asked for by `Retry-After`. */
  readonly retryAfterMs?: readonly number[]
}

export const answering = (httpStatus: number, more: Partial<Failure> = {}): Failure => ({
  name: `${httpStatus}`,
  behaviour: { answer: httpStatus },
  reason: `http_${httpStatus}`,
  httpStatus,
  ...more,
})
const busyFor = (httpStatus: number, retryAfter: string, retryAfterMs: readonly number[]) =>
  answering(httpStatus, {
    name: `${httpStatus} with Retry-After ${retryAfter}`,
    behaviour: { answer: httpStatus, headers: { 'retry-after': retryAfter } },
    retryAfterMs,
  })
const lost = (name: string, reason: string, more: Partial<Failure>): Failure => ({
  name,
  reason,
  httpStatus: null,
  ...more,
})

export const FAILURES: readonly Failure[] = [
  ...BODY_AT_FAULT.map((code) => answering(code, { attempts: 3 })),
  ...[401, 403, 404, 429, 500, 502, 503, 504].map((code) => answering(code)),
  busyFor(429, '120', Array(9).fill(2 * MINUTE)),
  busyFor(429, '10800', Array(9).fill(3 * HOUR)),
  busyFor(503, '99999999999', Array(9).fill(24 * HOUR)),
  busyFor(429, 'Sun, 22 Nov 2026 12:02:00 GMT', [2 * MINUTE]),
  busyFor(503, 'Sunday, 22-Nov-26 12:02:00 GMT', [2 * MINUTE]),
  busyFor(429, 'Sun Nov 22 12:02:00 2026', [2 * MINUTE]),
  busyFor(429, 'soon', []),
  ...[301, 302, 307, 308].map((code) => answering(code, { reason: 'redirect_refused' })),
  lost('no answer in time', 'timeout', { behaviour: { delayMs: 60_000 }, isUnknown: true }),
  lost('a connection that is not made in time', 'timeout', { at: 'hanging_handshake' }),
  lost('a refused connection', 'connection_refused', { at: 'closed_port' }),
  lost('a reset in the middle', 'connection_reset', { behaviour: { resetRate: 1 }, isUnknown: true }),
]

export interface Run extends AsyncDisposable {
  readonly bench: Workbench
  readonly time: ManualTime
  readonly bad: Partner
  readonly good: Partner
}

/** One destination at the failing partner, one at a partner that is well. */
export async function startRun(
  mode: 'compat' | 'durable',
  failure: Pick<Failure, 'at' | 'behaviour'> & Partial<Pick<Failure, 'reason'>>,
): Promise<Run> {
  const time = manualTime()
  const good = await startPartner({ port: await freePort(), nowMs: time.clock })
  const { behaviour = {} } = failure
  const location = { location: `${good.url}/elsewhere` }
  const bad = await startPartner({
    port: await freePort(),
    nowMs: time.clock,
    behaviour: { ...behaviour, headers: { ...location, ...behaviour.headers } },
    random: () => 0.5,
  })
  const hanging = failure.at === 'hanging_handshake' ? await startHanging() : undefined
  const url =
    hanging?.url ?? (failure.at === 'closed_port' ? `http://127.0.0.1:${await freePort()}/in` : `${bad.url}/in`)
  const defined: Defined = {
    destinations: [
      { config: { url, mode, usersPerMessage: 1 } },
      { id: OTHER, config: { url: `${good.url}/in`, usersPerMessage: 1, timeoutMs: 15_000 } },
    ],
  }
  const timeoutMs = failure.reason === 'timeout' ? TIMEOUT_MS : 15_000
  let failed = 0
  const bench = await openWorkbench(defined, {
    after: time.after,
    clock: time.clock,
    // Asked after each attempt, whatever came of it; that of the other destination is the very first.
    random: () => ((JITTER[failed++ % JITTER.length] as number) - 0.8) / 0.4,
    log: () => {},
    limits: { compatTimeoutMs: timeoutMs, durableTimeoutMs: timeoutMs },
  })
  await bench.commit(deviceIn(1, [100]), [OTHER])
  await until(() => bench.ended.length === 1)
  failed = 0
  return {
    bench,
    time,
    bad,
    good,
    async [Symbol.asyncDispose]() {
      await bench[Symbol.asyncDispose]()
      await hanging?.close()
      await Promise.all([bad.close(), good.close()])
    },
  }
}

/** Takes connections and never says a word, so that no TLS connection ever stands. */
async function startHanging() {
  const sockets = new Set<Socket>()
  const port = await freePort()
  const server = createServer((socket) => sockets.add(socket.on('error', () => {})))
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    url: `https://127.0.0.1:${port}/in`,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
