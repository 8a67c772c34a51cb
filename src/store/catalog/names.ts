import { type Kysely, sql } from 'kysely'
import type { Tables } from './tables.ts'

const COLUMNS = {
  data_sources: 'data_source_id',
  traits: 'trait_id',
  segments: 'segment_id',
  destinations: 'destination_id',
} as const

/** SQLite binds up to 32,766 values; more than these are asked for in several queries. */
const IDS_MAX = 1_000

/** Names looked through at once: SQLite works on the main thread, so events are served between portions. */
const PORTION = 5_000

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

export function createNames(db: Kysely<Tables>, portion = PORTION): NameReader {
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

    async search(kind, text, limit) {
      const lower = text.toLowerCase()
      const escaped = lower.replace(/[\\%_]/g, (special) => `\\${special}`)
      const name = sql<string>`lower(name)`
      const isLike = (pattern: string) => sql<boolean>`${name} like ${pattern} escape '\\'`
      const isId = sql<boolean>`cast(id as text) = ${text}`
      const rank = sql<number>`case when ${isId} then 0 when ${name} = ${lower} then 1
        when ${isLike(`${escaped}%`)} then 2 when ${isLike(`% ${escaped}%`)} then 3 else 4 end`
      const id = sql.ref<number>(COLUMNS[kind])
      let best: FoundName[] = []
      for (let after = -1; ; ) {
        const names = sql`(select ${id} as id, name from ${sql.table(kind)} where ${id} > ${after} order by 1 limit ${portion})`
        const { rows } = await sql<FoundName>`select id, name, ${rank} as rank from ${names}
          where ${isId} or ${isLike(`%${escaped}%`)} order by 3, length(name), 2, 1 limit ${limit}`.execute(db)
        best = [...best, ...rows].sort(byFit).slice(0, limit)
        const { rows: last } = await sql<{ id: number }>`select id from ${names} limit 1 offset ${portion - 1}`.execute(
          db,
        )
        if (last[0] === undefined)
          return best.map((row) => ({ id: Number(row.id), name: row.name, rank: Number(row.rank) }))
        after = last[0].id
        await new Promise((resolve) => setImmediate(resolve))
      }
    },
  }
}

/** The order of the query. */
function byFit(a: FoundName, b: FoundName): number {
  const byName = a.name < b.name ? -1 : Number(a.name > b.name)
  return a.rank - b.rank || a.name.length - b.name.length || byName || a.id - b.id
}
