import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { type KeyboardEvent, useState } from 'react'
import { get } from '../api/client.ts'
import type { Delivery } from '../api/shapes.ts'
import { Empty } from '../parts/answers.tsx'
import { usePageKeys } from '../parts/page-keys.ts'
import { useWords } from '../words/use-words.tsx'
import { type DeliveryFilter, readDeliveryFilter } from './delivery-filter.ts'
import { DeliveryList, NoDelivery } from './delivery-list.tsx'
import { FILTER_INPUT } from './filter-form.tsx'
import { INSPECTOR, Inspector } from './inspector.tsx'
import { type ReplayChoice, ReplayDialogue } from './replay-dialogue.tsx'
import { Replays } from './replays.tsx'

export const PAGE_SIZE = 50

export interface DeliveryPage {
  readonly total: number
  readonly list: readonly Delivery[]
}

/** Messages of all destinations: the list left, one message right. Filter and choice stand in the address. */
export function MessagesPage() {
  const { t } = useWords()
  const navigate = useNavigate()
  const { id } = useParams({ strict: false })
  const filter = readDeliveryFilter(useSearch({ strict: false }))
  const [replay, setReplay] = useState<ReplayChoice | undefined>()
  const answer = useQuery({
    queryKey: ['deliveries', filter],
    queryFn: () => get<DeliveryPage>('/v1/deliveries', { ...filter, page: filter.page ?? 0, pageSize: PAGE_SIZE }),
    placeholderData: keepPreviousData,
  })
  const list = answer.data?.list ?? []
  const isNone = answer.data?.total === 0

  const open = (deliveryId: string) => {
    const focus = () => document.getElementById(`d-${deliveryId}`)?.focus()
    void navigate({
      to: '/messages/$id',
      params: { id: deliveryId },
      search: filter,
      replace: id !== undefined,
      resetScroll: false,
    }).then(() => requestAnimationFrame(focus))
  }
  const moveTo = (at: number) => {
    const next = list[Math.min(Math.max(at, 0), list.length - 1)]
    if (next !== undefined) open(next.deliveryId)
  }
  const move = (step: number) => {
    const at = list.findIndex((delivery) => delivery.deliveryId === id)
    moveTo(at < 0 ? 0 : at + step)
  }
  const onKeyInList = (event: KeyboardEvent) => {
    if (event.key === 'Home') moveTo(0)
    if (event.key === 'End') moveTo(list.length - 1)
    // It is open already: on into it.
    if (event.key === 'Enter' && document.activeElement?.id === `d-${id}`) {
      event.preventDefault()
      document.getElementById(INSPECTOR)?.focus()
    }
  }
  const show = (next: DeliveryFilter) =>
    id === undefined
      ? navigate({ to: '/messages', search: next })
      : navigate({ to: '/messages/$id', params: { id }, search: next })
  const back = () => {
    const inInspector = document.getElementById(INSPECTOR)?.contains(document.activeElement) === true
    if (inInspector && id !== undefined) return document.getElementById(`d-${id}`)?.focus()
    if (id !== undefined) void navigate({ to: '/messages', search: filter })
  }
  usePageKeys([
    ['ArrowDown', () => move(1)],
    ['ArrowUp', () => move(-1)],
    ['/', () => document.getElementById(FILTER_INPUT)?.focus()],
    ['R', () => id !== undefined && setReplay({ deliveryIds: [id] })],
    ['Escape', back],
  ])
  return (
    <>
      <div className="title-row">
        <h1>{t('messages.title')}</h1>
        {answer.data !== undefined && <span className="dim">{t('messages.total', { count: answer.data.total })}</span>}
        <Replays />
      </div>
      {id !== undefined && (
        <Link to="/messages" search={filter} className="to-list">
          {t('messages.toList')}
        </Link>
      )}
      <div className={`messages ${id !== undefined ? 'has-choice' : isNone ? 'has-none' : ''}`}>
        <DeliveryList
          answer={answer}
          filter={filter}
          chosen={id}
          onFilter={(next) => void show(next)}
          onReplay={() => setReplay({ filter })}
          onKey={onKeyInList}
        />
        {id === undefined && isNone ? (
          <div className="card">
            <NoDelivery total={0} filter={filter} onFilter={(next) => void show(next)} />
          </div>
        ) : id === undefined ? (
          <div className="card">
            <Empty title={t('messages.choose')}>{t('messages.chooseHow')}</Empty>
          </div>
        ) : (
          <Inspector key={id} id={id} onReplay={() => setReplay({ deliveryIds: [id] })} />
        )}
      </div>
      <ReplayDialogue choice={replay} onClose={() => setReplay(undefined)} />
    </>
  )
}
