import type { Transaction } from 'kysely'
import { unknownReference } from './refusal.ts'
import type { Tables } from './tables.ts'

/** What still needs a data source; the first kind found, with at most 1,000 ids. */
export async function findDataSourceUsers(
  tx: Transaction<Tables>,
  id: number,
): Promise<
  { readonly kind: 'traits' | 'segments' | 'mergeRules' | 'destinations'; readonly ids: readonly number[] } | undefined
> {
  const traits = await tx
    .selectFrom('traits')
    .select('trait_id')
    .where('data_source_id', '=', id)
    .limit(1_000)
    .execute()
  if (traits.length > 0) return { kind: 'traits', ids: traits.map((row) => row.trait_id) }
  const segments = await tx
    .selectFrom('segments')
    .select('segment_id')
    .where('data_source_id', '=', id)
    .limit(1_000)
    .execute()
  if (segments.length > 0) return { kind: 'segments', ids: segments.map((row) => row.segment_id) }
  const ruleIds = await mergeRulesNaming(tx, id)
  if (ruleIds.length > 0) return { kind: 'mergeRules', ids: ruleIds }
  const destinations = await tx
    .selectFrom('destinations')
    .select(['destination_id', 'data_source_ids as ids'])
    .execute()
  const destinationIds = destinations.filter((row) => names(row.ids, id)).map((row) => row.destination_id)
  return destinationIds.length > 0 ? { kind: 'destinations', ids: destinationIds } : undefined
}

export async function mergeRulesNaming(tx: Transaction<Tables>, id: number): Promise<readonly number[]> {
  const rules = await tx
    .selectFrom('merge_rules')
    .select(['merge_rule_id', 'cross_device_data_source_ids as ids'])
    .execute()
  return rules.filter((row) => names(row.ids, id)).map((row) => row.merge_rule_id)
}

/** @throws CatalogRefusal invalid, naming `field` */
export async function requireDataSource(
  tx: Transaction<Tables>,
  id: number,
  field: string,
): Promise<{ readonly id_type: string; readonly options: string }> {
  const row = await tx
    .selectFrom('data_sources')
    .select(['id_type', 'options'])
    .where('data_source_id', '=', id)
    .executeTakeFirst()
  if (row === undefined) throw unknownReference(field, 'data source', id)
  return row
}

function names(list: string, id: number): boolean {
  return (JSON.parse(list) as number[]).includes(id)
}
