import type { DestinationType } from '../activation/destinations/define-destination.ts'
import type { JsonSchema } from '../activation/destinations/settings-schema.ts'
import type {
  Delivery,
  DeliveryDetail,
  DenyListEntry,
  DiscardAnswer,
  ExplainView,
  Overview,
  OverviewWindow,
  ProfileView,
  Replay,
  ReplayAnswer,
  ReplayDetail,
  ReplayOutcome,
} from '../contract.ts'
import type { AdjustableClock } from '../lib/clock.ts'
import type { ClockReading } from '../lib/clock-guard.ts'
import type { LiveFeed } from '../lib/live-feed.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { DeliveryStatus, DestinationHealth } from '../model/delivery.ts'
import type { Catalog } from '../store/catalog/catalog.ts'
import type { BackupDesk } from './backups.ts'
import type { Verifier } from './verify.ts'

/** What the admin server works with; `main` wires it. Each route takes only what it uses. */
export interface AdminParts {
  readonly config: AdminConfig
  readonly catalog: Catalog
  readonly rules: RuleChecker
  readonly destinationTypes: DestinationTypes
  readonly profiles: ProfileReader
  readonly deliveries: DeliveryReader
  /** Undefined in a process that does not deliver. */
  readonly replays: ReplayControl | undefined
  readonly denyList: DenyListDesk
  readonly overview: OverviewReader
  readonly live: Pick<LiveFeed, 'subscribe'>
  /** Where the built UI is: `dist/web`. */
  readonly uiFolder: string
  /** Undefined in a process that does not deliver. */
  readonly delivery: DeliveryControl | undefined
  readonly verifier: Verifier
  readonly backups: BackupDesk
  readonly clock: Pick<AdjustableClock, 'now' | 'advance'> & ClockDesk
  /** Names of the checks that fail; empty: able to do its roles [OPS-12], [SEC-86]. */
  readonly ready: () => Promise<readonly string[]> | readonly string[]
  readonly metrics: Pick<Metrics, 'text' | 'contentType' | 'httpRequest' | 'authFailure' | 'rateLimited'>
  readonly log: Log
  /** Of the product. */
  readonly version: string
  readonly durability: string
}

/** The machine's clock, and an operator's word on it [SEC-82]. */
export interface ClockDesk {
  readonly reading: () => ClockReading
  readonly confirm: () => void
  /** How far the test switch moved the clock; the reading is without it. */
  readonly offsetMs: () => number
}

export interface AdminConfig {
  readonly host: string
  readonly port: number
  /** PEM. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
  /** A proxy in front ends TLS: cookies are for encrypted connections only. */
  readonly tlsEndedInFront?: boolean | undefined
  /** Bearer tokens with full rights, at least 24 characters each: the configured one and this machine's [OPS-14], [OPS-22]. */
  readonly adminTokens: readonly string[]
  /** Switches the test clock off [OPS-27]. */
  readonly production: boolean
  /** Requests a second for each token, and each address without one; default 100 [API-35]. */
  readonly requestsPerSecond?: number | undefined
  /** Requests that may come at once after a pause; default 10 seconds' worth. */
  readonly requestBurst?: number | undefined
}

export type RuleVerdict<Valid> =
  | (Valid & { readonly ok: true })
  | { readonly ok: false; readonly message: string; readonly position: number }

/** The languages of trait and segment rules, which the audience room speaks. */
export interface RuleChecker {
  /** In slices: the regular expressions of one rule may take seconds to compile. */
  checkTraitRule(text: string): Promise<RuleVerdict<{ readonly normalized: string; readonly hints: readonly string[] }>>
  /** @param options `traits`: what is known of a trait; undefined: there is no such trait */
  parseSegmentRule(
    text: string,
    options?: { readonly traits?: (sid: never) => { readonly recencyAllowed: boolean } | undefined },
  ): RuleVerdict<{
    readonly normalized: string
    readonly traitIds: readonly number[]
    readonly rule: unknown
    readonly hints: readonly string[]
  }>
}

/** The types of destinations, in the order they are listed. */
export type DestinationTypes = readonly DestinationTypeDesk[]

/** What the API does with the settings of one type of destination. */
export interface DestinationTypeDesk
  extends Pick<DestinationType, 'type' | 'member' | 'title' | 'description' | 'can'> {
  /** What may be sent, or what is shown. */
  schema(side: 'sent' | 'shown'): JsonSchema
  /** Secrets in clear; fills in defaults. A path is dotted, from the object of settings on. */
  parse(
    input: unknown,
  ):
    | { readonly ok: true; readonly config: unknown }
    | { readonly ok: false; readonly issues: readonly { readonly path: string; readonly message: string }[] }
  /** Each secret as `{set: true, last4, fingerprint}` [SEC-63]; `generated` ones with their `value`, this one time [OPS-50]. */
  redact(config: unknown, generated?: readonly string[]): unknown
  /** Makes the signing keys that `next` leaves out. */
  withGeneratedKeys(
    previous: unknown,
    next: unknown,
  ): { readonly config: unknown; readonly generated: readonly string[] }
  /** Puts stored secrets where `next` shows them redacted; an issue says where it shows one that is not there. */
  merge(
    previous: unknown,
    next: unknown,
  ): { readonly config: unknown; readonly issues: readonly { readonly path: string; readonly message: string }[] }
  /** Data sources that the settings name. */
  dataSources(config: unknown): readonly number[]
}

export interface ProfileReader {
  /** Profiles that a text can mean: a device ID, a data source and its ID, or an ID of any data source. Known ones only. */
  find(text: string): Promise<readonly FoundProfile[]>
  /** @param id a device ID, or `dpid:partnerId`. @returns undefined when nothing is known */
  profile(id: string): Promise<ProfileView | undefined>
  /** @returns undefined when the profile or the segment is unknown */
  explain(id: string, segmentId: number, atMs?: number): Promise<ExplainView | undefined>
}

export interface FoundProfile {
  /** As `profile` takes it. */
  readonly id: string
  /** Name of the data source of a declared ID. */
  readonly dataSource: string | null
}

export interface DeliveryFilter {
  /** A delivery ID, a device ID, or a partner ID with or without its data source. */
  readonly q?: string | undefined
  readonly destinationId?: number | undefined
  readonly deviceId?: string | undefined
  readonly segmentId?: number | undefined
  readonly status?: DeliveryStatus | undefined
  readonly reason?: string | undefined
  readonly fromMs?: number | undefined
  readonly toMs?: number | undefined
}

/** An operator's hand on delivery; the destination exists. */
export interface DeliveryControl {
  health(destinationId: number): DestinationHealth
  /** Resolves when it is stored. */
  pause(destinationId: number): Promise<void>
  resume(destinationId: number): Promise<void>
}

export interface DeliveryReader {
  /** Newest first. */
  list(
    filter: DeliveryFilter,
    window: { readonly page: number; readonly pageSize: number },
  ): Promise<{ readonly total: number; readonly list: readonly Delivery[] }>
  get(id: string): Promise<DeliveryDetail | undefined>
}

/** What is sent again by hand [SEC-48]. */
export interface DiscardOrder extends Pick<ReplayOrder, 'select' | 'dryRun'> {
  /** Only those whose destination was deleted. */
  readonly withoutDestination: boolean
}

export interface ReplayControl {
  start(request: ReplayOrder): Promise<ReplayAnswer | 'too_many'>
  /** Lets dead letters go. */
  discard(order: DiscardOrder): Promise<DiscardAnswer>
  /** Newest first. */
  list(window: PageWindow): { readonly total: number; readonly list: readonly Replay[] }
  get(
    replayId: string,
    window: PageWindow & { readonly outcome?: ReplayOutcome | undefined },
  ): Promise<ReplayDetail | undefined>
  /** Resolves when nothing more of it is begun. @returns how it stands then */
  cancel(replayId: string): Promise<Replay | 'ended' | 'unknown'>
}

export interface PageWindow {
  /** From 0. */
  readonly page: number
  readonly pageSize: number
}

export interface OverviewReader {
  read(window: OverviewWindow): Promise<Overview>
}

export interface DenyListFilter {
  readonly idType?: DenyListEntry['idType'] | undefined
  readonly dataSourceId?: number | undefined
  readonly id?: string | undefined
}

export interface DenyListDesk {
  /** Entries that hold now, the longest blocked first. */
  list(
    filter: DenyListFilter,
    window: { readonly page: number; readonly pageSize: number },
  ): Promise<{ readonly total: number; readonly list: readonly DenyListEntry[] }>
  /** @returns `off` while the configuration does not allow it. @throws StoreUnavailableError; safe to repeat */
  remove(entryId: string): Promise<'removed' | 'unknown' | 'off'>
}

export interface ReplayOrder {
  readonly select: { readonly deliveryIds: readonly string[] } | { readonly filter: DeliveryFilter }
  /** Counts what would be sent. */
  readonly dryRun: boolean
  /** The stored bytes, or a new message of the state of today [SEC-41]. */
  readonly as: 'same' | 'current'
  /** Messages a second to each destination; undefined: as fast as it takes them. */
  readonly perSecond?: number | undefined
}
