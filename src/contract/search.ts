import { z } from 'zod'

export const SEARCH_RESULTS_MAX = 20

export const SearchQuery = z.strictObject({
  q: z.string().trim().normalize().min(1).max(600).meta({ description: 'Part of a name, or an ID' }),
})

/** Something that has this name or ID. */
export const Found = z.object({
  kind: z.enum(['segment', 'trait', 'destination', 'data_source', 'profile', 'message']),
  id: z.union([z.int(), z.string()]).meta({ description: 'Of a profile as `GET /v1/profiles/{id}` takes it' }),
  name: z.string(),
  detail: z.string().nullable().meta({ description: 'State of a message; data source of a declared ID' }),
})
export type Found = z.infer<typeof Found>
