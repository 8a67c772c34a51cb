import type { ConsentDecision, DeclaredId, EventKind } from './event.ts'
import type { DataSourceId, DeviceId, EventId, SegmentId, TraitId } from './ids.ts'
import type { ReadonlySignals } from './signals.ts'

/** A numbered error or warning of a collection answer; order of detection, repeats kept [COL-114], [COL-115]. */
export interface CallError {
  readonly code: number
  readonly msg: string
}

/**
 * What the edge understood of one call, before anything was looked up. Wire names end here. Everything in it is valid
 * in form; what was not is already in `errors` and left out.
 */
export interface CollectedCall {
  readonly eventId: EventId
  readonly kind: EventKind
  readonly receivedAtMs: number
  /** Valid `d_uuid`. */
  readonly deviceId: DeviceId | undefined
  /** Valid `d_mid`: 38 digits, an ECID of `organization`. */
  readonly ecid: string | undefined
  /** `d_orgid`, or the organization of the alias; the empty string when neither is known. */
  readonly organization: string
  /** Whether the call itself carried `d_orgid`: then a declared ID never names the device [COL-69]. */
  readonly hasOrganization: boolean
  /** Value of the `demdex` cookie when it is a device ID. `NOTARGET` never gets this far [COL-69]. */
  readonly cookieDeviceId: DeviceId | undefined
  /** The ID that a new device gets, where the call says of which first visit it is; undefined: any. */
  readonly firstDeviceId: DeviceId | undefined
  /** Declared IDs in request order, data source known and permitted, at most 10 [COL-84]..[COL-87]. */
  readonly declaredIds: readonly DeclaredId[]
  readonly signals: ReadonlySignals
  readonly traitIds: readonly TraitId[]
  readonly onlyDataSourceId: DataSourceId | null | undefined
  readonly region: number
  readonly consent: ConsentDecision
  /** The call asked for the profile's traits and segments (`d_cts`). */
  readonly wantsMemberships: boolean
  readonly errors: readonly CallError[]
}

/** How the device of a call was found, in the order of [COL-69]; decides the cookie [COL-259]. */
export type DeviceSource = 'parameter' | 'ecid' | 'cookie' | 'declared' | 'new'

export type CallOutcome =
  | {
      readonly status: 'processed'
      readonly deviceId: DeviceId
      readonly source: DeviceSource
      /** ECID of the device for the call's organization; the empty string without one. */
      readonly ecid: string
      /** What the profile holds after this call, when the call asked for it [COL-47]. */
      readonly traits: readonly TraitId[]
      readonly segments: readonly SegmentId[]
      readonly errors: readonly CallError[]
    }
  /** Opted out: nothing was stored. `id` is the one the opt-out was found under [COL-233]. */
  | {
      readonly status: 'opted_out'
      readonly id: string
      readonly level: OptOutLevel
      readonly errors: readonly CallError[]
    }
  /** Consent does not allow storing: nothing was stored. */
  | { readonly status: 'not_stored'; readonly errors: readonly CallError[] }

export type OptOutLevel = 'global' | 'partner'

/** An opt-out call: `/demoptout.jpg`, `/demoptout`, or consent declined with a partner [COL-245]. */
export interface OptOutCall {
  readonly eventId: EventId
  readonly receivedAtMs: number
  readonly level: OptOutLevel
  readonly reason: 'request' | 'consent'
  readonly deviceId: DeviceId | undefined
  readonly ecid: string | undefined
  readonly organization: string
  readonly cookieDeviceId: DeviceId | undefined
  readonly declaredIds: readonly DeclaredId[]
  /** `d_dpid` and `d_dpuuid` in the deprecated form: stored under the latest device of the pair [COL-230]. */
  readonly deprecatedPair: DeclaredId | undefined
}

export interface OptOutOutcome {
  /** The IDs now opted out, device IDs bare, declared IDs as `dpid:id`. */
  readonly ids: readonly string[]
  /** The device made for an opt-out that named none [COL-230]. */
  readonly deviceId: DeviceId | undefined
}

/** What the edge asks of the rest. Implemented by the pipeline. A rejection means trouble of ours: error 0 [SEC-11]. */
export interface CallHandler {
  process(call: CollectedCall): Promise<CallOutcome>
  /** Resolves when the opt-out is durable on disk [SEC-79]. */
  optOut(call: OptOutCall): Promise<OptOutOutcome>
  /** Is any of these opted out? Creates nothing [COL-261]. */
  optOutStatus(
    call: Pick<CollectedCall, 'deviceId' | 'ecid' | 'organization' | 'cookieDeviceId' | 'declaredIds'>,
  ): Promise<OptOutLevel | undefined>
}
