import { Link, useParams, useRouterState } from '@tanstack/react-router'
import { useEffect } from 'react'
import { shortened } from '../words/formats.ts'
import { useWords } from '../words/use-words.tsx'

const SECTIONS = ['destinations', 'messages', 'profiles'] as const

/** Names the objects above the page; the last one is the page, and the title of the window. */
export function Crumbs() {
  const { t } = useWords()
  const path = useRouterState({ select: (state) => state.location.pathname })
  const isNone = useRouterState({ select: ({ matches }) => matches.some(({ _notFound }) => _notFound === true) })
  const { id } = useParams({ strict: false })
  const section = SECTIONS.find((one) => path.startsWith(`/${one}`)) ?? 'overview'
  const title = isNone ? t('frame.noPage') : t(`${section}.title`)
  useEffect(() => {
    document.title = id === undefined ? `${title} · Usher` : `${shortened(id)} · ${title} · Usher`
  }, [id, title])
  return (
    <nav className="crumbs" aria-label={t('frame.crumbs')}>
      {id === undefined || section === 'overview' || isNone ? (
        <span aria-current="page">{title}</span>
      ) : (
        <>
          <Link to={`/${section}`} search={{}}>
            {title}
          </Link>
          <span aria-hidden>/</span>
          <span aria-current="page" className="mono" title={id}>
            {shortened(id)}
          </span>
        </>
      )}
    </nav>
  )
}
