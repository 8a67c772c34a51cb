import { startTestAdmin } from '../../src/testkit/start-test-admin.ts'
import { acts, type Check, pair } from './check.ts'

/** What is done with messages by hand: the order as it arrives; other tests show that each part of it is kept to. */

const ordered =
  (route: 'replay' | 'discard') =>
  (member: string, values: readonly [unknown, unknown], rest: object = {}): Check =>
    acts(() =>
      pair(values, async (value) => {
        const orders: unknown[] = []
        const take = (one: unknown) => {
          orders.push(one)
          return Promise.resolve({ matched: 0, queued: 0, discarded: 0 })
        }
        await using server = await startTestAdmin({ replays: { start: take, discard: take } } as never)
        await server.call('POST', `/v1/deliveries/${route}`, { ...rest, [member]: value })
        return JSON.stringify(orders)
      }),
    )
const order = ordered('replay')
const discard = ordered('discard')
const byId = { deliveryIds: ['dl_1'] }
const some = { destinationId: 1 }

export const deliveryChecks = {
  'deliveries/replay.destinationId': order('destinationId', [1, 2]),
  'deliveries/replay.deviceId': order('deviceId', ['1'.padStart(38, '0'), '2'.padStart(38, '0')]),
  'deliveries/replay.segmentId': order('segmentId', [1, 2]),
  'deliveries/replay.status': order('status', ['dead', 'acknowledged']),
  'deliveries/replay.reason': order('reason', ['http_400', 'http_500']),
  'deliveries/replay.from': order('from', ['2026-11-01T00:00:00Z', '2026-11-02T00:00:00Z'], some),
  'deliveries/replay.to': order('to', ['2026-11-01T00:00:00Z', '2026-11-02T00:00:00Z'], some),
  'deliveries/replay.deliveryIds': order('deliveryIds', [['dl_1'], ['dl_2']]),
  'deliveries/replay.dryRun': order('dryRun', [true, false], byId),
  'deliveries/replay.as': order('as', ['same', 'current'], byId),
  'deliveries/replay.perSecond': order('perSecond', [1, 2], byId),

  'deliveries/discard.destinationId': discard('destinationId', [1, 2]),
  'deliveries/discard.deviceId': discard('deviceId', ['1'.padStart(38, '0'), '2'.padStart(38, '0')]),
  'deliveries/discard.segmentId': discard('segmentId', [1, 2]),
  'deliveries/discard.reason': discard('reason', ['http_400', 'http_500']),
  'deliveries/discard.from': discard('from', ['2026-11-01T00:00:00Z', '2026-11-02T00:00:00Z'], some),
  'deliveries/discard.to': discard('to', ['2026-11-01T00:00:00Z', '2026-11-02T00:00:00Z'], some),
  'deliveries/discard.deliveryIds': discard('deliveryIds', [['dl_1'], ['dl_2']]),
  'deliveries/discard.dryRun': discard('dryRun', [true, false], byId),
  'deliveries/discard.withoutDestination': discard('withoutDestination', [true, false], byId),
} satisfies Record<string, Check>
