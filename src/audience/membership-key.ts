import type { DataSource, Trait } from '../model/definitions.ts'
import { DEVICE_RETENTION_DAYS, PERSON_RETENTION_DAYS } from '../model/retention.ts'
import type { AudienceRules } from './audience-rules.ts'

/** Characters between two yields: rules may be long, so rows are no measure. */
const STEP_CHARS = 64 * 1024

/**
 * A number that differs when memberships may: it covers segments, merge rules, of the traits that segments name what
 * decides how long they count, and of data sources how long they keep their IDs. A new trait, a new trait rule or a new
 * name leaves it as it is, so that only a change which can move somebody in or out makes all profiles be looked at
 * again [AUD-142], [AUD-143].
 * @returns 1 to 2^28 - 1, four bytes in a profile; two of them are compared for equality only
 */
export function* membershipKeyOf(
  audience: AudienceRules,
  dataSources: Iterable<Pick<DataSource, 'dataSourceId' | 'retentionDays'>>,
): Generator<void, number> {
  const hash = new TextHash()
  // With what every installation begins with as it is here, a new data source changes nothing.
  hash.add(`kept ${DEVICE_RETENTION_DAYS} ${PERSON_RETENTION_DAYS}`)
  for (const { dataSourceId, retentionDays } of dataSources)
    if (retentionDays !== DEVICE_RETENTION_DAYS && retentionDays !== PERSON_RETENTION_DAYS)
      hash.add(`${dataSourceId} ${retentionDays}`)
  const named = new Set<number>()
  for (const rule of audience.mergeRules.values()) {
    hash.add(
      `${rule.mergeRuleId} ${rule.crossDeviceOption} ${rule.deviceOption} ${rule.crossDeviceDataSourceIds.join()}`,
    )
  }
  for (const segment of audience.compiled.segments.tables.segments) {
    hash.add(`${segment.segmentId} ${segment.mergeRuleId} ${segment.status} ${segment.segmentRule}`)
    for (const sid of segment.traitIds) named.add(sid)
    if (hash.isStepOver()) yield
  }
  let hasFolderTrait = false
  for (const sid of Int32Array.from(named).sort()) {
    const trait = audience.trait(sid)
    hash.add(trait === undefined ? `${sid} gone` : describe(trait))
    hasFolderTrait ||= trait?.traitType === 'FOLDER_TRAIT'
    if (hash.isStepOver()) yield
  }
  // A folder trait stands for whatever lies below its folder, so then every trait counts, and which folders it lies in.
  if (hasFolderTrait) yield* addAll(hash, audience)
  return hash.value()
}

function* addAll(hash: TextHash, { compiled: { facts } }: AudienceRules): Generator<void> {
  for (let position = 0; position < facts.count; position++) {
    hash.add(`${describe(facts.at(position))} ${facts.folderTraitsOf(position).join()}`)
    if (hash.isStepOver()) yield
  }
}

function describe({ traitId, traitType, ttlDays, status }: Trait): string {
  return `${traitId} ${traitType} ${ttlDays} ${status}`
}

/** FNV-1a over UTF-16 units; a separator keeps two texts from meaning one. */
class TextHash {
  #hash = 0x811c9dc5
  #chars = 0

  add(text: string): void {
    let hash = this.#hash
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
    this.#hash = Math.imul(hash ^ 0xffff, 0x01000193)
    this.#chars += text.length
  }

  /** Once for each step. */
  isStepOver(): boolean {
    if (this.#chars < STEP_CHARS) return false
    this.#chars = 0
    return true
  }

  value(): number {
    return this.#hash >>> 4 || 1
  }
}
