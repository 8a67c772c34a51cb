import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import type { DestinationHealthView } from '../../../src/contract.ts'
import { get, post } from '../api/client.ts'
import { Shapes, Trouble } from '../parts/answers.tsx'
import { Dialogue } from '../parts/dialogue.tsx'
import { HealthFacts } from '../parts/health-facts.tsx'
import { IconPause, IconPlay } from '../parts/icons.ts'
import { useWords } from '../words/use-words.tsx'

export interface ChosenDestination {
  readonly destinationId: number
  readonly name: string
}

interface DeliveryDialogueProps {
  readonly destination: ChosenDestination | undefined
  readonly onClose: () => void
}

/** How delivery to one destination stands, and an operator's hand on it [SEC-47]. */
export function DeliveryDialogue({ destination, onClose }: DeliveryDialogueProps) {
  const { t } = useWords()
  return (
    <Dialogue
      opened={destination !== undefined}
      onClose={onClose}
      title={t('delivery.title', { name: destination?.name ?? '' })}
    >
      {destination !== undefined && <DeliveryBody destinationId={destination.destinationId} />}
    </Dialogue>
  )
}

function DeliveryBody({ destinationId }: { readonly destinationId: number }) {
  const { t } = useWords()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const path = `/v1/destinations/${destinationId}`
  const queryKey = ['health', destinationId]
  const { data, error, refetch } = useQuery({
    queryKey,
    queryFn: () => get<DestinationHealthView>(`${path}/health`),
    staleTime: 0,
    refetchInterval: 5_000,
  })
  const change = useMutation({
    mutationFn: (action: 'pause' | 'resume') => post<DestinationHealthView>(`${path}/${action}`, {}),
    onSuccess: (health) => {
      queries.setQueryData(queryKey, health)
      return queries.invalidateQueries({ queryKey: ['overview'] })
    },
  })
  const action = data?.paused == null ? 'pause' : 'resume'
  return (
    <div className="dialogue">
      {data === undefined && error === null && <Shapes rows={4} />}
      {data !== undefined && <HealthFacts health={data} />}
      {error !== null && <Trouble error={error} onRetry={() => void refetch()} />}
      {change.error !== null && <Trouble error={change.error} />}
      <div className="buttons">
        <Button variant="default" onClick={() => void navigate({ to: '/messages', search: { destinationId } })}>
          {t('delivery.messages')}
        </Button>
        <Button
          leftSection={action === 'pause' ? <IconPause size={15} aria-hidden /> : <IconPlay size={15} aria-hidden />}
          disabled={data === undefined}
          loading={change.isPending}
          onClick={() => change.mutate(action)}
        >
          {t(`delivery.${action}`)}
        </Button>
      </div>
    </div>
  )
}
