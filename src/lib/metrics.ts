import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { PlainHistogram } from './plain-histogram.ts'

/**
 * Figures for Prometheus under the names of [SEC-87]. Labels are few and fixed: no user IDs, URLs or free text, and no
 * destination, so that the number of series is bounded by this file.
 */
export interface Metrics {
  httpRequest(route: string, code: number, seconds: number): void
  collectAccepted(durability: string): void
  collectRejected(code: number | string): void
  /** A write of the store, which carries the commits of one turn. */
  storeCommit(seconds: number): void
  storeFlush(seconds: number): void
  storeRecordCorrupt(): void
  /** A round of the sweep: profiles evaluated, and how late the oldest of them was. */
  sweepRound(profiles: number, lagSeconds: number): void
  deliveryAttempt(kind: string, result: string, seconds: number): void
  deliveryDead(reason: string): void
  egressDenied(reason: string): void
  redirectBlocked(reason: string): void
  consentDecision(basis: string, result: string): void
  optOut(level: string): void
  authFailure(kind: string): void
  rateLimited(scope: string): void
  auditEntry(): void
  clockJump(): void
  /** Read when the page is asked for; a source that fails leaves its figure as it was. */
  watch(sources: MetricSources): void
  /** Every metric there is, for the documentation. */
  describe(): readonly MetricDescription[]
  /** The page, Prometheus text format 0.0.4. */
  text(): Promise<string>
  readonly contentType: string
  close(): void
}

/** One metric: its labels are few and fixed. */
export interface MetricDescription {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly labels: readonly string[]
}

type Reading<T> = () => T | Promise<T>

export interface MetricSources {
  readonly storeBytes?: Reading<Readonly<Record<string, number>>>
  readonly diskFreeBytes?: Reading<number>
  /** Messages by state: `waiting`, `sending`, `retrying`. */
  readonly outboxMessages?: Reading<Readonly<Record<string, number>>>
  readonly outboxOldestSeconds?: Reading<number>
  /** Destinations whose circuit breaker is open. */
  readonly breakerOpen?: Reading<number>
}

const FAST_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]
const NETWORK_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3, 5, 15, 30]
/** A label that free text could reach by mistake stops growing here. */
const VALUES_OF_A_LABEL_MAX = 100

export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const flushes: (() => void)[] = []
  const flush = () => {
    for (const each of flushes) each()
  }
  const counter = (name: string, help: string, labelNames: string[] = []) => {
    const inner = countingBy(new Counter({ name: `usher_${name}`, help, labelNames, registers }), labelNames.length)
    flushes.push(inner.flush)
    return inner.count
  }
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name: `usher_${name}`, help, buckets, registers })

  const requests = counter('http_requests_total', 'Requests answered', ['route', 'code'])
  const requestSeconds = new PlainHistogram(
    'usher_http_request_seconds',
    'From the last byte of a request to its answer',
    FAST_SECONDS,
  )
  const accepted = counter('collect_accepted_total', 'Collection calls acknowledged, by promised durability', [
    'durability',
  ])
  const rejected = counter('collect_rejected_total', 'Collection calls refused, by numbered error', ['code'])
  const commitSeconds = histogram(
    'store_commit_seconds',
    'Time of a write to the store; one carries the commits of one turn',
    FAST_SECONDS,
  )
  const flushSeconds = histogram('store_flush_seconds', 'Time of a write that waited for the device', FAST_SECONDS)
  const swept = new Counter({
    name: 'usher_sweep_profiles_total',
    help: 'Profiles evaluated because their time had come',
    registers,
  })
  const sweepLag = new Gauge({
    name: 'usher_sweep_lag_seconds',
    help: 'How late the oldest profile of the last round of the sweep was',
    registers,
  })
  const corrupt = counter(
    'store_record_corrupt_total',
    'Stored records, and places of stored files, that failed their checksum',
  )
  const attempts = counter('delivery_attempts_total', 'Attempts to deliver', ['kind', 'result'])
  const deliverySeconds = histogram('delivery_seconds', 'Time of an attempt to deliver', NETWORK_SECONDS)
  const dead = counter('delivery_dead_total', 'Messages that went to the dead letters', ['reason'])
  const denied = counter('egress_denied_total', 'Outgoing connections refused by address rules', ['reason'])
  const blocked = counter('redirect_blocked_total', 'Redirects of ID syncs and clicks refused', ['reason'])
  const consent = counter('consent_decisions_total', 'Consent decisions', ['basis', 'result'])
  const optOuts = counter('optout_total', 'Opt-outs recorded', ['level'])
  const authFailures = counter('auth_failures_total', 'Refused sign-ins and tokens', ['kind'])
  const limited = counter('rate_limited_total', 'Requests answered 429', ['scope'])
  const audited = counter('audit_entries_total', 'Entries of the audit log')
  const jumps = counter('clock_jump_total', 'Jumps of the wall clock that were noticed')
  const gauges = createGauges(registers)
  const delay = watchEventLoop(registers)

  return {
    httpRequest(route, code, seconds) {
      requests(route, String(code))
      requestSeconds.observe(seconds)
    },
    collectAccepted: (durability) => accepted(durability),
    collectRejected: (code) => rejected(String(code)),
    storeCommit: (seconds) => commitSeconds.observe(seconds),
    storeFlush: (seconds) => flushSeconds.observe(seconds),
    storeRecordCorrupt: () => corrupt(),
    sweepRound(profiles, lagSeconds) {
      swept.inc(profiles)
      sweepLag.set(lagSeconds)
    },
    deliveryAttempt(kind, result, seconds) {
      attempts(kind, result)
      deliverySeconds.observe(seconds)
    },
    deliveryDead: (reason) => dead(reason),
    egressDenied: (reason) => denied(reason),
    redirectBlocked: (reason) => blocked(reason),
    consentDecision: (basis, result) => consent(basis, result),
    optOut: (level) => optOuts(level),
    authFailure: (kind) => authFailures(kind),
    rateLimited: (scope) => limited(scope),
    auditEntry: () => audited(),
    clockJump: () => jumps(),
    watch: (sources) => gauges.watch(sources),
    describe: () => [...registry.getMetricsAsArray().map(describe), describe(requestSeconds)],
    async text() {
      await gauges.read()
      flush()
      return `${await registry.metrics()}${requestSeconds.render()}`
    },
    contentType: registry.contentType,
    close: () => void delay.disable(),
  }
}

function describe(metric: object): MetricDescription {
  // What prom-client keeps of a metric, beside its values; the class says its kind.
  const { name, help, labelNames = [] } = metric as { name: string; help: string; labelNames?: string[] }
  return { name, help, labels: labelNames, type: metric.constructor.name.replace('Plain', '').toLowerCase() }
}

/** A count by labels, kept here until the page is asked for: finding a child by its labels costs more than counting. */
function countingBy(
  counter: Counter,
  labels: number,
): { readonly count: (...values: string[]) => void; readonly flush: () => void } {
  const counts = new Map<string, number>()
  if (labels === 0) counter.inc(0)
  return {
    count(...values) {
      const name = values.length === 1 ? (values[0] as string) : values.join(SEPARATOR)
      const known = counts.get(name)
      if (known !== undefined) counts.set(name, known + 1)
      else if (counts.size < VALUES_OF_A_LABEL_MAX) counts.set(name, 1)
      else counts.set(OTHER, (counts.get(OTHER) ?? 0) + 1)
    },
    flush() {
      for (const [name, count] of counts) {
        if (count === 0) continue
        const values = name === OTHER ? Array.from({ length: labels }, () => 'other') : name.split(SEPARATOR)
        counter.labels(...values.slice(0, labels)).inc(count)
        counts.set(name, 0)
      }
    },
  }
}

const SEPARATOR = '\u0000'
const OTHER = '\u0000other'

function createGauges(registers: Registry[]) {
  const plain = (name: string, help: string) => new Gauge({ name: `usher_${name}`, help, registers })
  const storeBytes = new Gauge({
    name: 'usher_store_bytes',
    help: 'Bytes on the device',
    labelNames: ['kind'],
    registers,
  })
  const outbox = new Gauge({
    name: 'usher_outbox_messages',
    help: 'Messages that wait',
    labelNames: ['state'],
    registers,
  })
  const diskFree = plain('disk_free_bytes', 'Bytes free on the device of the data directory')
  const oldest = plain('outbox_oldest_seconds', 'Age of the oldest waiting message')
  const breakers = plain('breaker_open', 'Destinations whose circuit breaker is open')
  let watched: MetricSources = {}
  const setAll = (gauge: Gauge, label: string) => (values: Readonly<Record<string, number>>) => {
    for (const [name, value] of Object.entries(values)) gauge.set({ [label]: name }, value)
  }
  return {
    watch: (sources: MetricSources) => {
      watched = { ...watched, ...sources }
    },
    read: () =>
      Promise.all([
        tell(watched.storeBytes, setAll(storeBytes, 'kind')),
        tell(watched.outboxMessages, setAll(outbox, 'state')),
        tell(watched.diskFreeBytes, (value) => diskFree.set(value)),
        tell(watched.outboxOldestSeconds, (value) => oldest.set(value)),
        tell(watched.breakerOpen, (value) => breakers.set(value)),
      ]),
  }
}

async function tell<T>(source: Reading<T> | undefined, set: (value: T) => void): Promise<void> {
  try {
    if (source !== undefined) set(await source())
  } catch {
    // The page must answer while a store is in trouble; readiness tells that it is.
  }
}

/** Longest pauses of the event loop since the page was last read. */
function watchEventLoop(registers: Registry[]): IntervalHistogram {
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()
  new Gauge({
    name: 'usher_event_loop_lag_seconds',
    help: 'Delay of the event loop since the last reading',
    labelNames: ['quantile'],
    registers,
    collect() {
      this.set({ quantile: '0.5' }, delay.percentile(50) / 1e9)
      this.set({ quantile: '0.99' }, delay.percentile(99) / 1e9)
      this.set({ quantile: '1' }, delay.max / 1e9)
      delay.reset()
    },
  })
  return delay
}
