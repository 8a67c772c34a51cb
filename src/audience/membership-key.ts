import type { DataSource, Trait } from '../model/definitions.ts'
import { DEVICE_RETENTION_DAYS, PERSON_RETENTION_DAYS } from '../model/retention.ts'
import type { AudienceRules } from './audience-rules.ts'

const ROWS_PER_SLICE = 1_000

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
  let rows = 0
  for (const segment of audience.compiled.segments.tables.segments) {
    hash.add(`${segment.segmentId} ${segment.mergeRuleId} ${segment.status} ${segment.segmentRule}`)
    for (const sid of segment.traitIds) named.add(sid)
    if (++rows % ROWS_PER_SLICE === 0) yield
  }
  let hasFolderTrait = false
  for (const sid of [...named].sort((a, b) => a - b)) {
    const trait = audience.trait(sid)
    hash.add(trait === undefined ? `${sid} gone` : describe(trait))
    hasFolderTrait ||= trait?.traitType === 'FOLDER_TRAIT'
    if (++rows % ROWS_PER_SLICE === 0) yield
  }
  // A folder trait stands for whatever lies below its folder, so then every trait counts, and which folders it lies in.
  if (hasFolderTrait) yield* addAll(hash, audience)
  return hash.value()
}

function* addAll(hash: TextHash, { compiled: { facts } }: AudienceRules): Generator<void> {
  for (let position = 0; position < facts.count; position++) {
    hash.add(`${describe(facts.at(position))} ${facts.folderTraitsOf(position).join()}`)
    if (position % ROWS_PER_SLICE === 0) yield
  }
}

function describe({ traitId, traitType, ttlDays, status }: Trait): string {
  return `${traitId} ${traitType} ${ttlDays} ${status}`
}

/** FNV-1a over UTF-16 units; a separator keeps two texts from meaning one. */
class TextHash {
  #hash = 0x811c9dc5

  add(text: string): void {
    let hash = this.#hash
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
    this.#hash = Math.imul(hash ^ 0xffff, 0x01000193)
  }

  value(): number {
    return this.#hash >>> 4 || 1
  }
}
