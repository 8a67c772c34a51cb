import { type Kysely, sql, type Transaction } from 'kysely'
import { OBJECT_ID_MAX } from '../../model/ids.ts'
import { readMeta } from './change-feed.ts'
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
    const details = { field: wanted.field, ids: [wanted.id] }
    const used = await usedIds(tx, sequence, wanted.id, wanted.id)
    if (used.size > 0) throw new CatalogRefusal('conflict', 'id_taken', `The id ${wanted.id} is taken.`, details)
    const leaving = await leavingIds(tx, sequence, wanted.id, wanted.id)
    if (leaving.length === 0) return wanted.id
    const message = `What had the id ${wanted.id} was deleted, and its data is still being taken out of profiles. Try again in a moment.`
    throw new CatalogRefusal('conflict', 'id_leaving', message, details)
  }
  const [id] = await takeIds(tx, sequence, 1)
  return id as number
}

/** The next free ids, ascending. */
export async function takeIds(tx: Transaction<Tables>, sequence: Sequence, count: number): Promise<number[]> {
  const counter = await tx.selectFrom('counters').select('next').where('name', '=', sequence).executeTakeFirstOrThrow()
  const ids = await firstFree(tx, sequence, counter.next, count)
  await tx
    .updateTable('counters')
    .set({ next: (ids.at(-1) ?? counter.next - 1) + 1 })
    .where('name', '=', sequence)
    .execute()
  return ids
}

/**
 * Frees an id, once nothing in profiles is left of what had it [AUD-59]: until `freeIds` it is given to nothing else, so that
 * nobody holds what is made under it next because of what was there before. Call in the transaction of the deletion.
 */
export async function leaveId(tx: Transaction<Tables>, sequence: Sequence, id: number): Promise<void> {
  // That of the change we are in.
  const version = await readMeta(tx, 'version')
  await tx.insertInto('deleted_ids').values({ sequence, id, version }).execute()
  await tx.updateTable('meta').set({ value: version }).where('key', '=', 'deletion').execute()
}

/** Profiles hold nothing any more of what was deleted up to a version. Changes no definition. */
export async function freeIds(db: Kysely<Tables>, deletionVersion: number): Promise<void> {
  await db.deleteFrom('deleted_ids').where('version', '<=', deletionVersion).execute()
}

async function firstFree(tx: Transaction<Tables>, sequence: Sequence, from: number, count: number): Promise<number[]> {
  const free: number[] = []
  for (let start = from; start <= OBJECT_ID_MAX && free.length < count; start += CHUNK) {
    const used = await usedIds(tx, sequence, start, start + CHUNK - 1)
    for (const id of await leavingIds(tx, sequence, start, start + CHUNK - 1)) used.add(id)
    for (let id = start; id < start + CHUNK && id <= OBJECT_ID_MAX && free.length < count; id++) {
      if (!used.has(id)) free.push(id)
    }
  }
  if (free.length === count) return free
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

async function leavingIds(tx: Transaction<Tables>, sequence: Sequence, from: number, to: number): Promise<number[]> {
  const rows = await tx
    .selectFrom('deleted_ids')
    .select('id')
    .where('sequence', '=', sequence)
    .where('id', '>=', from)
    .where('id', '<=', to)
    .execute()
  return rows.map((row) => row.id)
}
