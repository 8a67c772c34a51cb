import type { DataSourceId, DestinationId, DeviceId, EventId, TraitId } from './ids.ts'
import type { ReadonlySignals } from './signals.ts'

/** 0 unknown, 1 authenticated, 2 logged out [COL-89]. */
export type AuthState = 0 | 1 | 2

/** A declared ID whose data source is known and may be used. */
export interface DeclaredId {
  readonly dataSourceId: DataSourceId
  readonly id: string
  readonly authState: AuthState
}

/** `event`: rules are evaluated [COL-6..]; `sync` (`/ibs:`) and `id` (`/id`) store IDs only [COL-177]. */
export type EventKind = 'event' | 'sync' | 'id'

/** One collected call, resolved to a device. */
export interface Event {
  readonly id: EventId
  readonly kind: EventKind
  readonly receivedAtMs: number
  readonly deviceId: DeviceId
  /** Valid declared IDs in request order, at most 10 [COL-86]. */
  readonly declaredIds: readonly DeclaredId[]
  readonly signals: ReadonlySignals
  /** Traits named directly (`d_sid`) [COL-194]. */
  readonly traitIds: readonly TraitId[]
  /** Only traits of this data source are realized (`d_tdpid`); `null`: named but unknown, so none is [COL-49], [COL-50]. */
  readonly onlyDataSourceId: DataSourceId | null | undefined
  readonly region: number
  readonly consent: ConsentDecision
}

/** One decision with four independent answers, taken before any read or write keyed to the visitor [SEC-73]. */
export interface ConsentDecision {
  readonly cookie: boolean
  readonly store: boolean
  /** May IDs be synced with this partner? */
  readonly syncDenied: boolean
  /** Destinations that may not be told; empty when all may, `ALL_DESTINATIONS` when none may. */
  readonly deniedDestinations: readonly DestinationId[]
  /** `none_applies`, `tcf_granted`, `tcf_purpose_1`, `tcf_vendor`, `tcf_missing`, `opt_out`, ... */
  readonly reason: string
  readonly fingerprint: string
}
