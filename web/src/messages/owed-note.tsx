import { useQuery } from '@tanstack/react-query'
import type { DestinationHealthView } from '../../../src/contract.ts'
import { get } from '../api/client.ts'
import { useOwed } from '../parts/use-owed.ts'
import type { DeliveryFilter } from './delivery-filter.ts'

const ENDED: readonly (string | undefined)[] = ['acknowledged', 'dead', 'superseded']

/** Beside the messages of one destination: who waits there, of whom there may be no message yet. */
export function OwedNote({ filter }: { readonly filter: DeliveryFilter }) {
  const owedOf = useOwed()
  const { destinationId, status } = filter
  const { data } = useQuery({
    queryKey: ['health', destinationId],
    queryFn: () => get<DestinationHealthView>(`/v1/destinations/${destinationId}/health`),
    enabled: destinationId !== undefined && !ENDED.includes(status),
    refetchInterval: 5_000,
    retry: false,
  })
  if (data === undefined || ENDED.includes(status) || (data.waitingUsers === 0 && !data.moreOnDisk)) return null
  return (
    <p className="card-body dim small" role="note">
      {owedOf(data)}
    </p>
  )
}
