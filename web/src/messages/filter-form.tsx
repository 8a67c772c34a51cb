import { Select, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import type { Segment } from '../../../src/contract.ts'
import { get } from '../api/client.ts'
import { IconSearch } from '../parts/icons.ts'
import { Picker } from '../parts/picker.tsx'
import { useWords } from '../words/use-words.tsx'
import { type DeliveryFilter, type DeliveryStatus, readTime, STATUSES } from './delivery-filter.ts'
import { destinationsQuery } from './destinations-query.ts'

export const FILTER_INPUT = 'delivery-filter'

interface FilterFormProps {
  readonly filter: DeliveryFilter
  readonly onFilter: (next: DeliveryFilter) => void
}

/** A change of the filter begins at the first page. */
export function FilterForm({ filter, onFilter }: FilterFormProps) {
  const { t } = useWords()
  const { data: destinations } = useQuery(destinationsQuery)
  const { data: segment } = useQuery({
    queryKey: ['segment', filter.segmentId],
    queryFn: () => get<Pick<Segment, 'name'>>(`/v1/segments/${filter.segmentId}`),
    enabled: filter.segmentId !== undefined,
    staleTime: 60_000,
  })
  const [text, setText] = useState(filter.q ?? '')
  useEffect(() => setText(filter.q ?? ''), [filter.q])
  const change = (part: { [Key in keyof DeliveryFilter]?: DeliveryFilter[Key] | undefined }) =>
    onFilter({ ...filter, page: undefined, ...part } as DeliveryFilter)
  const apply = () => {
    if (text.trim() !== (filter.q ?? '')) change({ q: text.trim() === '' ? undefined : text.trim() })
  }
  return (
    <search className="delivery-filter">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          apply()
        }}
      >
        <TextInput
          id={FILTER_INPUT}
          aria-label={t('filter.text')}
          placeholder={t('filter.text')}
          leftSection={<IconSearch size={14} aria-hidden />}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          onBlur={apply}
          onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
        />
      </form>
      <Picker
        aria-label={t('filter.destination')}
        placeholder={t('filter.anyDestination')}
        clearable
        clearButtonProps={{ 'aria-label': t('filter.clear') }}
        data={(destinations ?? []).map((one) => ({ value: String(one.destinationId), label: one.name }))}
        value={filter.destinationId === undefined ? null : String(filter.destinationId)}
        onChange={(value) => change({ destinationId: value === null ? undefined : Number(value) })}
      />
      <Select
        aria-label={t('filter.status')}
        placeholder={t('filter.anyStatus')}
        clearable
        clearButtonProps={{ 'aria-label': t('filter.clear') }}
        data={STATUSES.map((value) => ({ value, label: t(`status.${value}`) }))}
        value={filter.status ?? null}
        onChange={(value) => change({ status: (value ?? undefined) as DeliveryStatus | undefined })}
      />
      {filter.segmentId !== undefined && (
        <p className="small">
          {t('filter.segment', { name: segment?.name ?? String(filter.segmentId) })}{' '}
          <button type="button" className="plain-button" onClick={() => change({ segmentId: undefined })}>
            {t('filter.clear')}
          </button>
        </p>
      )}
      <details open={filter.from !== undefined || filter.to !== undefined}>
        <summary className="small">{t('filter.time')}</summary>
        <div className="times">
          {(['from', 'to'] as const).map((end) => (
            <TimeInput
              key={`${end} ${filter[end]}`}
              label={t(`filter.${end}`)}
              iso={filter[end]}
              onTime={(iso) => change({ [end]: iso })}
            />
          ))}
        </div>
      </details>
    </search>
  )
}

interface TimeInputProps {
  readonly label: string
  readonly iso: string | undefined
  readonly onTime: (iso: string | undefined) => void
}

/** Typed, because the browser's own input writes times of its own language, and not in UTC. */
function TimeInput({ label, iso, onTime }: TimeInputProps) {
  const { t } = useWords()
  const [text, setText] = useState(iso?.slice(0, 16).replace('T', ' ') ?? '')
  const [isWrong, setWrong] = useState(false)
  const apply = () => {
    const read = readTime(text)
    setWrong(read === null)
    if (read !== null && read !== iso) onTime(read)
  }
  return (
    <TextInput
      label={label}
      placeholder="2026-11-20 14:07"
      value={text}
      error={isWrong ? t('filter.wrongTime') : undefined}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={apply}
      onKeyDown={(event) => event.key === 'Enter' && apply()}
    />
  )
}
