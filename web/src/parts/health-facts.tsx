import type { DestinationHealthView } from '../../../src/contract.ts'
import { useReason } from '../words/use-reason.ts'
import { useFormats, useWords } from '../words/use-words.tsx'
import { Fact } from './fact.tsx'
import { useOwed } from './use-owed.ts'
import { useStanding } from './use-standing.ts'

/** How delivery to one destination stands, since when and why, and what a pause or its end would do [SEC-47]. */
export function HealthFacts({ health }: { readonly health: DestinationHealthView }) {
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
        {paused !== null && t('delivery.resumeWhy', { cause: paused.reason })}
        {paused === null && t(health.state === 'inactive' ? 'delivery.inactiveWhy' : 'delivery.pauseWhy')}
      </p>
    </>
  )
}
