import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { DestinationHealthView } from '../../../src/contract.ts'
import { ApiProblem, get } from '../api/client.ts'
import type { DeliveryDetail } from '../api/shapes.ts'
import { Empty, Shapes, Trouble } from '../parts/answers.tsx'
import { Copy } from '../parts/copy.tsx'
import { IconReplay } from '../parts/icons.ts'
import { State } from '../parts/state.tsx'
import { useStanding } from '../parts/use-standing.ts'
import { useReason } from '../words/use-reason.ts'
import { useFormats, useWords } from '../words/use-words.tsx'
import { AttemptsCard } from './attempts-card.tsx'
import { CopyCurl } from './copy-curl.tsx'
import { Moments } from './moments.tsx'
import { RequestCard } from './request-card.tsx'
import { SignatureCard } from './signature-card.tsx'
import { UsersCard } from './users-card.tsx'

export const INSPECTOR = 'inspector'

/** One message: what was sent, what came back, who was in it and why. */
export function Inspector({ id, onReplay }: { readonly id: string; readonly onReplay: () => void }) {
  const { t } = useWords()
  const { data, error, refetch } = useQuery({
    queryKey: ['deliveries', 'one', id],
    queryFn: () => get<DeliveryDetail>(`/v1/deliveries/${encodeURIComponent(id)}`),
    // Until it has ended.
    refetchInterval: ({ state }) => (state.data?.finishedAt === null ? 5_000 : false),
  })
  if (error instanceof ApiProblem && error.status === 404)
    return (
      <div className="card">
        <Empty title={t('messages.unknown')}>{t('messages.unknownWhy')}</Empty>
      </div>
    )
  if (error !== null)
    return (
      <div className="card">
        <Trouble error={error} onRetry={() => void refetch()} />
      </div>
    )
  if (data === undefined)
    return (
      <div className="card">
        <Shapes rows={7} height={26} />
      </div>
    )
  return (
    <section className="inspector" id={INSPECTOR} aria-label={t('messages.one')} tabIndex={-1}>
      <Head delivery={data} onReplay={onReplay} />
      <RequestCard request={data.request} />
      <div className="column">
        <AttemptsCard attempts={data.attempts} />
        {Object.keys(data.request.headers).length > 0 && (
          <SignatureCard signature={data.signature} request={data.request} />
        )}
      </div>
      <UsersCard recipients={data.recipients} />
    </section>
  )
}

function Head({ delivery, onReplay }: { readonly delivery: DeliveryDetail; readonly onReplay: () => void }) {
  const { t } = useWords()
  const { exact, duration, time } = useFormats()
  const reasonOf = useReason()
  const { deliveryId, destinationId, status, reason, users, createdAt, finishedAt, attempts, request, aamWouldDrop } =
    delivery
  const name = delivery.destinationName ?? t('messages.deletedDestination', { id: String(destinationId) })
  const tookMs = finishedAt === null ? undefined : Date.parse(finishedAt) - Date.parse(createdAt)
  return (
    <section className="card wide" aria-label={deliveryId}>
      <div className="delivery-head">
        <div>
          <h2>
            <Copy value={deliveryId} />
            <State state={status}>
              {status === 'acknowledged' ? t('messages.acknowledgedOn', { number: attempts.length }) : undefined}
            </State>
          </h2>
          <p className="dim">
            {t('messages.facts', {
              name,
              users,
              bytes: exact(new TextEncoder().encode(request.body).length),
            })}{' '}
            {status === 'acknowledged' && tookMs !== undefined && t('messages.took', { time: duration(tookMs) })}
            {reason !== null && t(`messages.why.${status === 'dead' ? 'dead' : 'other'}`, { reason: reasonOf(reason) })}{' '}
            {delivery.nextAttempt !== null && t('messages.nextTry', { time: time(delivery.nextAttempt) })}{' '}
            {finishedAt === null && delivery.nextAttempt === null && <HeldBack destinationId={destinationId} />}{' '}
            {aamWouldDrop && t('messages.aamWouldDrop')}
            {delivery.replayedBy !== null && <OtherMessage name={t('messages.replayedBy')} id={delivery.replayedBy} />}
            {delivery.replayOf !== null && <OtherMessage name={t('messages.replayOf')} id={delivery.replayOf} />}
          </p>
        </div>
        <div className="actions">
          <CopyCurl request={request} />
          <Button
            variant={status === 'dead' ? 'filled' : 'default'}
            leftSection={<IconReplay size={15} aria-hidden />}
            onClick={onReplay}
          >
            {t('replay.open')}
          </Button>
        </div>
      </div>
      <Moments delivery={delivery} />
    </section>
  )
}

/** A message without a next try waits for its destination: the line says for what. */
function HeldBack({ destinationId }: Pick<DeliveryDetail, 'destinationId'>) {
  const { t } = useWords()
  const standingOf = useStanding()
  const { data } = useQuery({
    queryKey: ['health', destinationId],
    queryFn: () => get<DestinationHealthView>(`/v1/destinations/${destinationId}/health`),
    refetchInterval: 5_000,
    retry: false,
  })
  if (data?.state !== 'paused') return null
  return t('messages.heldBack', { standing: standingOf(data) })
}

function OtherMessage({ name, id }: { readonly name: string; readonly id: string }) {
  return (
    <>
      {name}{' '}
      <Link to="/messages/$id" params={{ id }} search={{}} className="mono">
        {id}
      </Link>
      .
    </>
  )
}
