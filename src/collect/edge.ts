import { randomBytes } from 'node:crypto'
import { domainToASCII } from 'node:url'
import type { Clock } from '../model/clock.ts'
import type { CallHandler } from '../model/collected-call.ts'
import type { DeniedKind } from '../model/deny-entry.ts'
import type { Directory } from '../model/directory.ts'
import { Callers } from './callers.ts'
import { TrustedProxies } from './client-address.ts'
import { DenyList } from './deny-list.ts'
import { DeviceKeys } from './device-keys.ts'
import type { EdgeConfig } from './edge-config.ts'
import { type HostFacts, hostReader } from './hosts.ts'
import { OptOutTools } from './opt-out-tools.ts'
import { RequestCounter } from './request-counter.ts'

/** What the parts of the edge share; one for each listener. */
export interface Edge {
  readonly config: EdgeConfig
  readonly handler: CallHandler
  readonly directory: () => Directory
  readonly clock: Clock
  /** Names of the checks that fail; empty: able to work [OPS-12]. */
  readonly ready: () => readonly string[]
  readonly overloaded: () => boolean
  readonly events: EdgeEvents
  readonly readHost: (header: string | undefined) => HostFacts | undefined
  readonly trustedProxies: TrustedProxies
  readonly callers: Callers
  readonly optOutTools: OptOutTools
  readonly denyList: DenyList
  readonly onCallerOver: (kind: DeniedKind) => void
  /** Requests of each address in the current second [COL-113]. */
  readonly requestRates: RequestCounter
  readonly organizations: ReadonlySet<string>
  readonly deviceKeys: DeviceKeys
  readonly firstVisitKey: Buffer
  /** As browsers write them: lower case, letters of other alphabets as `xn--`. */
  readonly refererHosts: readonly string[]
}

/** One answered request, for logs and metrics; holds nothing about the visitor. */
export interface RequestRecord {
  readonly route: string
  readonly status: number
  readonly durationMs: number
  readonly codes: readonly number[]
  readonly eventId: string
}

/** What the edge tells about itself; all may be left out. */
export interface EdgeEvents {
  onRequest?(record: RequestRecord): void
  /** A code of section 7, or a short name (`url_too_long`, `parameters`, `shed`, ...), for each refusal [SEC-02]. */
  onRejected?(code: string): void
  /** What was decided about the consent of a call: why, and whether it is `free`, `granted`, `declined` or `missing` [SEC-73]. */
  onConsent?(reason: string, result: string): void
  /** A redirect that was not made [SEC-17]. */
  onRedirectBlocked?(reason: string): void
  /** An ID passed its limit through calls of a listed caller: nobody is refused for that [COL-146]. */
  onCallerOverLimit?(kind: DeniedKind): void
  /** Trouble of ours while a call was answered; `eventId` is in the answer [SEC-12]. */
  onFault?(error: unknown, eventId: string): void
}

export interface EdgeParts extends EdgeEvents {
  readonly config: EdgeConfig
  readonly handler: CallHandler
  readonly directory: () => Directory
  readonly clock: Clock
  readonly ready: () => readonly string[]
  readonly overloaded?: () => boolean
  /** The one that is kept over restarts; without it the list lives as long as the listener. */
  readonly denyList?: DenyList
  /** 32 bytes that every edge of the installation shares; without it the IDs of first visits last as long as the listener. */
  readonly firstVisitKey?: Buffer
}

/** Below this many slots a handful of addresses would count each other down. */
const RATE_SLOTS = 16_384

/** @throws RangeError when a trusted proxy, a caller or an opt-out tool is not what it should be */
export function createEdge(parts: EdgeParts): Edge {
  return {
    config: parts.config,
    handler: parts.handler,
    directory: parts.directory,
    clock: parts.clock,
    ready: parts.ready,
    overloaded: parts.overloaded ?? (() => false),
    events: parts,
    readHost: hostReader(parts.config),
    trustedProxies: new TrustedProxies(parts.config.trustedProxies),
    callers: new Callers(parts.config.callers),
    optOutTools: new OptOutTools(parts.config.optOutTools),
    denyList: parts.denyList ?? new DenyList(parts.config.denyList),
    onCallerOver: (kind) => parts.onCallerOverLimit?.(kind),
    requestRates: new RequestCounter(1000, RATE_SLOTS),
    organizations: new Set(parts.config.organizations),
    deviceKeys: new DeviceKeys(),
    firstVisitKey: parts.firstVisitKey ?? randomBytes(32),
    refererHosts: parts.config.refererHosts.map((host) => domainToASCII(host) || host.toLowerCase()),
  }
}
