import type { ReactNode } from 'react'
import type { LiveRates, Overview, SeriesPoint } from '../api/shapes.ts'
import { Sparkline } from '../parts/sparkline.tsx'
import type { Tone } from '../parts/state.tsx'
import { useFormats, useWords } from '../words/use-words.tsx'

/** Five figures, each with unit and scope. The rate moves with the live stream; the rest with the answer. */
export function FiguresStrip({ overview, rates }: { overview: Overview; rates: LiveRates | undefined }) {
  const { t } = useWords()
  const { short, exact, percent, duration } = useFormats()
  const { figures, series, needsAttention } = overview
  const more = needsAttention.some(({ messages, atLeast }) => messages !== null && atLeast) ? 'yes' : 'no'
  const perSecond = rates?.eventsPerSecond ?? figures.eventsPerSecond
  const latency = figures.eventToPartnerMs
  const median = latency === null ? [t('figures.noneYet')] : duration(latency.median).split(' ')
  const of = (pick: (point: SeriesPoint) => number | null) => series.map(pick)
  return (
    <dl className="card figures">
      <Figure
        name={t('figures.events')}
        value={short(perSecond < 10 ? Math.round(perSecond * 10) / 10 : Math.round(perSecond))}
        exact={exact(perSecond)}
        unit={t('figures.perSecond')}
        side={t('figures.peak', { peak: short(figures.eventsPeakPerSecond), events: short(figures.events) })}
        trend={of((point) => point.events)}
        tone="sent"
      />
      <Figure
        name={t('figures.profiles')}
        value={short(figures.profilesSeen)}
        exact={exact(figures.profilesSeen)}
        side={t('figures.profilesScope')}
      />
      <Figure
        name={t('figures.entered')}
        value={short(figures.entered)}
        exact={exact(figures.entered)}
        unit={t('figures.memberships', { count: figures.entered })}
        side={t('figures.left', { count: figures.left, shown: short(figures.left) })}
        trend={of((point) => point.entered)}
        tone="sent"
      />
      <Figure
        name={t('figures.acknowledged')}
        value={figures.acknowledgedShare === null ? t('figures.noneYet') : percent(figures.acknowledgedShare)}
        exact={t('figures.acknowledgedExact', { count: figures.acknowledged })}
        side={[
          t('figures.dead', { count: figures.dead }),
          ...(figures.waitingUsers > 0 ? [t('figures.waiting', { count: figures.waitingUsers, more })] : []),
        ].join(', ')}
        trend={of(({ acknowledged, dead }) =>
          acknowledged + dead === 0 ? null : acknowledged / (acknowledged + dead),
        )}
        tone={figures.refused + figures.waitingUsers > 0 ? 'waiting' : 'delivered'}
      />
      <Figure
        name={t('figures.latency')}
        value={median[0] ?? ''}
        exact={latency === null ? '' : `${exact(latency.median)} ms`}
        unit={latency === null ? undefined : t('figures.median', { unit: median.slice(1).join(' ') })}
        side={latency === null ? t('figures.latencyWhy') : t('figures.p99', { time: duration(latency.p99) })}
        trend={of((point) => point.medianMs)}
        tone="delivered"
      />
    </dl>
  )
}

interface FigureProps {
  readonly name: string
  readonly value: string
  readonly exact: string
  readonly unit?: string | undefined
  readonly side: ReactNode
  readonly trend?: readonly (number | null)[]
  readonly tone?: Tone
}

function Figure({ name, value, exact, unit, side, trend, tone = 'sent' }: FigureProps) {
  return (
    <div className="figure">
      <dt>{name}</dt>
      <dd>
        <p className="value" title={exact}>
          {value} {unit !== undefined && <span className="unit">{unit}</span>}
        </p>
        <p className="side">{side}</p>
      </dd>
      {trend !== undefined && (
        <dd>
          <Sparkline values={trend} tone={tone} />
        </dd>
      )}
    </div>
  )
}
