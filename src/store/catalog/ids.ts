import { sql, type Transaction } from 'kysely'
import { CatalogRefusal } from './refusal.ts'
import type { Tables } from './tables.ts'

/**
 * Sequences of ids. Traits and segments share one, so that `d_sid` is never ambiguous [AUD-5]; merge rules are a kind of
 * data source and share theirs [API-63]. Starts: [OPS-44]. A migrating account keeps its ids; a counter steps over them.
 */
export const SEQUENCES = {
  dataSources: {
    start: 1_000,
    tables: [
      ['data_sources', 'data_source_id'],
      ['merge_rules', 'merge_rule_id'],
    ],
  },
  sids: {
    start: 100_000,
    tables: [
      ['traits', 'trait_id'],
      ['segments', 'segment_id'],
    ],
  },
  folders: { start: 1, tables: [['folders', 'folder_id']] },
  destinations: { start: 1, tables: [['destinations', 'destination_id']] },
  mappings: { start: 1, tables: [['mappings', 'mapping_id']] },
} as const

export type Sequence = keyof typeof SEQUENCES

/** Ids are stored in 32 bits, signed, wherever profiles name them. */
export const ID_MAX = 2 ** 31 - 1

const CHUNK = 1_000

/**
 * The id of a new object: the one that was asked for, or the next free one.
 * @param wanted with the member of the request it came from
 */
export async function takeId(
  tx: Transaction<Tables>,
  sequence: Sequence,
  wanted: { readonly id: number | undefined; readonly field: string },
): Promise<number> {
  if (wanted.id !== undefined) {
    const used = await usedIds(tx, sequence, wanted.id, wanted.id)
    if (used.size === 0) return wanted.id
    throw new CatalogRefusal('conflict', 'id_taken', `The id ${wanted.id} is taken.`, {
      field: wanted.field,
      ids: [wanted.id],
    })
  }
  const counter = await tx.selectFrom('counters').select('next').where('name', '=', sequence).executeTakeFirstOrThrow()
  const id = await firstFree(tx, sequence, counter.next)
  await tx
    .updateTable('counters')
    .set({ next: id + 1 })
    .where('name', '=', sequence)
    .execute()
  return id
}

async function firstFree(tx: Transaction<Tables>, sequence: Sequence, from: number): Promise<number> {
  for (let start = from; start <= ID_MAX; start += CHUNK) {
    const used = await usedIds(tx, sequence, start, start + CHUNK - 1)
    for (let id = start; id < start + CHUNK && id <= ID_MAX; id++) {
      if (!used.has(id)) return id
    }
  }
  throw new CatalogRefusal('conflict', 'limit_reached', `No id is left in the sequence ${sequence}.`)
}

async function usedIds(tx: Transaction<Tables>, sequence: Sequence, from: number, to: number): Promise<Set<number>> {
  const used = new Set<number>()
  for (const [table, column] of SEQUENCES[sequence].tables) {
    const id = sql.ref<number>(column)
    const rows = await tx
      .selectFrom(table)
      .select(sql<number>`${id}`.as('id'))
      .where(sql<boolean>`${id} between ${from} and ${to}`)
      .execute()
    for (const row of rows) used.add(row.id)
  }
  return used
}
