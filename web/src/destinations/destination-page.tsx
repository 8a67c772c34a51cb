import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import type { DestinationHealthView } from '../../../src/contract.ts'
import { ApiProblem, post } from '../api/client.ts'
import { Empty, Shapes, Trouble } from '../parts/answers.tsx'
import { Card } from '../parts/card.tsx'
import { HealthFacts } from '../parts/health-facts.tsx'
import { IconPause, IconPlay } from '../parts/icons.ts'
import { useWords } from '../words/use-words.tsx'
import { destinationQuery, healthQuery, typesQuery } from './destination-queries.ts'
import { MappingsCard } from './mappings-card.tsx'

/** One destination: how it stands, what one does about it, and which segments it is told of. */
export function DestinationPage() {
  const { t } = useWords()
  const { id = '' } = useParams({ strict: false })
  const { data, error, refetch } = useQuery(destinationQuery(id))
  const { data: types } = useQuery(typesQuery)
  if (error instanceof ApiProblem && (error.status === 404 || error.status === 400))
    return (
      <div className="card">
        <h1 className="hidden">{t('destination.noSuch')}</h1>
        <Empty title={t('destination.noSuch')} step={<Link to="/destinations">{t('destination.all')}</Link>}>
          {t('destination.noSuchWhy')}
        </Empty>
      </div>
    )
  const type = types?.find((one) => one.type === data?.destinationType)
  return (
    <>
      <div className="title-row">
        <h1>{data?.name ?? t('destination.title', { id })}</h1>
        <span className="dim">{type?.title ?? data?.destinationType}</span>
        <div className="actions">
          <Button
            variant="default"
            renderRoot={(own) => <Link to="/messages" search={{ destinationId: Number(id) }} {...own} />}
          >
            {t('delivery.messages')}
          </Button>
          <Button variant="default" renderRoot={(own) => <Link to="/destinations/$id/edit" params={{ id }} {...own} />}>
            {t('destination.edit')}
          </Button>
        </div>
      </div>
      {error !== null && <Trouble error={error} onRetry={() => void refetch()} />}
      {data?.description != null && <p className="dim destination-words">{data.description}</p>}
      <div className="destination-cards">
        <Health id={id} />
        <MappingsCard id={id} />
      </div>
    </>
  )
}

function Health({ id }: { readonly id: string }) {
  const { t } = useWords()
  const queries = useQueryClient()
  const { data, error, refetch } = useQuery(healthQuery(id))
  const change = useMutation({
    mutationFn: (action: 'pause' | 'resume') =>
      post<DestinationHealthView>(`/v1/destinations/${encodeURIComponent(id)}/${action}`, {}),
    onSuccess: (health) => {
      queries.setQueryData(healthQuery(id).queryKey, health)
      return queries.invalidateQueries({ queryKey: ['overview'] })
    },
  })
  const action = data?.paused == null ? 'pause' : 'resume'
  return (
    <Card title={t('destination.health')} subtitle={t('destination.healthOf')}>
      <div className="card-body">
        {data === undefined && error === null && <Shapes rows={4} />}
        {data !== undefined && <HealthFacts health={data} />}
        {error !== null && <Trouble error={error} onRetry={() => void refetch()} />}
        {change.error !== null && <Trouble error={change.error} />}
        {data !== undefined && (data.state !== 'inactive' || data.paused !== null) && (
          <Button
            variant="default"
            leftSection={action === 'pause' ? <IconPause size={15} aria-hidden /> : <IconPlay size={15} aria-hidden />}
            loading={change.isPending}
            onClick={() => change.mutate(action)}
          >
            {t(`delivery.${action}`)}
          </Button>
        )}
      </div>
    </Card>
  )
}
