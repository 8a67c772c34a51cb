import { queryOptions } from '@tanstack/react-query'
import type { Destination } from '../../../src/contract.ts'
import { get } from '../api/client.ts'

type Named = Pick<Destination, 'destinationId' | 'name'>

/** Names of destinations, for filters and for answers that carry only the id. */
export const destinationsQuery = queryOptions({
  queryKey: ['destinations'],
  queryFn: async () => {
    const answer = await get<readonly Named[] | { readonly list: readonly Named[] }>('/v1/destinations/')
    return 'list' in answer ? answer.list : answer
  },
  staleTime: 60_000,
})
