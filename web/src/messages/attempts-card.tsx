import type { DeliveryDetail } from '../api/shapes.ts'
import { Card } from '../parts/card.tsx'
import { Glyph } from '../parts/state.tsx'
import { useReason } from '../words/use-reason.ts'
import { useFormats, useWords } from '../words/use-words.tsx'

const STATES = { acknowledged: 'acknowledged', failed: 'dead', unknown: 'retrying' } as const

export function AttemptsCard({ attempts }: Pick<DeliveryDetail, 'attempts'>) {
  const { t } = useWords()
  const { exactTime, duration } = useFormats()
  const reasonOf = useReason()
  return (
    <Card title={t('attempts.title')} subtitle={attempts.length > 1 ? t('attempts.sameBytes') : undefined}>
      {attempts.length === 0 && <p className="card-body dim">{t('attempts.none')}</p>}
      <ol>
        {attempts.map(({ number, startedAt, durationMs, outcome, httpStatus, error, response }) => (
          <li key={number} className="attempt">
            <span className="dim">{number}</span>
            <Glyph state={STATES[outcome]} label={t(`outcome.${outcome}`)} />
            <span className="named">
              {httpStatus === null
                ? error === 'timeout'
                  ? t('attempts.noAnswerWithin', { time: duration(durationMs) })
                  : reasonOf(error) || t('moments.noAnswer')
                : t('attempts.answered', { status: httpStatus })}
            </span>
            <span className="dim tabular">{duration(durationMs)}</span>
            <span className="dim small answer">
              <span className="mono">{exactTime(startedAt)}</span>
              {response.note !== null && <span>{t(`attempts.${response.note}`)}</span>}
              {response.excerpt !== '' && (
                // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard
                <pre className="mono excerpt" tabIndex={0}>
                  {response.excerpt}
                </pre>
              )}
            </span>
          </li>
        ))}
      </ol>
    </Card>
  )
}
