import type { Transaction } from 'kysely'
import { CatalogRefusal } from './refusal.ts'
import type { Tables } from './tables.ts'

/** Statements have a limit of variables; this stays far below everyone's. */
const CHUNK = 500

/** Segments whose rule names the trait, at most 1,000. */
export async function segmentsUsingTrait(tx: Transaction<Tables>, traitId: number): Promise<number[]> {
  const rows = await tx
    .selectFrom('segment_traits')
    .select('segment_id')
    .where('trait_id', '=', traitId)
    .orderBy('segment_id')
    .limit(1_000)
    .execute()
  return rows.map((row) => row.segment_id)
}

/** Records what a segment's rule names, instead of what it named before. @throws CatalogRefusal invalid for an unknown trait */
export async function setSegmentTraits(
  tx: Transaction<Tables>,
  segmentId: number,
  traitIds: readonly number[],
): Promise<void> {
  await tx.deleteFrom('segment_traits').where('segment_id', '=', segmentId).execute()
  const distinct = [...new Set(traitIds)]
  for (let start = 0; start < distinct.length; start += CHUNK) {
    const chunk = distinct.slice(start, start + CHUNK)
    const known = await tx.selectFrom('traits').select('trait_id').where('trait_id', 'in', chunk).execute()
    if (known.length < chunk.length) throw unknownTrait(chunk, new Set(known.map((row) => row.trait_id)))
    await tx
      .insertInto('segment_traits')
      .values(chunk.map((id) => ({ segment_id: segmentId, trait_id: id })))
      .execute()
  }
}

function unknownTrait(wanted: readonly number[], known: ReadonlySet<number>): CatalogRefusal {
  const missing = wanted.filter((id) => !known.has(id))
  const message = `There is no trait ${missing[0]}.`
  return new CatalogRefusal('invalid', 'invalid_rule', message, { field: 'segmentRule', ids: missing })
}
