import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Replay } from '../../../src/contract.ts'
import { get } from '../api/client.ts'
import { Dialogue } from '../parts/dialogue.tsx'
import { useFormats, useWords } from '../words/use-words.tsx'
import { ReplayResult } from './replay-result.tsx'

const LISTED = 20

/** The way to what was replayed, once something was. */
export function Replays() {
  const { t } = useWords()
  const { exact, time } = useFormats()
  const [opened, open] = useState(false)
  const [chosen, choose] = useState<string | undefined>()
  const { data } = useQuery({
    queryKey: ['replays'],
    queryFn: () => get<{ list: readonly Replay[] }>('/v1/deliveries/replays', { pageSize: LISTED }),
    refetchInterval: ({ state }) => (state.data?.list.some(isRunning) === true ? 2_000 : false),
  })
  const list = data?.list ?? []
  if (list.length === 0) return null
  const close = () => {
    open(false)
    choose(undefined)
  }
  return (
    <>
      <Button size="compact-sm" variant="default" onClick={() => open(true)}>
        {t('replays.open', { count: list.filter(isRunning).length })}
      </Button>
      <Dialogue opened={opened} onClose={close} title={t('replays.title')}>
        {chosen !== undefined ? (
          <ReplayResult replayId={chosen} onClose={close} />
        ) : (
          <ul className="dialogue">
            {list.map(({ replayId, as, createdAt, state, progress, counts }) => (
              <li key={replayId}>
                <button type="button" className="plain-button" onClick={() => choose(replayId)}>
                  {t('replays.row', {
                    at: time(createdAt),
                    as,
                    done: exact(progress.done),
                    accepted: exact(counts.acknowledged),
                    of: exact(progress.of),
                    state,
                  })}
                </button>
              </li>
            ))}
          </ul>
        )}
      </Dialogue>
    </>
  )
}

const isRunning = ({ state }: Replay) => state === 'running'
