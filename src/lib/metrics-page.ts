import { createMetrics } from './metrics.ts'

/** What deserves an alarm, in the order in which it should wake somebody. */
const ALARMS = [
  ['`usher_disk_free_bytes` below 10 % of the disk', 'near its end events are refused, opt-outs are not'],
  [
    '`increase(usher_store_record_corrupt_total[1h]) > 0`',
    'the device damages data: run `usher verify` ([damage.md](damage.md))',
  ],
  ['`usher_breaker_open > 0` for 15 minutes', 'a partner is down; its messages wait on disk'],
  ['`usher_outbox_oldest_seconds > 3600`', 'a destination falls behind'],
  ['`increase(usher_delivery_dead_total[1h]) > 0`', 'messages were given up, each with its reason; replay them'],
  ['`usher_event_loop_lag_seconds{quantile="1"} > 0.05`', 'something holds up the collection edge'],
  ['`usher_sweep_lag_seconds > 60`', 'memberships that time ends are told late'],
  ['`increase(usher_clock_jump_total[1d]) > 0`', 'the clock of the machine leapt: `bin/usher clock` says what to do'],
] as const

/** The documentation page, `docs/metrics.md`. */
export function renderMetricsPage(): string {
  const metrics = createMetrics()
  metrics.close()
  const rows = metrics.describe().map(({ name, type, help, labels }) => {
    return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`
  })
  return `# Metrics

<!-- Written by scripts/docs.mjs from src/lib/metrics.ts. Change it there. -->

\`GET /metrics\` on the admin listener answers in the text format of Prometheus: to this machine as it is, to others with the
administrator's token. Labels are few and fixed: no IDs of visitors, no addresses, no free text. Counters begin at 0 with
each start.

## What deserves an alarm

| When | Because |
|---|---|
${ALARMS.map(([when, because]) => `| ${when} | ${because} |`).join('\n')}

## All of them

| Name | Kind | Labels | What it tells |
|---|---|---|---|
${rows.join('\n')}
`
}
