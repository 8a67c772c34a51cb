import { Button, Radio } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { ReplayAnswer, ReplayPlan } from '../../../src/contract.ts'
import { post } from '../api/client.ts'
import { Shapes, Trouble } from '../parts/answers.tsx'
import { Dialogue } from '../parts/dialogue.tsx'
import { IconReplay } from '../parts/icons.ts'
import { useFormats, useWords } from '../words/use-words.tsx'
import { type DeliveryFilter, replayFilter } from './delivery-filter.ts'
import { ReplayResult } from './replay-result.tsx'

export type ReplayChoice = { readonly deliveryIds: readonly string[] } | { readonly filter: DeliveryFilter }
type As = 'same' | 'current'

const bodyOf = (choice: ReplayChoice) => ('filter' in choice ? replayFilter(choice.filter) : choice)

/** Counts by a dry run what would happen, then asks. */
export function ReplayDialogue({ choice, onClose }: { choice: ReplayChoice | undefined; onClose: () => void }) {
  const { t } = useWords()
  return (
    <Dialogue opened={choice !== undefined} onClose={onClose} title={t('replay.title')}>
      {choice !== undefined && <ReplayBody choice={choice} onClose={onClose} />}
    </Dialogue>
  )
}

function ReplayBody({ choice, onClose }: { readonly choice: ReplayChoice; readonly onClose: () => void }) {
  const { t } = useWords()
  const { exact } = useFormats()
  const queries = useQueryClient()
  const [as, setAs] = useState<As>('same')
  const ask = (dryRun: boolean) => post<ReplayAnswer>('/v1/deliveries/replay', { ...bodyOf(choice), as, dryRun })
  const dryRun = useQuery({ queryKey: ['replay', choice, as], queryFn: () => ask(true), staleTime: 0, gcTime: 0 })
  const replay = useMutation({
    mutationFn: () => ask(false),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ['replays'] })
      return queries.invalidateQueries({ queryKey: ['deliveries'] })
    },
  })
  const plan = dryRun.data?.plan
  // A dry run queues nothing; what it matched would be, but for what has no destination, or nothing to tell.
  const queued = (dryRun.data?.matched ?? 0) - (plan?.withoutDestination ?? 0) - (plan?.nothingToTell ?? 0)
  const isNothing = dryRun.data !== undefined && queued === 0
  const { replayId } = replay.data ?? { replayId: null }
  if (replayId !== null) return <ReplayResult replayId={replayId} onClose={onClose} />
  if (replay.data !== undefined)
    return (
      <div className="dialogue">
        <p role="status">{t('replay.done', { count: replay.data.queued })}</p>
        <div className="buttons">
          <Button onClick={onClose}>{t('close')}</Button>
        </div>
      </div>
    )
  return (
    <div className="dialogue">
      <Radio.Group label={t('replay.what')} value={as} onChange={(value) => setAs(value as As)}>
        <div className="dialogue">
          <Radio value="same" label={t('replay.same')} description={t('replay.sameWhy')} />
          <Radio value="current" label={t('replay.current')} description={t('replay.currentWhy')} />
        </div>
      </Radio.Group>
      {dryRun.isPending && <Shapes rows={1} />}
      {dryRun.error !== null && <Trouble error={dryRun.error} onRetry={() => void dryRun.refetch()} />}
      {dryRun.data !== undefined && (
        <div aria-live="polite">
          <p>{t(as === 'same' || queued === 0 ? 'replay.counted' : 'replay.anew', { count: queued })}</p>
          {plan !== undefined && <Plan plan={plan} as={as} queued={queued} />}
        </div>
      )}
      {replay.error !== null && <Trouble error={replay.error} />}
      <div className="buttons">
        <Button variant="default" onClick={onClose}>
          {t(isNothing ? 'close' : 'replay.keep')}
        </Button>
        {!isNothing && (
          <Button
            leftSection={<IconReplay size={15} aria-hidden />}
            disabled={queued === 0}
            loading={replay.isPending}
            onClick={() => replay.mutate()}
          >
            {t('replay.do', { count: exact(queued) })}
          </Button>
        )}
      </div>
    </div>
  )
}

/** What of it goes otherwise than was asked, and what does not go at all. */
function Plan({ plan, as, queued }: { readonly plan: ReplayPlan; readonly as: As; readonly queued: number }) {
  const { t } = useWords()
  // Others there are only beside some that go out.
  const beside = queued > 0 ? 'yes' : 'no'
  const { unchanged, rebuilt, nothingToTell, held, underWay, unknown, withoutDestination } = plan
  const lines = [
    as === 'same' && unchanged === null && t('replay.manyNewer'),
    as === 'same' && (rebuilt ?? 0) > 0 && t('replay.rebuilt', { count: rebuilt ?? 0 }),
    (nothingToTell ?? 0) > 0 && t('replay.nothing', { count: nothingToTell ?? 0 }),
    held > 0 && t('replay.held', { count: held }),
    underWay > 0 && t('replay.underWay', { count: underWay, beside }),
    unknown > 0 && t('replay.unknown', { count: unknown, beside }),
    withoutDestination > 0 && t('replay.deleted', { count: withoutDestination, beside }),
  ].filter((line) => line !== false)
  return lines.map((line) => (
    <p key={line} className="dim small">
      {line}
    </p>
  ))
}
