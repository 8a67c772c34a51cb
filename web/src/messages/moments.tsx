import type { DeliveryDetail } from '../api/shapes.ts'
import { lookOf } from '../parts/state.tsx'
import { useFormats, useWords } from '../words/use-words.tsx'

/** A pause that is worth naming: longer than any attempt may take. */
const PAUSE_MS = 30_000

interface Moment {
  readonly name: string
  readonly atMs: number
  readonly tone: string
  readonly fact?: string
}

/** The line of time: stored, each attempt, the end; between them how long it was kept. */
export function Moments({ delivery }: { readonly delivery: DeliveryDetail }) {
  const { t } = useWords()
  const { exactTime, duration } = useFormats()
  const { createdAt, finishedAt, attempts, status } = delivery
  const moments: Moment[] = [
    { name: t('moments.stored'), atMs: Date.parse(createdAt), tone: 'neutral' },
    ...attempts.map(({ number, startedAt, outcome, httpStatus }) => ({
      name: t('moments.attempt', { number }),
      atMs: Date.parse(startedAt),
      tone: outcome === 'acknowledged' ? 'delivered' : outcome === 'unknown' ? 'waiting' : 'dead',
      fact: httpStatus === null ? t('moments.noAnswer') : t('moments.answered', { status: httpStatus, outcome }),
    })),
    ...(finishedAt === null
      ? []
      : [{ name: t(`status.${status}`), atMs: Date.parse(finishedAt), tone: lookOf(status).tone }]),
  ]
  return (
    <ol className="moments" aria-label={t('moments.title')}>
      {moments.map(({ name, atMs, tone, fact }, at) => {
        const pauseMs = (moments[at + 1]?.atMs ?? atMs) - atMs
        return (
          <li className={`moment ${tone} ${pauseMs > PAUSE_MS ? 'paused' : ''}`} key={`${name} ${atMs}`}>
            <span className="named small">{name}</span>
            <i />
            <span className="small mono nowrap">{exactTime(new Date(atMs).toISOString())}</span>
            <span className="small dim">{fact === undefined ? '' : ` ${fact}`}</span>
            {pauseMs > PAUSE_MS && <span className="pause">{t('moments.kept', { time: duration(pauseMs) })}</span>}
          </li>
        )
      })}
    </ol>
  )
}
