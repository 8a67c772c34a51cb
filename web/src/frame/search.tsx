import { TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type KeyboardEvent, useState } from 'react'
import { get } from '../api/client.ts'
import type { Found } from '../api/shapes.ts'
import { Trouble } from '../parts/answers.tsx'
import { Dialogue } from '../parts/dialogue.tsx'
import { IconActivity, IconMember, IconMessages, IconProfiles, IconSent, IconTag } from '../parts/icons.ts'
import { useCopy } from '../parts/use-copy.ts'
import { useWords } from '../words/use-words.tsx'
import { focusPage } from './focus-page.ts'

const ICONS = {
  segment: IconMember,
  trait: IconTag,
  destination: IconSent,
  data_source: IconActivity,
  profile: IconProfiles,
  message: IconMessages,
} as const

/** The server finds no more at a time. */
const FOUND_MAX = 20

/**
 * `Ctrl K`: any part of a name, or an ID pasted whole. A segment leads to its messages; what has no page yet gives its ID, to
 * paste elsewhere.
 */
export function Search({ opened, onClose }: { readonly opened: boolean; readonly onClose: () => void }) {
  const { t } = useWords()
  return (
    <Dialogue opened={opened} onClose={onClose} size="lg" title={t('search.title')} focusesContent>
      <SearchBody onClose={onClose} />
    </Dialogue>
  )
}

function SearchBody({ onClose }: { readonly onClose: () => void }) {
  const { t, has } = useWords()
  const navigate = useNavigate()
  const [text, setText] = useState('')
  const [q] = useDebouncedValue(text.trim(), 150)
  const [chosen, setChosen] = useState(0)
  const [copied, setCopied] = useState<{ readonly item: Found; readonly isDone: boolean } | undefined>()
  const { copy } = useCopy()
  const { data, error } = useQuery({
    queryKey: ['search', q],
    queryFn: () => get<readonly Found[]>('/v1/search', { q }),
    enabled: q !== '',
    placeholderData: keepPreviousData,
  })
  const found = q === '' ? [] : (data ?? [])

  /** A name that is the ID need not be followed by it. */
  const detailOf = ({ kind, id, name, detail }: Found) => {
    const status = `status.${detail}`
    if (kind === 'message') return has(status) ? t(status) : detail
    return detail ?? (name === id ? '' : id)
  }
  const copyId = async (item: Found) => {
    setCopied({ item, isDone: (await copy(String(item.id))) === 'done' })
  }
  const open = (item: Found) => {
    if (item.kind === 'trait' || item.kind === 'data_source') return void copyId(item)
    onClose()
    void go(item).then(focusPage)
  }
  const go = ({ kind, id }: Found): Promise<void> => {
    if (kind === 'message') return navigate({ to: '/messages/$id', params: { id: String(id) }, search: {} })
    if (kind === 'profile')
      return navigate({ to: '/profiles/$id', params: { id: String(id).replace(/^d:/, '') }, search: {} })
    if (kind === 'destination') return navigate({ to: '/destinations/$id', params: { id: String(id) } })
    return navigate({ to: '/messages', search: { segmentId: Number(id) } })
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step !== undefined && found.length > 0) {
      event.preventDefault()
      setChosen((chosen + step + found.length) % found.length)
    }
    const item = found[chosen]
    if (event.key === 'Enter' && item !== undefined) open(item)
  }
  return (
    <>
      <TextInput
        data-autofocus
        size="sm"
        aria-label={t('search.label')}
        placeholder={t('search.placeholder')}
        role="combobox"
        aria-expanded={found.length > 0}
        aria-controls="found"
        aria-activedescendant={found.length > 0 ? `found-${chosen}` : undefined}
        value={text}
        onKeyDown={onKeyDown}
        onChange={(event) => {
          setText(event.currentTarget.value)
          setChosen(0)
        }}
      />
      {error !== null && <Trouble error={error} />}
      {data !== undefined && q !== '' && found.length === 0 && <p className="dim small">{t('search.none', { q })}</p>}
      <p className="dim small" role="status">
        {copied !== undefined &&
          t(copied.isDone ? 'search.copied' : 'search.notCopied', {
            id: String(copied.item.id),
            name: copied.item.name,
          })}
        {copied === undefined && found.length >= FOUND_MAX && t('search.more', { count: FOUND_MAX })}
      </p>
      {found.length > 0 && (
        <div className="found-list" role="listbox" id="found" aria-label={t('search.title')}>
          {found.map((item, at) => {
            const Icon = ICONS[item.kind]
            return (
              // The keys are heard by the input, which owns the list [ARIA combobox].
              // biome-ignore lint/a11y/useKeyWithClickEvents: see above
              <div
                key={`${item.kind} ${item.id}`}
                id={`found-${at}`}
                className="found"
                role="option"
                tabIndex={-1}
                aria-selected={at === chosen}
                onClick={() => open(item)}
              >
                <Icon size={16} aria-hidden />
                <span className="named">{item.name}</span>
                <span className="dim small detail">
                  {t(`kind.${item.kind}`)} {detailOf(item)}
                </span>
              </div>
            )
          })}
        </div>
      )}
    </>
  )
}
