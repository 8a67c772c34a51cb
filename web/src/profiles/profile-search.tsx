import { Button, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useRef, useState } from 'react'
import { get } from '../api/client.ts'
import type { Found } from '../api/shapes.ts'
import { Trouble } from '../parts/answers.tsx'
import { usePageKeys } from '../parts/page-keys.ts'
import { useWords } from '../words/use-words.tsx'
import { readProfileId } from './profile-id.ts'

/** Any id: a device ID, also in groups of four, a data source and its ID, or an ID alone, which is then looked for. */
export function ProfileSearch() {
  const { t } = useWords()
  const navigate = useNavigate()
  const input = useRef<HTMLInputElement>(null)
  const [text, setText] = useState('')
  const open = (id: string) => void navigate({ to: '/profiles/$id', params: { id }, search: {} })
  const search = useMutation({
    mutationFn: async (q: string) =>
      (await get<readonly Found[]>('/v1/search', { q })).filter(({ kind }) => kind === 'profile'),
    onSuccess: ([only, ...others]) => {
      if (only !== undefined && others.length === 0) open(String(only.id))
    },
  })
  const found = search.data ?? []
  const isNone = search.data?.length === 0
  usePageKeys([['/', () => input.current?.focus()]])
  return (
    <search>
      <form
        className="profile-form"
        onSubmit={(event) => {
          event.preventDefault()
          const id = readProfileId(text)
          if (id !== undefined) open(id)
          else if (text.trim() !== '') search.mutate(text.trim())
        }}
      >
        <TextInput
          ref={input}
          flex={1}
          label={t('profiles.label')}
          placeholder={t('profiles.placeholder')}
          value={text}
          error={isNone}
          aria-describedby={isNone ? 'no-profile' : undefined}
          onChange={(event) => {
            setText(event.currentTarget.value)
            search.reset()
          }}
        />
        <Button type="submit" loading={search.isPending}>
          {t('profiles.find')}
        </Button>
      </form>
      {isNone && (
        <p id="no-profile" className="not-found dead small" role="alert">
          {t('profiles.none')}
        </p>
      )}
      {search.error !== null && <Trouble error={search.error} />}
      {found.length > 1 && (
        <>
          <p className="not-found" role="status">
            {t('profiles.several', { count: found.length })}
          </p>
          <ul>
            {found.map(({ id, detail }) => (
              <li key={id}>
                <Link to="/profiles/$id" params={{ id: String(id) }} search={{}} className="mono">
                  {id}
                </Link>{' '}
                <span className="dim">{detail}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </search>
  )
}
