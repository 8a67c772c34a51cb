import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import type { DestinationHealthView } from '../../../src/contract.ts'
import { get, post } from '../api/client.ts'
import { Shapes, Trouble } from '../parts/answers.tsx'
import { Dialogue } from '../parts/dialogue.tsx'
import { Fact } from '../parts/fact.tsx'
import { IconPause, IconPlay } from '../parts/icons.ts'
import { useOwed } from '../parts/use-owed.ts'
import { useStanding } from '../parts/use-standing.ts'
import { useReason } from '../words/use-reason.ts'
import { useFormats, useWords } from '../words/use-words.tsx'

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
      {data !== undefined && <Standing health={data} />}
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

function Standing({ health }: { readonly health: DestinationHealthView }) {
  const { t } = useWords()
  const { time } = useFormats()
  const reasonOf = useReason()
  const standingOf = useStanding()
  const owedOf = useOwed()
  const { paused, lastFailure, lastSuccess, since, askedToWaitUntil } = health
  return (
    <>
      <dl className="facts">
        <Fact name={t('delivery.state')}>
          <span role="status">
            {paused === null
              ? standingOf(health)
              : t('delivery.paused', { cause: paused.reason, since: time(paused.at) })}
          </span>
        </Fact>
        {paused === null && since !== null && <Fact name={t('delivery.since')}>{time(since)}</Fact>}
        {askedToWaitUntil !== null && <Fact name={t('delivery.askedToWait')}>{time(askedToWaitUntil)}</Fact>}
        <Fact name={t('delivery.waiting')}>{owedOf(health)}</Fact>
        <Fact name={t('delivery.lastSuccess')}>
          {lastSuccess === null ? t('delivery.noSuccess') : time(lastSuccess)}
        </Fact>
        <Fact name={t('delivery.lastFailure')}>
          {lastFailure === null ? t('delivery.noFailure') : `${time(lastFailure.at)}, ${reasonOf(lastFailure.reason)}`}
        </Fact>
      </dl>
      <p className="dim small">
        {paused === null ? t('delivery.pauseWhy') : t('delivery.resumeWhy', { cause: paused.reason })}
      </p>
    </>
  )
}
