import type { DeliveryDetail as StoredDetail } from '../../../src/contract.ts'

export type {
  AttentionItem,
  FlowAnswer,
  LedgerRow,
  LiveRates,
  Overview,
  OverviewWindow,
  SeriesPoint,
  SessionView as Session,
} from '../../../src/contract.ts'

/** Members that the server adds to shapes of the contract. */
interface ToldSegment {
  readonly sid: number
  readonly name: string
  readonly code: string
}

export type DeliveryDetail = Omit<StoredDetail, 'users'> & {
  readonly destinationName?: string
  readonly signature?: {
    readonly header: string
    readonly sent: string
    readonly recomputed: string
    readonly matches: boolean
    readonly algorithm: string
    readonly keyNumber: number
    readonly signedBytes: number
  } | null
  /** How many they are, where the server does not name them. */
  readonly users: readonly DeliveryUser[] | number
}

export interface DeliveryUser {
  readonly profileId: string
  readonly partnerIds: readonly { readonly dataSourceId: number; readonly id: string }[]
  readonly active: readonly ToldSegment[]
  readonly inactive: readonly ToldSegment[]
}

export interface Found {
  readonly kind: 'segment' | 'trait' | 'destination' | 'data_source' | 'profile' | 'message'
  readonly id: string | number
  readonly name: string
  readonly detail: string | null
}
