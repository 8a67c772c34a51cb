import { useRouterState } from '@tanstack/react-router'
import { useWords } from '../words/use-words.tsx'

/** Parts of the address that its page cannot read are left out, and that is said: the page would answer another question. */
export function UnreadAddress() {
  const { t } = useWords()
  const parts = useRouterState({
    select({ location, matches }) {
      const read = (matches.at(-1)?._strictSearch ?? {}) as Readonly<Record<string, unknown>>
      return Object.entries(location.search)
        .filter(([name, value]) => String(read[name]) !== String(value))
        .map(([name, value]) => `${name}=${value}`)
        .join(', ')
    },
  })
  return parts === '' ? null : (
    <p className="unread waiting" role="note">
      {t('frame.unread', { parts })}
    </p>
  )
}
