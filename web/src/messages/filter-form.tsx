import { Select, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { IconSearch } from '../parts/icons.ts'
import { useWords } from '../words/use-words.tsx'
import { type DeliveryFilter, type DeliveryStatus, STATUSES } from './delivery-filter.ts'
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
      <Select
        aria-label={t('filter.destination')}
        placeholder={t('filter.anyDestination')}
        clearable
        searchable
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
      <div className="times">
        {(['from', 'to'] as const).map((end) => (
          <TextInput
            key={end}
            type="datetime-local"
            label={t(`filter.${end}`)}
            value={filter[end]?.slice(0, 16) ?? ''}
            onChange={({ currentTarget: { value } }) =>
              change({ [end]: value === '' ? undefined : `${value}:00.000Z` })
            }
          />
        ))}
      </div>
    </search>
  )
}
