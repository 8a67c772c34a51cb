import type { Transaction } from 'kysely'
import { CatalogRefusal, unknownReference } from './refusal.ts'
import type { MappingRow, Tables } from './tables.ts'

type Place = Pick<MappingRow, 'mapping_id' | 'segment_id' | 'value'>

/**
 * A segment is mapped to a destination once, and no two under one alias: a message would say both yes and no of it.
 * @param rows as they are about to be written, at most some hundred, of one destination; rows that they replace do not count
 */
export async function checkMappings(
  tx: Transaction<Tables>,
  rows: readonly (Place & Pick<MappingRow, 'destination_id'>)[],
): Promise<void> {
  const segmentIds = rows.map((row) => row.segment_id)
  const known = await tx.selectFrom('segments').select('segment_id').where('segment_id', 'in', segmentIds).execute()
  const segments = new Set(known.map((row) => row.segment_id))
  const there: readonly Place[] = await tx
    .selectFrom('mappings')
    .select(['mapping_id', 'segment_id', 'value'])
    .where('destination_id', '=', rows[0]?.destination_id ?? 0)
    .where('mapping_id', 'not in', idsOf(rows))
    .where((row) =>
      row.or([
        row('segment_id', 'in', segmentIds),
        row(
          'value',
          'in',
          rows.map((one) => one.value),
        ),
      ]),
    )
    .execute()
  const bySegment = new Map(there.map((row) => [row.segment_id, row]))
  const byValue = new Map(there.map((row) => [row.value, row]))
  for (const row of rows) {
    if (!segments.has(row.segment_id)) throw unknownReference('sid', 'segment', row.segment_id)
    const twin = bySegment.get(row.segment_id)
    if (twin !== undefined) throw alreadyMapped(twin)
    const namesake = byValue.get(row.value)
    if (namesake !== undefined) throw aliasTaken(namesake)
    bySegment.set(row.segment_id, row)
    byValue.set(row.value, row)
  }
}

function idsOf(rows: readonly Place[]): number[] {
  return rows.map((row) => row.mapping_id)
}

function alreadyMapped({ segment_id, mapping_id }: Place): CatalogRefusal {
  const message = `Segment ${segment_id} is already mapped, by mapping ${mapping_id}.`
  return new CatalogRefusal('conflict', 'already_mapped', message, { field: 'sid', ids: [mapping_id] })
}

function aliasTaken({ value, segment_id, mapping_id }: Place): CatalogRefusal {
  const message = `The alias ${value} is already that of segment ${segment_id}, by mapping ${mapping_id}.`
  return new CatalogRefusal('conflict', 'alias_taken', message, { field: 'traitAlias', ids: [mapping_id] })
}
