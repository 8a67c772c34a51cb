import type { Delivery } from '../../../src/contract.ts'

export type {
  AttentionItem,
  DeliveryDetail,
  FlowAnswer,
  Found,
  LedgerRow,
  LiveRates,
  Overview,
  OverviewWindow,
  SeriesPoint,
  SessionView as Session,
} from '../../../src/contract.ts'

/** A message as the list tells it. What it names may be missing from a server of an earlier version. */
export type ListedDelivery = Delivery & {
  readonly destinationName?: string | null
  /** The first of them; `status` 1: told that users are in, 0: that they have left. */
  readonly segments?: readonly {
    readonly sid: number
    readonly name: string
    readonly status: 0 | 1
    readonly users: number
  }[]
  readonly segmentCount?: number
}
