import { ActionIcon, Popover } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { ApiProblem } from '../api/client.ts'
import { sessionQuery, signOut } from '../api/session.ts'
import type { Session } from '../api/shapes.ts'
import { useFormats, useWords } from '../words/use-words.tsx'
import { Preferences } from './preferences.tsx'

export function UserMenu({ session, onKeys }: { readonly session: Session; readonly onKeys: () => void }) {
  const { t } = useWords()
  const { time } = useFormats()
  const queries = useQueryClient()
  const [opened, setOpened] = useState(false)
  const initials = session.user.name
    .split(/\s+/)
    .map((word) => word.charAt(0).toUpperCase())
    .slice(0, 2)
    .join('')
  const leave = async () => {
    // A session that had ended before is as good as ended now; what was seen in it goes too.
    await signOut().catch((error) => {
      if (!(error instanceof ApiProblem && error.status === 401)) throw error
    })
    queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' })
    queries.setQueryData(sessionQuery.queryKey, null)
  }
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-end" width={250} trapFocus returnFocus>
      <Popover.Target>
        <ActionIcon
          radius="xl"
          size={28}
          variant="light"
          color="petrol"
          className="initials"
          aria-label={t('frame.user', { name: session.user.name, initials })}
          onClick={() => setOpened(!opened)}
        >
          {initials}
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown aria-label={session.user.name}>
        <div className="dialogue">
          <div>
            <p className="named">{session.user.name}</p>
            <p className="dim small">{t('frame.until', { time: time(session.expiresAt) })}</p>
          </div>
          <Preferences />
          <button
            type="button"
            className="plain-button"
            onClick={() => {
              setOpened(false)
              onKeys()
            }}
          >
            {t('keys.title')}
          </button>
          <button type="button" className="plain-button" onClick={() => void leave()}>
            {t('frame.signOut')}
          </button>
        </div>
      </Popover.Dropdown>
    </Popover>
  )
}
