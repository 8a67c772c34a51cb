import { z } from 'zod'
import { flag, optional, wholeNumber } from './fields.ts'

export const PAGE_SIZE_MAX = 1_000
export const PAGE_SIZE_DEFAULT = 10

/** Parameters of every list [API-15]..[API-19]. @param sorts what this list may be sorted by */
export const listParameters = <const Sorts extends readonly [string, ...string[]]>(sorts: Sorts) => ({
  page: optional(wholeNumber(0, 1_000_000)).meta({
    description: 'Zero-based; with it or pageSize the answer is paged',
  }),
  pageSize: optional(wholeNumber(1, PAGE_SIZE_MAX)).meta({ description: 'Items in a page; default 10' }),
  sortBy: optional(z.enum(sorts)),
  descending: optional(flag),
  search: optional(z.string().normalize().max(255)).meta({ description: 'Part of any value that the list shows' }),
})

/** One value or several: a parameter that may be repeated. */
export const repeated = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess(
    (value) => (value === undefined || value === null || Array.isArray(value) ? (value ?? undefined) : [value]),
    z.array(schema).max(100).optional(),
  )

export const paged = <Item extends z.ZodType>(item: Item) =>
  z.object({ total: z.int(), page: z.int(), pageSize: z.int(), list: z.array(item) })

/** A bare array of everything, or a page of it [API-24]. */
export const listOf = <Item extends z.ZodType>(item: Item) => z.union([z.array(item), paged(item)])

/** Use against limit, by name of the limit. */
export const UsageByLimit = z.record(z.string(), z.object({ count: z.int(), max: z.int() }))
