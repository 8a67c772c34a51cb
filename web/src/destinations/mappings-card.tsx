import { Button, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { Mapping, Segment } from '../../../src/contract.ts'
import { ApiProblem, get, post, remove } from '../api/client.ts'
import { Empty, Shapes, Trouble } from '../parts/answers.tsx'
import { Card } from '../parts/card.tsx'
import { Dialogue } from '../parts/dialogue.tsx'
import { Picker } from '../parts/picker.tsx'
import { useFormats, useWords } from '../words/use-words.tsx'
import { MAPPINGS_SHOWN, mappingsQuery } from './destination-queries.ts'

/** Segments it is told of, what it calls them, and from when to when. */
export function MappingsCard({ id }: { readonly id: string }) {
  const { t } = useWords()
  const { day } = useFormats()
  const queries = useQueryClient()
  const [page, setPage] = useState(0)
  const [gone, setGone] = useState<Mapping | undefined>()
  const { data, error, refetch } = useQuery({ ...mappingsQuery(id, page, ''), placeholderData: keepPreviousData })
  const changed = () => queries.invalidateQueries({ queryKey: ['mappings', id] })
  const unmap = useMutation({
    mutationFn: ({ mappingId }: Mapping) => remove(`/v1/destinations/${encodeURIComponent(id)}/mappings/${mappingId}`),
    onSuccess: () => {
      setGone(undefined)
      return changed()
    },
  })
  const pages = Math.ceil((data?.total ?? 0) / MAPPINGS_SHOWN)
  // The last one of the last page was removed.
  if (data !== undefined && page > 0 && page >= pages) setPage(Math.max(0, pages - 1))
  return (
    <Card title={t('mappings.title')} subtitle={t('mappings.subtitle', { count: data?.total ?? 0 })}>
      {data === undefined && error === null && <Shapes rows={4} />}
      {error !== null && <Trouble error={error} onRetry={() => void refetch()} />}
      {data?.total === 0 && <Empty title={t('mappings.empty')}>{t('mappings.emptyWhy')}</Empty>}
      {data !== undefined && data.list.length > 0 && (
        <ul>
          {data.list.map((one) => (
            <li key={one.mappingId} className="mapping-row">
              <div>
                <p className="named">{one.elementName}</p>
                <p className="dim small">
                  {t('mappings.line', {
                    alias: one.traitAlias,
                    from: day(one.startDate),
                    until: one.endDate === null ? 'none' : day(one.endDate),
                  })}
                </p>
              </div>
              <Button
                variant="default"
                size="compact-xs"
                aria-label={t('mappings.removeOf', { name: one.elementName })}
                onClick={() => setGone(one)}
              >
                {t('mappings.remove')}
              </Button>
            </li>
          ))}
        </ul>
      )}
      {pages > 1 && (
        <div className="card-body buttons">
          <Button variant="default" disabled={page === 0} onClick={() => setPage(page - 1)}>
            {t('mappings.before')}
          </Button>
          <Button variant="default" disabled={page + 1 >= pages} onClick={() => setPage(page + 1)}>
            {t('mappings.after')}
          </Button>
        </div>
      )}
      <AddMapping id={id} onAdded={changed} />
      <Dialogue
        opened={gone !== undefined}
        onClose={() => setGone(undefined)}
        title={t('mappings.removeOf', { name: gone?.elementName ?? '' })}
      >
        <div className="dialogue">
          <p>{t('mappings.removeWhy')}</p>
          {unmap.error !== null && <Trouble error={unmap.error} />}
          <div className="buttons">
            <Button variant="default" onClick={() => setGone(undefined)}>
              {t('form.cancel')}
            </Button>
            <Button loading={unmap.isPending} onClick={() => gone !== undefined && unmap.mutate(gone)}>
              {t('mappings.remove')}
            </Button>
          </div>
        </div>
      </Dialogue>
    </Card>
  )
}

interface SegmentPage {
  readonly list: readonly Pick<Segment, 'sid' | 'name'>[]
}

function AddMapping({ id, onAdded }: { readonly id: string; readonly onAdded: () => Promise<void> }) {
  const { t } = useWords()
  const [sid, setSid] = useState<string | null>(null)
  const [alias, setAlias] = useState('')
  const [typed, setTyped] = useState('')
  const [search] = useDebouncedValue(typed.trim(), 150)
  const segments = useQuery({
    queryKey: ['segments', search],
    queryFn: () => get<SegmentPage>('/v1/segments/', { page: 0, pageSize: 100, search }),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  })
  const add = useMutation({
    mutationFn: () =>
      post<Mapping>(`/v1/destinations/${encodeURIComponent(id)}/mappings`, {
        sid: Number(sid),
        ...(alias.trim() !== '' && { traitAlias: alias.trim() }),
      }),
    onSuccess: () => {
      setSid(null)
      setAlias('')
      return onAdded()
    },
  })
  const faults = new Map(
    (add.error instanceof ApiProblem ? add.error.details : []).map(({ field, message }) => [field, message]),
  )
  const options = (segments.data?.list ?? []).map((one) => ({ value: String(one.sid), label: one.name }))
  const name = options.find(({ value }) => value === sid)?.label
  return (
    <form
      className="card-body mapping-form"
      onSubmit={(event) => {
        event.preventDefault()
        if (sid !== null) add.mutate()
      }}
    >
      <Picker
        label={t('mappings.segment')}
        data={options}
        value={sid}
        error={faults.get('sid')}
        onSearchChange={(text) => setTyped(text === name ? '' : text)}
        onChange={setSid}
      />
      <TextInput
        label={t('mappings.alias')}
        placeholder={sid ?? undefined}
        value={alias}
        error={faults.get('traitAlias')}
        onChange={(event) => setAlias(event.currentTarget.value)}
      />
      <Button type="submit" variant="default" disabled={sid === null} loading={add.isPending}>
        {t('mappings.add')}
      </Button>
      {add.error !== null && <Trouble error={add.error} />}
    </form>
  )
}
