import { type SelectQueryBuilder, sql } from 'kysely'
import { escapeLike, lowerLetters } from './search-text.ts'

/** A list, read in portions that are small in rows and in bytes, so that neither its size nor that of its rows matters [API-24]. */
export interface Listing<Item> {
  count(): Promise<number>
  /**
   * All of it, or a part. Not a snapshot: an object created meanwhile may be in it or not, none comes twice.
   * @param part from 0
   */
  portions(part?: { readonly offset: number; readonly limit: number }): AsyncIterable<readonly Item[]>
}

export interface ListOptions<Sort extends string> {
  /** Part of any value the list shows; the letters A to Z in any case, others as they are [API-19]. */
  readonly search?: string | undefined
  readonly sortBy?: Sort | undefined
  readonly descending?: boolean | undefined
}

/** Columns of a list by the names it may be sorted by. */
export type SortColumns<Sort extends string> = Readonly<
  Record<Sort, { readonly column: string; readonly type: 'text' | 'number' }>
>

/** Of one portion; a row may be larger. */
const PORTION_ROWS = 500
const PORTION_BYTES = 256 * 1024

export interface ListColumns<Sort extends string> {
  readonly id: string
  readonly sorts: SortColumns<Sort>
  readonly searched: readonly string[]
  /** Texts that may be long: a rule, settings. */
  readonly long?: string
}

/**
 * The ids come first, filtered and sorted once, away from the main thread; then the rows by their ids.
 * @param query all rows of the list, filtered
 * @param read turns a row into an item
 */
export function listRows<DB, TB extends keyof DB, Row extends object, Item, Sort extends string>(
  query: SelectQueryBuilder<DB, TB, Row>,
  columns: ListColumns<Sort>,
  options: ListOptions<Sort>,
  read: (row: Row) => Item,
): Listing<Item> {
  const isSearch = options.search !== undefined && options.search !== ''
  const found = isSearch ? query.where(contains(columns.searched, options.search as string)) : query
  const sort = options.sortBy === undefined ? undefined : columns.sorts[options.sortBy]
  const direction = options.descending === true ? 'desc' : 'asc'
  const id = sql.ref<number>(columns.id)
  const sorted = sort === undefined ? found : found.orderBy(sortExpression(sort), direction)
  // The plus keeps the engine from walking along the key and looking through many rows for each on the main thread: what
  // is sorted is looked through before the first row is handed over.
  const ordered = sorted.orderBy(sql`+${id}`, direction)
  const bytes = columns.long === undefined ? sql`0` : sql`coalesce(octet_length(${sql.ref(columns.long)}), 0)`

  return {
    async count() {
      const [row] = (await found.clearSelect().select(sql`count(*)`.as('total')).execute()) as unknown as {
        total: number | string
      }[]
      return Number(row?.total)
    },
    async *portions(part) {
      const places = ordered.clearSelect().select([id.as('id'), bytes.as('bytes')])
      const wanted = part === undefined ? places : places.limit(part.limit).offset(part.offset)
      for (const ids of portionsOf((await wanted.execute()) as unknown as Place[])) {
        const rows = await query
          .select(id.as('list_id'))
          .where(sql<boolean>`${id} in (${sql.join(ids)})`)
          .execute()
        const byId = new Map((rows as (Row & { list_id: number })[]).map((row) => [row.list_id, row]))
        yield ids.flatMap((one) => {
          const row = byId.get(one)
          return row === undefined ? [] : [read(row)]
        })
      }
    },
  }
}

interface Place {
  readonly id: number
  readonly bytes: number
}

function* portionsOf(places: readonly Place[]): Generator<number[]> {
  let ids: number[] = []
  let size = 0
  for (const { id, bytes } of places) {
    if (ids.length > 0 && (ids.length === PORTION_ROWS || size + bytes > PORTION_BYTES)) {
      yield ids
      ids = []
      size = 0
    }
    ids.push(id)
    size += bytes
  }
  if (ids.length > 0) yield ids
}

/** Never null, because nothing compares with null. */
function sortExpression(sort: { readonly column: string; readonly type: 'text' | 'number' }) {
  const column = sql.ref(sort.column)
  return sort.type === 'text' ? sql<string>`lower(coalesce(${column}, ''))` : sql<number>`coalesce(${column}, -1)`
}

function contains(columns: readonly string[], search: string) {
  const pattern = `%${escapeLike(lowerLetters(search))}%`
  const tests = columns.map((column) => sql`lower(cast(${sql.ref(column)} as text)) like ${pattern} escape '\\'`)
  return sql<boolean>`(${sql.join(tests, sql` or `)})`
}
