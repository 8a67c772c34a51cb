import { type SelectQueryBuilder, sql } from 'kysely'

/** A list that can be read by page, or whole as a stream of pages so that its size does not matter [API-24]. */
export interface Listing<Item> {
  page(page: number, pageSize: number): Promise<{ readonly total: number; readonly list: readonly Item[] }>
  /** In the same order. Not a snapshot: an object created meanwhile may be in it or not, none comes twice. */
  stream(): AsyncIterable<readonly Item[]>
}

export interface ListOptions<Sort extends string> {
  /** Part of any value the list shows, in any case [API-19]. */
  readonly search?: string | undefined
  readonly sortBy?: Sort | undefined
  readonly descending?: boolean | undefined
}

/** Columns of a list by the names it may be sorted by. */
export type SortColumns<Sort extends string> = Readonly<
  Record<Sort, { readonly column: string; readonly type: 'text' | 'number' }>
>

const STREAM_PAGE = 500

/**
 * @param query all rows of the list, filtered, with its id column selected
 * @param read turns a row into an item
 */
export function listRows<DB, TB extends keyof DB, Row extends object, Item, Sort extends string>(
  query: SelectQueryBuilder<DB, TB, Row>,
  columns: { readonly id: string; readonly sorts: SortColumns<Sort>; readonly searched: readonly string[] },
  options: ListOptions<Sort>,
  read: (rows: readonly Row[]) => readonly Item[] | Promise<readonly Item[]>,
): Listing<Item> {
  const isSearch = options.search !== undefined && options.search !== ''
  const found = isSearch ? query.where(contains(columns.searched, options.search as string)) : query
  const sort = options.sortBy === undefined ? undefined : columns.sorts[options.sortBy]
  const sortKey = sort === undefined ? undefined : sortExpression(sort)
  const direction = options.descending === true ? 'desc' : 'asc'
  const id = sql.ref<number>(columns.id)
  // Rows are handed over on the main thread: what has to look through many for each of them is sorted, because sorting ends
  // before the first one. The plus keeps the engine from walking along the key instead.
  const ordered =
    sortKey === undefined
      ? found.orderBy(isSearch ? sql`+${id}` : id, direction)
      : found.orderBy(sortKey, direction).orderBy(id, direction)

  return {
    async page(page, pageSize) {
      const rows = await ordered
        .limit(pageSize)
        .offset(page * pageSize)
        .execute()
      return { total: await countRows(found), list: await read(rows as Row[]) }
    },
    async *stream() {
      // Continues after the last row's (sort key, id) instead of an offset, so that a row is never counted twice.
      let next = ordered
      for (;;) {
        const rows = (await next
          .select(sql`${sortKey ?? 0}`.as('stream_key'))
          .select(sql`${id}`.as('stream_id'))
          .limit(STREAM_PAGE)
          .execute()) as unknown as (Row & { stream_key: string | number; stream_id: number })[]
        if (rows.length > 0) yield await read(rows)
        const last = rows.at(-1)
        if (last === undefined || rows.length < STREAM_PAGE) return
        const isAfter = sql.raw(direction === 'desc' ? '<' : '>')
        next = ordered.where(
          sortKey === undefined
            ? sql<boolean>`${id} ${isAfter} ${last.stream_id}`
            : sql<boolean>`(${sortKey}, ${id}) ${isAfter} (${last.stream_key}, ${last.stream_id})`,
        )
      }
    },
  }
}

async function countRows<DB, TB extends keyof DB, Row>(query: SelectQueryBuilder<DB, TB, Row>): Promise<number> {
  const [row] = (await query.clearSelect().select(sql`count(*)`.as('total')).execute()) as unknown as {
    total: number | string
  }[]
  return Number(row?.total)
}

/** Never null, because nothing compares with null. */
function sortExpression(sort: { readonly column: string; readonly type: 'text' | 'number' }) {
  const column = sql.ref(sort.column)
  return sort.type === 'text' ? sql<string>`lower(coalesce(${column}, ''))` : sql<number>`coalesce(${column}, -1)`
}

function contains(columns: readonly string[], search: string) {
  const pattern = `%${search.toLowerCase().replace(/[\\%_]/g, (special) => `\\${special}`)}%`
  const tests = columns.map((column) => sql`lower(cast(${sql.ref(column)} as text)) like ${pattern} escape '\\'`)
  return sql<boolean>`(${sql.join(tests, sql` or `)})`
}
