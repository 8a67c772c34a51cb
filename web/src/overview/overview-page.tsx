import { SegmentedControl } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useContext, useState } from 'react'
import { get } from '../api/client.ts'
import { LiveContext } from '../api/live.ts'
import type { Overview, OverviewWindow } from '../api/shapes.ts'
import { Shapes, Trouble } from '../parts/answers.tsx'
import { Card } from '../parts/card.tsx'
import { useFormats, useWords } from '../words/use-words.tsx'
import { keepWindow, keptWindow, readOverviewAddress } from './address.ts'
import { Attention } from './attention.tsx'
import { type ChosenDestination, DeliveryDialogue } from './delivery-dialogue.tsx'
import { FiguresStrip } from './figures.tsx'
import { Flow } from './flow.tsx'
import { Ledger } from './ledger.tsx'

const route = getRouteApi('/')

/** Is it well? What should I do? Why is it so? */
export function OverviewPage() {
  const { t } = useWords()
  const { time } = useFormats()
  const { window = keptWindow() } = readOverviewAddress(route.useSearch())
  const navigate = route.useNavigate()
  const live = useContext(LiveContext)
  const { data, error, isPlaceholderData, refetch } = useQuery({
    queryKey: ['overview', window],
    queryFn: () => get<Overview>('/v1/overview', { window }),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => untilChanged(state.data),
  })
  const [managed, manage] = useState<ChosenDestination>()
  const isLive = live.connection === 'open'
  return (
    <>
      <div className="title-row">
        <h1>{t('overview.title')}</h1>
        {data !== undefined && (
          <span className="dim">
            <i className={`live-dot ${isLive ? 'delivered' : 'waiting'}`} />
            {isLive ? t('overview.live') : t('overview.asOf', { time: time(data.at) })}
          </span>
        )}
        {data !== undefined && isYounger(data, window) && (
          <span className="dim">{t('overview.since', { time: time(data.since) })}</span>
        )}
        <div className="actions">
          <SegmentedControl
            aria-label={t('overview.window')}
            value={window}
            onChange={(value) => {
              keepWindow(value as OverviewWindow)
              void navigate({ search: { window: value as OverviewWindow }, resetScroll: false })
            }}
            data={[
              { value: '1h', label: t('overview.1h') },
              { value: '24h', label: t('overview.24h') },
            ]}
          />
        </div>
      </div>
      {error !== null && (
        <div className="card flow">
          <Trouble error={error} onRetry={() => void refetch()} />
        </div>
      )}
      {data === undefined && error === null && <OverviewShapes />}
      {data !== undefined && (
        <div className={isPlaceholderData || error !== null ? 'stale' : undefined}>
          <FiguresStrip overview={data} rates={live.rates} />
          <Flow flow={data.flow} window={window} />
          <div className="overview-bottom">
            <Attention items={data.needsAttention} isBare={data.ledger.length === 0} onManage={manage} />
            <Ledger rows={data.ledger} onManage={manage} />
          </div>
        </div>
      )}
      <DeliveryDialogue destination={managed} onClose={() => manage(undefined)} />
    </>
  )
}

const REFRESH_MS = 15_000

/** Sooner where something is tried sooner: a time that is past is no next try. */
function untilChanged(overview: Overview | undefined): number {
  const nextMs = (overview?.ledger ?? []).map(({ nextAttempt }) => Date.parse(nextAttempt ?? ''))
  const waits = nextMs.filter((ms) => !Number.isNaN(ms)).map((ms) => ms - Date.parse(overview?.at ?? '') + 500)
  return Math.max(1_000, Math.min(REFRESH_MS, ...waits))
}

/** Did the counting begin within the window? Windows begin at a whole minute, so that one may be missing anyway. */
function isYounger({ at, since }: Overview, window: OverviewWindow): boolean {
  return Date.parse(at) - Date.parse(since) < WINDOW_MS[window] - 60_000
}

const WINDOW_MS = { '1h': 3_600_000, '24h': 86_400_000 } as const

function OverviewShapes() {
  const { t } = useWords()
  return (
    <>
      <div className="card flow">
        <Shapes rows={3} />
      </div>
      <Card title={t('flow.title')} className="flow">
        <Shapes rows={6} height={44} />
      </Card>
      <div className="overview-bottom">
        <Card title={t('attention.title')}>
          <Shapes rows={4} />
        </Card>
        <Card title={t('ledger.title')}>
          <Shapes rows={4} />
        </Card>
      </div>
    </>
  )
}
