import { readFileSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { createMetrics, type Metrics } from './metrics.ts'
import { renderMetricsPage } from './metrics-page.ts'

let metrics: Metrics | undefined
afterEach(() => metrics?.close())
const start = () => {
  metrics = createMetrics()
  return metrics
}

const NAMES = [
  'usher_http_requests_total',
  'usher_http_request_seconds',
  'usher_collect_accepted_total',
  'usher_collect_rejected_total',
  'usher_event_loop_lag_seconds',
  'usher_store_commit_seconds',
  'usher_store_flush_seconds',
  'usher_store_bytes',
  'usher_store_record_corrupt_total',
  'usher_disk_free_bytes',
  'usher_outbox_messages',
  'usher_outbox_oldest_seconds',
  'usher_delivery_attempts_total',
  'usher_delivery_seconds',
  'usher_delivery_dead_total',
  'usher_breaker_open',
  'usher_egress_denied_total',
  'usher_redirect_blocked_total',
  'usher_consent_decisions_total',
  'usher_optout_total',
  'usher_auth_failures_total',
  'usher_rate_limited_total',
  'usher_audit_entries_total',
  'usher_clock_jump_total',
  'usher_sweep_profiles_total',
  'usher_sweep_lag_seconds',
] // prettier-ignore

test('the page declares the promised names, all beginning with usher_ [SEC-87~] [OPS-43]', async () => {
  const page = await start().text()
  const declared = [...page.matchAll(/^# TYPE (\S+) /gm)].map((match) => match[1])
  expect(declared.sort()).toEqual([...NAMES].sort())
})

test('what is counted appears with its labels [SEC-87~]', async () => {
  const page = start()
  page.httpRequest('/event', 200, 0.002)
  page.httpRequest('/event', 200, 0.002)
  page.collectAccepted('disk')
  page.collectRejected(171)
  page.deliveryAttempt('realtime', 'acknowledged', 0.02)
  const text = await page.text()
  expect(text).toContain('usher_http_requests_total{route="/event",code="200"} 2')
  expect(text).toContain('usher_http_request_seconds_count 2')
  expect(text).toContain('usher_collect_accepted_total{durability="disk"} 1')
  expect(text).toContain('usher_collect_rejected_total{code="171"} 1')
  expect(text).toContain('usher_delivery_attempts_total{kind="realtime",result="acknowledged"} 1')
})

test('gauges are read when the page is asked for; a failing source does not break the page [SEC-87~]', async () => {
  const page = start()
  let free = 10
  page.watch({
    diskFreeBytes: () => free,
    outboxMessages: async () => ({ waiting: 3 }),
    breakerOpen: () => Promise.reject(new Error('x')),
  })
  await page.text()
  free = 20
  const text = await page.text()
  expect(text).toContain('usher_disk_free_bytes 20')
  expect(text).toContain('usher_outbox_messages{state="waiting"} 3')
  expect(text).toContain('usher_breaker_open 0')
})

test('a label never grows without bound: what is beyond counts as other [SEC-87~]', async () => {
  const page = start()
  for (let i = 0; i < 5_000; i++) page.deliveryDead(`reason ${i}`)
  const text = await page.text()
  expect(text.match(/^usher_delivery_dead_total\{/gm)?.length).toBe(101)
  expect(text).toContain('usher_delivery_dead_total{reason="other"} 4900')
})

test('the documentation names every metric with its labels, and alarms only on metrics there are [SEC-87~]', () => {
  const page = renderMetricsPage()
  for (const name of NAMES) expect(page, name).toContain(`| \`${name}\` |`)
  expect(page).toContain('| `usher_http_requests_total` | counter | `route`, `code` |')
  const alarmed = [...page.matchAll(/usher_\w+/g)].map(([name]) => name)
  expect(alarmed.filter((name) => !NAMES.includes(name))).toEqual([])
  expect(readFileSync('docs/metrics.md', 'utf8'), 'run: node scripts/docs.mjs').toBe(page)
})
