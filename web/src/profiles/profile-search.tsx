import { Button, TextInput } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { useNavigate } from '@tanstack/react-router'
import { useRef, useState } from 'react'
import { useWords } from '../words/use-words.tsx'
import { readProfileId } from './profile-id.ts'

/** Any id: a device ID, also in groups of four, or a data source and its ID. */
export function ProfileSearch() {
  const { t } = useWords()
  const navigate = useNavigate()
  const input = useRef<HTMLInputElement>(null)
  const [text, setText] = useState('')
  const [isWrong, setWrong] = useState(false)
  useHotkeys([['/', () => input.current?.focus()]])
  return (
    <search>
      <form
        className="profile-form"
        onSubmit={(event) => {
          event.preventDefault()
          const id = readProfileId(text)
          setWrong(id === undefined)
          if (id !== undefined) void navigate({ to: '/profiles/$id', params: { id }, search: {} })
        }}
      >
        <TextInput
          ref={input}
          flex={1}
          label={t('profiles.label')}
          placeholder={t('profiles.placeholder')}
          value={text}
          error={isWrong ? t('profiles.wrong') : undefined}
          onChange={(event) => {
            setText(event.currentTarget.value)
            setWrong(false)
          }}
        />
        <Button type="submit">{t('profiles.find')}</Button>
      </form>
    </search>
  )
}
