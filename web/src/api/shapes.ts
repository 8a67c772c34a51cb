import type { DeliveryDetail as StoredDetail } from '../../../src/contract.ts'

/** What the server answers to the admin UI alone, and members it adds to shapes of the contract. Times are ISO 8601 UTC. */
export interface Session {
  readonly user: { readonly name: string }
  readonly expiresAt: string
}

export type OverviewWindow = '1h' | '24h'

export interface Figures {
  readonly eventsPerSecond: number
  readonly eventsPeakPerSecond: number
  readonly events: number
  readonly profilesSeen: number
  readonly entered: number
  readonly left: number
  readonly acknowledged: number
  readonly dead: number
  readonly waiting: number
  readonly retrying: number
  /** 0 to 1; null when nothing has ended yet. */
  readonly acknowledgedShare: number | null
  readonly eventToPartnerMs: { readonly median: number; readonly p99: number } | null
}

export interface SeriesPoint {
  readonly at: string
  readonly events: number
  readonly entered: number
  readonly left: number
  readonly acknowledged: number
  readonly dead: number
  readonly medianMs: number | null
}

export interface FlowAnswer {
  readonly sources: readonly { readonly dataSourceId: number; readonly name: string; readonly events: number }[]
  readonly traits: readonly { readonly sid: number; readonly name: string; readonly realized: number }[]
  readonly segments: readonly { readonly sid: number; readonly name: string; readonly entered: number }[]
  readonly destinations: readonly {
    readonly destinationId: number
    readonly name: string
    readonly acknowledged: number
    readonly waiting: number
    readonly dead: number
  }[]
  /** Ends are `source:2001`, `trait:100001`, `segment:100007`, `destination:423`. */
  readonly links: readonly { readonly from: string; readonly to: string; readonly count: number }[]
}

export interface AttentionItem {
  readonly kind: 'breaker_open' | 'paused' | 'dead_letters' | 'backlog' | 'disk' | 'private_destinations' | 'clock'
  readonly severity: string
  readonly destinationId: number | null
  readonly name: string | null
  readonly count: number | null
  readonly since: string | null
  readonly reason: string | null
}

export interface LedgerRow {
  readonly destinationId: number
  readonly name: string
  readonly acknowledged: number
  readonly waiting: number
  readonly dead: number
  readonly blocked: number
}

export interface Overview {
  readonly at: string
  readonly since: string
  readonly figures: Figures
  readonly series: readonly SeriesPoint[]
  readonly flow: FlowAnswer
  readonly needsAttention: readonly AttentionItem[]
  readonly ledger: readonly LedgerRow[]
}

export interface LiveRates {
  readonly at: string
  readonly eventsPerSecond: number
  readonly membershipsPerSecond: number
  readonly deliveriesPerSecond: number
}

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
