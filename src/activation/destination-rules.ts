import type { Definitions, Destination } from '../model/definitions.ts'
import type { DataSourceId, DestinationId, SegmentId } from '../model/ids.ts'
import { parseStoredS2s, type S2sConfig, userDpidsOf } from './destinations/s2s.ts'
import { parseUrlTemplate, type UrlTemplate } from './url-template.ts'

/** The part of the rulebook that activation reads: destinations with real-time delivery and their mappings. Immutable. */
export interface DestinationRules {
  readonly version: number
  readonly byId: ReadonlyMap<DestinationId, DestinationRule>
  /** Every destination that exists, also without real-time delivery. */
  readonly existing: ReadonlySet<DestinationId>
  /** Where a segment is mapped. */
  readonly bySegment: ReadonlyMap<SegmentId, readonly MappingRule[]>
  /** Every segment that exists, and whether it is active; a paused one sends nothing [AUD-123]. */
  readonly segments: ReadonlyMap<SegmentId, boolean>
  /** Data sources whose IDs stand for a person: a link to one changes the device graph [OUT-31]. */
  readonly crossDeviceSources: ReadonlySet<DataSourceId>
  /** Stored destinations that cannot be used, with the reason. */
  readonly unusable: readonly { readonly destinationId: DestinationId; readonly reason: string }[]
}

export interface DestinationRule {
  readonly destinationId: DestinationId
  readonly name: string
  /** An inactive destination goes on being planned for; its markers wait. */
  readonly isActive: boolean
  readonly config: S2sConfig
  /** Data sources whose IDs name the users, one message each [OUT-40]. */
  readonly userDpids: readonly DataSourceId[]
  readonly mappingVersion: number
  readonly mappings: ReadonlyMap<SegmentId, MappingRule>
  /** The largest first day of its mappings: one that begins is a mapping change too. */
  readonly latestStartDay: number
  /** Of a GET destination [OUT-209]. */
  readonly urlTemplate: UrlTemplate | undefined
}

export interface MappingRule {
  readonly destination: DestinationRule
  readonly segmentId: SegmentId
  /** What the partner calls the segment [OUT-48]. */
  readonly value: string
  readonly startDay: number
  readonly endDay: number | undefined
}

/** Inside its first and last UTC day, both included [OUT-06]. */
export function isInWindow({ startDay, endDay }: MappingRule, day: number): boolean {
  return startDay <= day && (endDay === undefined || day <= endDay)
}

const STEP = 1_000

/**
 * Compiles destinations and mappings in small steps. A stored destination is not judged again by the address rules: the
 * egress refuses at send time and keeps its messages [OUT-20], [SEC-23].
 */
export function* buildDestinationRules(
  definitions: Definitions,
  _options?: { readonly allowPrivate: boolean },
): Generator<void, DestinationRules> {
  const drafts = new Map<DestinationId, DraftRule>()
  const existing = new Set<DestinationId>()
  const unusable: { destinationId: DestinationId; reason: string }[] = []
  for (const destination of definitions.destinations) {
    existing.add(destination.destinationId)
    if (destination.destinationType !== 'S2S') continue
    const draft = draftRule(destination)
    if (typeof draft === 'string') unusable.push({ destinationId: destination.destinationId, reason: draft })
    else if (draft.config.delivery !== 'batch') drafts.set(destination.destinationId, draft)
  }
  yield

  const bySegment = new Map<SegmentId, MappingRule[]>()
  let count = 0
  for (const { destinationId, segmentId, value, startDay, endDay } of definitions.mappings) {
    if (++count % STEP === 0) yield
    const destination = drafts.get(destinationId)
    if (destination === undefined) continue
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
  return { version: definitions.version, byId: drafts, existing, bySegment, segments, crossDeviceSources, unusable }
}

interface DraftRule extends DestinationRule {
  readonly mappings: Map<SegmentId, MappingRule>
  latestStartDay: number
}

function draftRule({ destinationId, name, status, mappingVersion, config: stored }: Destination): DraftRule | string {
  const parsed = parseStoredS2s(stored, { allowPrivate: true })
  if (!parsed.ok) return parsed.issues.map(({ path, message }) => `${path}: ${message}`).join('; ')
  const { config } = parsed
  const template = config.urlTemplate === undefined ? undefined : parseUrlTemplate(config.urlTemplate)
  return {
    destinationId,
    name,
    isActive: status === 'ACTIVE',
    config,
    userDpids: userDpidsOf(config) as readonly DataSourceId[],
    mappingVersion,
    mappings: new Map(),
    latestStartDay: 0,
    urlTemplate: template?.ok === true ? template.template : undefined,
  }
}
