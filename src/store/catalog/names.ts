import type { Kysely } from 'kysely'
import type { Tables } from './tables.ts'

const COLUMNS = {
  data_sources: 'data_source_id',
  traits: 'trait_id',
  segments: 'segment_id',
  destinations: 'destination_id',
} as const

/** SQLite binds up to 32,766 values; more than these are asked for in several queries. */
const IDS_MAX = 1_000

/** Names for ids, without the objects. */
export interface NameReader {
  /** @returns only those that exist */
  namesOf(kind: keyof typeof COLUMNS, ids: Iterable<number>): Promise<ReadonlyMap<number, string>>
}

export function createNames(db: Kysely<Tables>): NameReader {
  return {
    async namesOf(kind, ids) {
      const names = new Map<number, string>()
      const distinct = [...new Set(ids)]
      const column = COLUMNS[kind]
      for (let at = 0; at < distinct.length; at += IDS_MAX) {
        const rows = await db
          .selectFrom(kind)
          .select([`${column} as id`, 'name'] as never)
          .where(column as never, 'in', distinct.slice(at, at + IDS_MAX) as never)
          .execute()
        for (const { id, name } of rows as unknown as { id: number; name: string }[]) names.set(id, name)
      }
      return names
    },
  }
}
