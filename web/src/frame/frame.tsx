import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Outlet } from '@tanstack/react-router'
import { useEffect, useMemo, useState } from 'react'
import { LiveContext, type LiveListener, useLive } from '../api/live.ts'
import { sessionQuery } from '../api/session.ts'
import type { Session } from '../api/shapes.ts'
import { IconSearch, IconWifiOff } from '../parts/icons.ts'
import { usePageKeys } from '../parts/page-keys.ts'
import { useFormats, useWords } from '../words/use-words.tsx'
import { Crumbs } from './crumbs.tsx'
import { PAGE, useFocusOnNewPage } from './focus-page.ts'
import { KeyboardHelp } from './keyboard-help.tsx'
import { Navigation } from './navigation.tsx'
import { Search } from './search.tsx'
import { SignIn } from './sign-in.tsx'
import { UnreadAddress } from './unread-address.tsx'
import { UserMenu } from './user-menu.tsx'

/** Every page stands in it; without a session there is only the sign-in page. */
export function Frame() {
  const { data: session, error, isPending } = useQuery(sessionQuery)
  if (isPending) return null
  if (session === null || session === undefined) return <SignIn error={error} />
  return <SignedIn session={session} />
}

const NEWS_EVERY_MS = 5000

function SignedIn({ session }: { readonly session: Session }) {
  const { t } = useWords()
  const { time } = useFormats()
  const [dialogue, setDialogue] = useState<'search' | 'keys' | undefined>()
  const live = useLive(useRefreshes())
  const close = () => setDialogue(undefined)
  usePageKeys([['mod+K', () => setDialogue('search')]], true)
  usePageKeys([
    ['shift+?', () => setDialogue('keys')],
    ['?', () => setDialogue('keys')],
  ])
  useFocusOnNewPage()
  return (
    <LiveContext value={live}>
      <a href={`#${PAGE}`} className="skip">
        {t('frame.skip')}
      </a>
      {live.connection === 'lost' && (
        <p className="connection" role="status">
          <IconWifiOff size={16} aria-hidden />
          {live.lastMs === undefined
            ? t('frame.lost')
            : t('frame.lostSince', { time: time(new Date(live.lastMs).toISOString()) })}
        </p>
      )}
      <div className="frame">
        <Navigation />
        <div className="main">
          <header className="header">
            <Crumbs />
            <button type="button" className="search-opener" onClick={() => setDialogue('search')}>
              <IconSearch size={15} style={{ flex: 'none' }} aria-hidden />
              <span className="words">{t('search.placeholder')}</span>
              <span className="keys-at-end">
                <kbd>Ctrl K</kbd>
              </span>
            </button>
            <Clock />
            <UserMenu session={session} onKeys={() => setDialogue('keys')} />
          </header>
          <main id={PAGE} tabIndex={-1}>
            <UnreadAddress />
            <Outlet />
          </main>
        </div>
      </div>
      <Search opened={dialogue === 'search'} onClose={close} />
      <KeyboardHelp opened={dialogue === 'keys'} onClose={close} />
    </LiveContext>
  )
}

/** What is on the page is asked for again when something happened, not for each happening; and when the server is back. */
function useRefreshes(): LiveListener {
  const queries = useQueryClient()
  return useMemo(() => {
    let lastMs = 0
    return {
      onNews() {
        if (Date.now() - lastMs < NEWS_EVERY_MS) return
        lastMs = Date.now()
        void queries.invalidateQueries({ queryKey: ['overview'] })
        void queries.invalidateQueries({ queryKey: ['deliveries'] })
      },
      onRefused: () => void queries.invalidateQueries(sessionQuery),
      onBack: () => void queries.invalidateQueries(),
    }
  }, [queries])
}

/** The one place that says the zone, at every width. */
function Clock() {
  const { t } = useWords()
  const { wallDay, wallTime } = useFormats()
  const [nowMs, setNowMs] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [])
  return (
    <span className="clock tabular" title={t('frame.utc')}>
      <span className="clock-day">{wallDay(nowMs)}, </span>
      {wallTime(nowMs)} UTC<span className="hidden">. {t('frame.utc')}</span>
    </span>
  )
}
