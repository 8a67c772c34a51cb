import { queryOptions } from '@tanstack/react-query'
import type {
  Destination,
  DestinationHealthView,
  DestinationTypeView,
  Mapping,
  Overview,
} from '../../../src/contract.ts'
import { get } from '../api/client.ts'

export type ListedDestination = Pick<Destination, 'destinationId' | 'name' | 'destinationType' | 'status'>

/** All of them: the limits keep them few. */
export const listedQuery = queryOptions({
  queryKey: ['destinations', 'listed'],
  queryFn: async () => {
    const answer = await get<readonly ListedDestination[] | { readonly list: readonly ListedDestination[] }>(
      '/v1/destinations/',
    )
    return 'list' in answer ? answer.list : answer
  },
})

export const typesQuery = queryOptions({
  queryKey: ['destination-types'],
  queryFn: () => get<readonly DestinationTypeView[]>('/v1/destination-types'),
  staleTime: 600_000,
})

/** How each stands, in one question for all. */
export const standingsQuery = queryOptions({
  queryKey: ['overview', '1h'],
  queryFn: () => get<Overview>('/v1/overview', { window: '1h' }),
  refetchInterval: 30_000,
})

/** With its settings, under the member of its type. */
export type ShownDestination = Destination & Readonly<Record<string, unknown>>

export const readDestination = (id: string) => get<ShownDestination>(`/v1/destinations/${encodeURIComponent(id)}`)

export const destinationQuery = (id: string) =>
  queryOptions({ queryKey: ['destination', id], queryFn: () => readDestination(id), refetchInterval: 30_000 })

/** As it is when its form is opened: what is being written is not written over by what somebody else saves meanwhile. */
export const editedQuery = (id: string) =>
  queryOptions({
    queryKey: ['edited-destination', id],
    queryFn: () => readDestination(id),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  })

export const healthQuery = (id: string) =>
  queryOptions({
    queryKey: ['health', Number(id)],
    queryFn: () => get<DestinationHealthView>(`/v1/destinations/${encodeURIComponent(id)}/health`),
    staleTime: 0,
    refetchInterval: 5_000,
  })

export const MAPPINGS_SHOWN = 50

export interface MappingPage {
  readonly total: number
  readonly list: readonly Mapping[]
}

export const mappingsQuery = (id: string, page: number, search: string) =>
  queryOptions({
    queryKey: ['mappings', id, page, search],
    queryFn: () =>
      get<MappingPage>(`/v1/destinations/${encodeURIComponent(id)}/mappings`, {
        ...{ page, pageSize: MAPPINGS_SHOWN, search },
      }),
  })
