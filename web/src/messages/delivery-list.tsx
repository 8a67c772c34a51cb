import { Button } from '@mantine/core'
import type { UseQueryResult } from '@tanstack/react-query'
import type { KeyboardEvent } from 'react'
import { Empty, Shapes, Trouble } from '../parts/answers.tsx'
import { useFormats, useWords } from '../words/use-words.tsx'
import { type DeliveryFilter, isUnfiltered } from './delivery-filter.ts'
import { DeliveryRow } from './delivery-row.tsx'
import { FilterForm } from './filter-form.tsx'
import { type DeliveryPage, PAGE_SIZE } from './messages-page.tsx'
import { OwedNote } from './owed-note.tsx'

interface DeliveryListProps {
  readonly answer: UseQueryResult<DeliveryPage>
  readonly filter: DeliveryFilter
  readonly chosen: string | undefined
  readonly onFilter: (next: DeliveryFilter) => void
  readonly onReplay: () => void
  /** A key pressed in the list. */
  readonly onKey: (event: KeyboardEvent) => void
}

export function DeliveryList({ answer, filter, chosen, onFilter, onReplay, onKey }: DeliveryListProps) {
  const { t } = useWords()
  const { exact } = useFormats()
  const { data, error, refetch, isPlaceholderData } = answer
  const page = filter.page ?? 0
  const from = page * PAGE_SIZE
  // One stop of the Tab key for the whole list; the arrows move within it.
  const stop = data?.list.some(({ deliveryId }) => deliveryId === chosen) ? chosen : data?.list[0]?.deliveryId
  const mayReplay = filter.q === undefined && !isUnfiltered(filter) && (data?.total ?? 0) > 0
  return (
    <section className="card delivery-list" aria-label={t('messages.list')}>
      <FilterForm filter={filter} onFilter={onFilter} />
      <OwedNote filter={filter} />
      {error !== null && <Trouble error={error} onRetry={() => void refetch()} />}
      {data === undefined && error === null && <Shapes rows={8} height={30} />}
      {data?.list.length === 0 && (chosen !== undefined || data.total > 0) && (
        <NoDelivery total={data.total} filter={filter} onFilter={onFilter} />
      )}
      {data !== undefined && data.list.length > 0 && (
        <ul className={`deliveries ${isPlaceholderData ? 'stale' : ''}`} onKeyDown={onKey}>
          {data.list.map((delivery) => (
            <li key={delivery.deliveryId}>
              <DeliveryRow
                delivery={delivery}
                filter={filter}
                isChosen={delivery.deliveryId === chosen}
                isStop={delivery.deliveryId === stop}
              />
            </li>
          ))}
        </ul>
      )}
      <div className="list-foot">
        {data !== undefined && data.list.length > 0 && (
          <>
            <span>
              {t('messages.range', {
                from: exact(from + 1),
                to: exact(from + data.list.length),
                total: exact(data.total),
              })}
            </span>
            <span className="choices-inline">
              <PageButton
                label={t('messages.previous')}
                isOff={page === 0}
                onClick={() => onFilter({ ...filter, page: page - 1 })}
              />
              <PageButton
                label={t('messages.next')}
                isOff={from + data.list.length >= data.total}
                onClick={() => onFilter({ ...filter, page: page + 1 })}
              />
            </span>
          </>
        )}
        {mayReplay && (
          <Button size="compact-xs" variant="default" onClick={onReplay}>
            {t('replay.all', { count: data?.total ?? 0 })}
          </Button>
        )}
        {data !== undefined && data.list.length > 0 && <span className="by-keys">{t('messages.keys')}</span>}
      </div>
    </section>
  )
}

function PageButton({ label, isOff, onClick }: { label: string; isOff: boolean; onClick: () => void }) {
  return isOff ? null : (
    <button type="button" className="plain-button" onClick={onClick}>
      {label}
    </button>
  )
}

interface NoDeliveryProps extends Pick<DeliveryListProps, 'filter' | 'onFilter'> {
  readonly total: number
}

/** Nothing yet, or nothing that the filter lets through: then why, and a way out of it. */
export function NoDelivery({ total, filter, onFilter }: NoDeliveryProps) {
  const { t } = useWords()
  if (total > 0) {
    const toLast = () => onFilter({ ...filter, page: Math.ceil(total / PAGE_SIZE) - 1 })
    return (
      <Empty
        title={t('messages.noPage', { page: String(filter.page ?? 0) })}
        step={
          <Button variant="default" onClick={toLast}>
            {t('messages.toLastPage')}
          </Button>
        }
      >
        {t('messages.noPageWhy')}
      </Empty>
    )
  }
  if (isUnfiltered(filter)) return <Empty title={t('messages.none')}>{t('messages.noneWhy')}</Empty>
  const { from, to } = filter
  const isBackwards = from !== undefined && to !== undefined && Date.parse(from) >= Date.parse(to)
  return (
    <Empty
      title={t('messages.noResult')}
      step={
        <Button variant="default" onClick={() => onFilter({})}>
          {t('messages.clear')}
        </Button>
      }
    >
      {t(isBackwards ? 'messages.backwards' : 'messages.noResultWhy')}
    </Empty>
  )
}
