export type {
  AttentionItem,
  Delivery,
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
