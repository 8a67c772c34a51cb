import { crc32 } from 'node:zlib'
import type { Definitions, Destination } from '../model/definitions.ts'
import type { DataSourceId, DestinationId, SegmentId } from '../model/ids.ts'
import type { StoredDelivery } from '../store/delivery-record.ts'
import type { ConfigIssue } from './destinations/config-issue.ts'
import type { BoundDestination, DestinationType } from './destinations/define-destination.ts'
import { destinationTypes } from './destinations/index.ts'
import { RUNNER_DEFAULTS, type RunnerSettings } from './destinations/runner-settings.ts'

/** The part of the rulebook that activation reads: destinations with real-time delivery and their mappings. Immutable. */
export interface DestinationRules {
  readonly version: number
  /** Those whose settings cannot be used are among them. */
  readonly byId: ReadonlyMap<DestinationId, DestinationRule>
  /** Every destination that exists, also without real-time delivery. */
  readonly existing: ReadonlySet<DestinationId>
  /** Where a segment is mapped. */
  readonly bySegment: ReadonlyMap<SegmentId, readonly MappingRule[]>
  /** Every segment that exists, and whether it is active; a paused one sends nothing [AUD-123]. */
  readonly segments: ReadonlyMap<SegmentId, boolean>
  /** Data sources whose IDs stand for a person: a link to one changes the device graph [OUT-31]. */
  readonly crossDeviceSources: ReadonlySet<DataSourceId>
  /** Differs when there may be something to take back of users who are not seen: what is mapped no more [OUT-58]; 0: never. */
  readonly unmapKey: number
}

export interface DestinationRule {
  readonly destinationId: DestinationId
  readonly name: string
  /** An inactive destination goes on being planned for; its markers wait. So do those of an unusable one. */
  readonly isActive: boolean
  /** Why its stored settings cannot be used, without their values; undefined: they can. `config` then stands in for them. */
  readonly unusable: string | undefined
  /** Tells it from another that had its id before. */
  readonly createdAtMs: number | undefined
  readonly config: RunnerSettings
  /** What its type makes of messages and answers. */
  readonly wire: Pick<BoundDestination, 'render' | 'read' | 'address' | 'isAsToday' | 'usersInRequest' | 'secrets'>
  /** Data sources whose IDs name the users, one message each [OUT-40]. */
  readonly userDpids: readonly DataSourceId[]
  readonly mappingVersion: number
  readonly mappings: ReadonlyMap<SegmentId, MappingRule>
  /** What the partner calls segments that are mapped no more, where it is not their id. */
  readonly formerAliases: Readonly<Record<number, string>>
  /** The largest first day of its mappings: one that begins is a mapping change too. */
  readonly latestStartDay: number
}

export interface MappingRule {
  readonly destination: DestinationRule
  readonly segmentId: SegmentId
  /** What the partner calls the segment [OUT-48]. */
  readonly value: string
  readonly startDay: number
  readonly endDay: number | undefined
}

/** Made for a destination that was deleted and whose id this one has got: it is not for it. */
export function isOfFormer(
  { destinationCreatedAtMs, createdAtMs }: Pick<StoredDelivery, 'destinationCreatedAtMs' | 'createdAtMs'>,
  rule: Pick<DestinationRule, 'createdAtMs'>,
): boolean {
  if (rule.createdAtMs === undefined) return false
  // Old records do not say it; what is older than the destination cannot be for it.
  return destinationCreatedAtMs === undefined
    ? createdAtMs < rule.createdAtMs
    : destinationCreatedAtMs !== rule.createdAtMs
}

/** The destination that it was made for exists. */
export function hasDestination(
  delivery: Pick<StoredDelivery, 'destinationId' | 'destinationCreatedAtMs' | 'createdAtMs'>,
  { byId, existing }: Pick<DestinationRules, 'byId' | 'existing'>,
): boolean {
  const rule = byId.get(delivery.destinationId)
  return existing.has(delivery.destinationId) && (rule === undefined || !isOfFormer(delivery, rule))
}

/** Inside its first and last UTC day, both included [OUT-06]. */
export function isInWindow({ startDay, endDay }: MappingRule, day: number): boolean {
  return startDay <= day && (endDay === undefined || day <= endDay)
}

const STEP = 1_000
/** Named of settings that cannot be used. */
const ISSUES_MAX = 5

/**
 * Compiles destinations and mappings in small steps. A stored destination is not judged again by the address rules: the
 * egress refuses at send time and keeps its messages [OUT-20], [SEC-23].
 */
export function* buildDestinationRules(
  definitions: Definitions,
  { types = destinationTypes }: { readonly allowPrivate?: boolean; readonly types?: readonly DestinationType[] } = {},
): Generator<void, DestinationRules> {
  const drafts = new Map<DestinationId, DraftRule>()
  const existing = new Set<DestinationId>()
  for (const destination of definitions.destinations) {
    existing.add(destination.destinationId)
    const type = types.find((one) => one.type === destination.destinationType)
    if (type === undefined) continue
    const draft = draftRule(destination, type)
    if (draft.isRealtime || draft.unusable !== undefined) drafts.set(destination.destinationId, draft)
  }
  yield

  const bySegment = new Map<SegmentId, MappingRule[]>()
  let count = 0
  for (const { destinationId, segmentId, value, startDay, endDay } of definitions.mappings) {
    if (++count % STEP === 0) yield
    const destination = drafts.get(destinationId)
    if (destination === undefined || !destination.isRealtime) continue
    const mapping = { destination, segmentId, value, startDay, endDay }
    destination.mappings.set(segmentId, mapping)
    destination.latestStartDay = Math.max(destination.latestStartDay, startDay)
    const others = bySegment.get(segmentId)
    if (others === undefined) bySegment.set(segmentId, [mapping])
    else others.push(mapping)
  }

  const segments = new Map<SegmentId, boolean>()
  for (const { segmentId, status } of definitions.segments) {
    if (++count % STEP === 0) yield
    segments.set(segmentId, status === 'ACTIVE')
  }
  const crossDeviceSources = new Set<DataSourceId>()
  for (const { dataSourceId, idType } of definitions.dataSources)
    if (idType === 'CROSS_DEVICE') crossDeviceSources.add(dataSourceId)
  const unmapKey = unmapKeyOf(drafts.values())
  return { version: definitions.version, byId: drafts, existing, bySegment, segments, crossDeviceSources, unmapKey }
}

function unmapKeyOf(destinations: Iterable<DestinationRule>): number {
  let text = ''
  for (const one of destinations)
    if (takesBackUnmapped(one)) text += `${one.destinationId} ${one.createdAtMs} ${one.mappingVersion};`
  return text === '' ? 0 : crc32(text)
}

/** Users who are not seen are told, too, that a segment is mapped no more. */
export function takesBackUnmapped({ config, unusable }: DestinationRule): boolean {
  const { unsegmentOnUnmap, supportsUnsegment, onlyWhileSeen } = config
  return unusable === undefined && unsegmentOnUnmap && supportsUnsegment && !onlyWhileSeen
}

/** @param told segments the destination may believe a user to be in. @returns whether one of them is to be taken back */
export function hasUnmapped(rules: DestinationRules, id: DestinationId, told: readonly number[], day: number): boolean {
  const rule = rules.byId.get(id)
  if (rule === undefined || !takesBackUnmapped(rule)) return false
  return told.some((sid) => {
    const mapping = rule.mappings.get(sid as SegmentId)
    const isMapped = mapping !== undefined && isInWindow(mapping, day)
    // A paused segment is said nothing of; a deleted one goes its own way.
    return !isMapped && rules.segments.get(sid as SegmentId) === true
  })
}

interface DraftRule extends DestinationRule {
  readonly isRealtime: boolean
  readonly mappings: Map<SegmentId, MappingRule>
  latestStartDay: number
}

function draftRule(destination: Destination, type: DestinationType): DraftRule {
  const { destinationId, name, status, mappingVersion, formerAliases = {}, createdAtMs, config: stored } = destination
  const parsed = type.parseStored(stored)
  const { settings, dataSources, ...wire } = parsed.ok ? type.bind(parsed.config) : standIn(type)
  return {
    destinationId,
    name,
    isActive: parsed.ok && status === 'ACTIVE',
    isRealtime: type.isRealtime(stored),
    unusable: parsed.ok ? undefined : whyUnusable(type, stored, parsed.issues),
    createdAtMs,
    config: settings,
    wire,
    userDpids: dataSources as readonly DataSourceId[],
    mappingVersion,
    mappings: new Map(),
    formerAliases,
    latestStartDay: 0,
  }
}

function whyUnusable({ member }: DestinationType, stored: unknown, issues: readonly ConfigIssue[]): string {
  if (stored === undefined) return 'the stored settings cannot be read'
  return issues
    .slice(0, ISSUES_MAX)
    .map(({ path, message }) => `${path === '' ? member : `${member}.${path}`}: ${message}`)
    .join('; ')
}

/**
 * Settings that nothing is ever sent by: they let changes be owed to a destination until it is mended. Whom it knows is
 * not known, so everybody in its segments counts.
 */
function standIn(type: DestinationType): BoundDestination {
  const { config } = type.withGeneratedKeys(undefined, type.example)
  const parsed = type.parseStored(config)
  if (!parsed.ok) throw new Error(`the example of ${type.type} is not valid`)
  const settings = { ...RUNNER_DEFAULTS, sendWithoutPartnerId: true }
  return { ...type.bind(parsed.config), settings, dataSources: [1] }
}
