import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useEffect } from 'react'
import type { ReplayDetail, ReplayMessage } from '../../../src/contract.ts'
import { get, post } from '../api/client.ts'
import { Shapes, Trouble } from '../parts/answers.tsx'
import { Glyph } from '../parts/state.tsx'
import { shortened } from '../words/formats.ts'
import { useReason } from '../words/use-reason.ts'
import { useFormats, useWords } from '../words/use-words.tsx'
import { destinationsQuery } from './destinations-query.ts'

const SHOWN_MAX = 50
/** As the glyphs of messages have it. */
const GLYPHS: Partial<Record<ReplayMessage['outcome'], string>> = { queued: 'sending', not_sent: 'superseded' }

/** What became of each message of a replay, while it runs and after; and a hand to stop it. */
export function ReplayResult({ replayId, onClose }: { readonly replayId: string; readonly onClose: () => void }) {
  const { t } = useWords()
  const { exact } = useFormats()
  const reasonOf = useReason()
  const queries = useQueryClient()
  const path = `/v1/deliveries/replays/${encodeURIComponent(replayId)}`
  const queryKey = ['replays', replayId]
  const { data, error, refetch } = useQuery({
    queryKey,
    queryFn: () => get<ReplayDetail>(path, { pageSize: SHOWN_MAX }),
    staleTime: 0,
    refetchInterval: ({ state }) => (state.data !== undefined && mayChange(state.data) ? 1_000 : false),
  })
  const stop = useMutation({
    mutationFn: () => post(`${path}/cancel`, {}),
    onSettled: () => queries.invalidateQueries({ queryKey: ['replays'] }),
  })
  const done = data?.progress.done
  // What was sent again stands in the list of messages, too.
  useEffect(() => {
    if (done !== undefined) void queries.invalidateQueries({ queryKey: ['deliveries'] })
  }, [queries, done])
  if (data === undefined)
    return error === null ? <Shapes rows={3} /> : <Trouble error={error} onRetry={() => void refetch()} />
  const { progress, state, reason, messages } = data
  return (
    <div className="dialogue">
      <p role="status">{t(`replay.${state}`, { done: exact(progress.done), count: progress.of })}</p>
      <Tally replay={data} />
      {reason !== null && <p>{t('replay.waitsFor', { reason: reasonOf(reason) })}</p>}
      <ul className="replay-messages">
        {messages.list.map((message) => (
          <MessageResult key={message.deliveryId} message={message} onLeave={onClose} />
        ))}
      </ul>
      {messages.total > messages.list.length && (
        <p className="dim small">{t('replay.more', { count: messages.total - messages.list.length })}</p>
      )}
      {stop.error !== null && <Trouble error={stop.error} />}
      <div className="buttons">
        {state === 'running' && (
          <Button variant="default" loading={stop.isPending} onClick={() => stop.mutate()}>
            {t('replay.stop')}
          </Button>
        )}
        <Button data-autofocus onClick={onClose}>
          {t('close')}
        </Button>
      </div>
    </div>
  )
}

/** What was begun before a stop may still end. */
function mayChange({ state, counts }: ReplayDetail): boolean {
  return state === 'running' || (state === 'cancelled' && counts.queued > 0)
}

/** How many were sent, and what the partner said; why not, where it is the same of all. */
function Tally({ replay }: { readonly replay: ReplayDetail }) {
  const { t } = useWords()
  const reasonOf = useReason()
  const { counts, messages, state } = replay
  const reasons = new Set(messages.list.filter(({ outcome }) => outcome === 'dead').map(({ reason }) => reason))
  const [reason = null] = reasons
  const isOne = reasons.size === 1 && messages.list.length === messages.total
  const lines = [
    counts.dead > 0 && t('replay.refused', { count: counts.dead, reason: (isOne && reasonOf(reason)) || 'none' }),
    t('replay.accepted', { count: counts.acknowledged }),
    counts.superseded > 0 && t('replay.superseded', { count: counts.superseded }),
    counts.not_sent > 0 && t('replay.notSent', { count: counts.not_sent }),
    counts.cancelled > 0 && t('replay.takenBack', { count: counts.cancelled }),
    state === 'cancelled' && counts.queued > 0 && t('replay.onItsWay', { count: counts.queued }),
  ].filter((line) => line !== false)
  return <p>{lines.join(' ')}</p>
}

function MessageResult({ message, onLeave }: { readonly message: ReplayMessage; readonly onLeave: () => void }) {
  const { t } = useWords()
  const reasonOf = useReason()
  const { deliveryId, destinationId, outcome, sent, reason } = message
  const { data: destinations } = useQuery(destinationsQuery)
  const partner = destinations?.find((one) => one.destinationId === destinationId)?.name
  return (
    <li>
      <Glyph state={GLYPHS[outcome] ?? outcome} />
      <Link to="/messages/$id" params={{ id: deliveryId }} search={{}} className="small" onClick={onLeave}>
        {partner !== undefined && `${partner} `}
        <span className="mono">{shortened(deliveryId)}</span>
      </Link>
      <span className="small">
        {t('replay.outcome', { state: outcome, sent: sent ?? 'none', reason: reasonOf(reason) || 'none' })}
      </span>
    </li>
  )
}
