import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { Delivery } from '../api/shapes.ts'
import { IconDoor, IconMember } from '../parts/icons.ts'
import { Glyph } from '../parts/state.tsx'
import { useReason } from '../words/use-reason.ts'
import { useFormats, useWords } from '../words/use-words.tsx'
import type { DeliveryFilter } from './delivery-filter.ts'
import { destinationsQuery } from './destinations-query.ts'

/** Of the segments a message tells of; the message itself names them all. */
const SEGMENTS_SHOWN = 2

interface DeliveryRowProps {
  readonly delivery: Delivery
  readonly filter: DeliveryFilter
  readonly isChosen: boolean
  /** Where the Tab key stops in the list. */
  readonly isStop: boolean
}

/** One message of the list: how it stands, who is told, of what, and when. */
export function DeliveryRow({ delivery, filter, isChosen, isStop }: DeliveryRowProps) {
  const { t } = useWords()
  const { exactTime, duration } = useFormats()
  const reasonOf = useReason()
  const { data: destinations } = useQuery(destinationsQuery)
  const { deliveryId, destinationId, status, attempts, users, createdAt, reason, segments, segmentCount } = delivery
  // What came before a replay is not of this time.
  const ofThisTime = attempts.slice(delivery.attemptsBefore)
  const last = ofThisTime.at(-1)
  const isFirstTry = status === 'acknowledged' && ofThisTime.length === 1 && last !== undefined
  const fact = isFirstTry
    ? duration(last.durationMs)
    : status === 'dead' || status === 'blocked'
      ? last?.httpStatus == null
        ? ''
        : t('attempts.answered', { status: last.httpStatus })
      : ofThisTime.length > 0
        ? t('messages.attempt', { number: ofThisTime.length })
        : ''
  const known = delivery.destinationName ?? destinations?.find((one) => one.destinationId === destinationId)?.name
  const more = segmentCount - Math.min(segments.length, SEGMENTS_SHOWN)
  return (
    <Link
      id={`d-${deliveryId}`}
      to="/messages/$id"
      params={{ id: deliveryId }}
      search={filter}
      className={`delivery ${isChosen ? 'chosen' : ''}`}
      activeOptions={{ includeSearch: false }}
      title={reason === null ? undefined : reasonOf(reason)}
      tabIndex={isStop ? 0 : -1}
    >
      <Glyph state={status} label={t(`status.${status}`)} />
      <span className="named">{known ?? t('messages.deletedDestination', { id: String(destinationId) })}</span>
      <span className="dim small">{fact}</span>
      {segments.slice(0, SEGMENTS_SHOWN).map(({ sid, name, status: told }, at) => {
        const Icon = told === 1 ? IconMember : IconDoor
        return (
          <span key={`${sid} ${told}`} className={`told-of ${told === 1 ? 'sent' : 'neutral'}`}>
            <Icon size={14} aria-hidden />
            <span>
              <span className="hidden">{t(told === 1 ? 'users.in' : 'users.out')} </span>
              {name}
              {more > 0 && at === SEGMENTS_SHOWN - 1 && (
                <span className="dim"> {t('messages.moreSegments', { count: more })}</span>
              )}
            </span>
          </span>
        )
      })}
      <span className="dim small under">
        <span className="mono">{exactTime(createdAt)}</span>, {t('messages.users', { count: users })}
      </span>
    </Link>
  )
}
