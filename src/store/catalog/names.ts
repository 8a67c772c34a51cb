import { type Kysely, sql } from 'kysely'
import { escapeLike, lowerLetters } from './search-text.ts'
import type { Tables } from './tables.ts'

const COLUMNS = {
  data_sources: 'data_source_id',
  traits: 'trait_id',
  segments: 'segment_id',
  destinations: 'destination_id',
} as const

/** Statements have a limit of values; more than these are asked for in several queries. */
const IDS_MAX = 1_000

/** Names for ids, without the objects. */
export interface NameReader {
  /** @returns only those that exist */
  namesOf(kind: NamedKind, ids: Iterable<number>): Promise<ReadonlyMap<number, string>>
  /**
   * Objects with the text in their name, in any case, or as their id; those that it fits best first.
   * @param text not empty
   */
  search(kind: NamedKind, text: string, limit: number): Promise<readonly FoundName[]>
}

export type NamedKind = keyof typeof COLUMNS

export interface FoundName {
  readonly id: number
  readonly name: string
  /** 0: it is the id; 1: the name; 2: the name begins with it; 3: a word of the name does; 4: it is somewhere inside. */
  readonly rank: number
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

    // Sorted, so that all names are looked through before the first row is handed over, away from the main thread.
    async search(kind, text, limit) {
      const lower = lowerLetters(text)
      const escaped = escapeLike(lower)
      const name = sql<string>`lower(name)`
      const isLike = (pattern: string) => sql<boolean>`${name} like ${pattern} escape '\\'`
      const isId = sql<boolean>`cast(id as text) = ${text}`
      const rank = sql<number>`case when ${isId} then 0 when ${name} = ${lower} then 1
        when ${isLike(`${escaped}%`)} then 2 when ${isLike(`% ${escaped}%`)} then 3 else 4 end`
      const id = sql.ref<number>(COLUMNS[kind])
      const { rows } = await sql<FoundName>`select id, name, ${rank} as rank
        from (select ${id} as id, name from ${sql.table(kind)}) as named
        where ${isId} or ${isLike(`%${escaped}%`)} order by 3, length(name), 2, 1 limit ${limit}`.execute(db)
      return rows.map((row) => ({ id: Number(row.id), name: row.name, rank: Number(row.rank) }))
    },
  }
}
