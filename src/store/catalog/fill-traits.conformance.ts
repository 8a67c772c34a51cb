import type { Kysely } from 'kysely'
import { NOW_MS } from './catalog-place.conformance.ts'
import type { Tables, TraitRow } from './tables.ts'

const ROWS_AT_ONCE = 500
export const FIRST_FILLED = 1_000_000

/** Many traits at once, past the catalogue. @param over columns of the nth that differ */
export async function fillTraits(
  db: Kysely<Tables>,
  count: number,
  over: (n: number) => Partial<TraitRow> = () => ({}),
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    for (let start = 0; start < count; start += ROWS_AT_ONCE) {
      const size = Math.min(ROWS_AT_ONCE, count - start)
      const rows = Array.from({ length: size }, (_, i) => ({ ...rowOf(start + i), ...over(start + i) }))
      await tx.insertInto('traits').values(rows).execute()
    }
  })
}

function rowOf(n: number): TraitRow {
  return {
    trait_id: FIRST_FILLED + n,
    name: `trait ${n}`,
    description: null,
    comments: null,
    integration_code: null,
    data_source_id: 1_000,
    folder_id: 0,
    trait_type: 'RULE_BASED_TRAIT',
    trait_rule: `c_product == "${n}" AND c_category contains "shoes"`,
    trait_rule_version: 0,
    ttl_days: 120,
    status: 'ACTIVE',
    event_type_id: null,
    category_id: null,
    algo_model_id: null,
    threshold_value: null,
    revision: 1,
    created_by: 0,
    updated_by: 0,
    created_at: NOW_MS,
    updated_at: NOW_MS,
  }
}
