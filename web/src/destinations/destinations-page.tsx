import { Button, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { Empty, Shapes, Trouble } from '../parts/answers.tsx'
import { useFold } from '../parts/fold.tsx'
import { IconDelivered, IconSearch } from '../parts/icons.ts'
import { usePageKeys } from '../parts/page-keys.ts'
import { StandingGlyph } from '../parts/standing-glyph.tsx'
import { useOwed } from '../parts/use-owed.ts'
import { useStanding } from '../parts/use-standing.ts'
import { useWords } from '../words/use-words.tsx'
import { listedQuery, standingsQuery, typesQuery } from './destination-queries.ts'

const ROWS_SHOWN = 50
const FILTER = 'destination-filter'

/** Every destination, how it stands, and what it is owed. */
export function DestinationsPage() {
  const { t } = useWords()
  const { data, error, refetch } = useQuery(listedQuery)
  const { data: types } = useQuery(typesQuery)
  const { data: overview } = useQuery(standingsQuery)
  const [text, setText] = useState('')
  const standingOf = useStanding()
  const owedOf = useOwed()
  const rows = new Map(overview?.ledger.map((row) => [row.destinationId, row]))
  const wanted = text.trim().toLowerCase()
  const found = (data ?? []).filter(
    ({ name, destinationId }) => name.toLowerCase().includes(wanted) || String(destinationId) === wanted,
  )
  const { shown, fold } = useFold(found, ROWS_SHOWN, 'destination')
  usePageKeys([['/', () => document.getElementById(FILTER)?.focus()]])
  return (
    <>
      <div className="title-row">
        <h1>{t('destinations.title')}</h1>
        {data !== undefined && <span className="dim">{t('destinations.total', { count: data.length })}</span>}
        <div className="actions">
          <Button renderRoot={(own) => <Link to="/destinations/new" {...own} />}>{t('destinations.new')}</Button>
        </div>
      </div>
      <div className="card destinations">
        {data === undefined && error === null && <Shapes rows={4} />}
        {error !== null && <Trouble error={error} onRetry={() => void refetch()} />}
        {data?.length === 0 && <Empty title={t('destinations.empty')}>{t('destinations.emptyWhy')}</Empty>}
        {data !== undefined && data.length > 0 && (
          <>
            <search className="card-body">
              <TextInput
                id={FILTER}
                aria-label={t('destinations.filter')}
                placeholder={t('destinations.filter')}
                leftSection={<IconSearch size={14} aria-hidden />}
                value={text}
                onChange={(event) => setText(event.currentTarget.value)}
              />
            </search>
            {found.length === 0 ? (
              <Empty title={t('destinations.none')}>{t('destinations.noneWhy', { text: text.trim() })}</Empty>
            ) : (
              <ul>
                {shown.map((one) => {
                  const row = rows.get(one.destinationId)
                  const type = types?.find(({ type }) => type === one.destinationType)
                  return (
                    <li key={one.destinationId} className="destination-row">
                      <div>
                        <Link to="/destinations/$id" params={{ id: String(one.destinationId) }} className="named">
                          {one.name}
                        </Link>
                        <p className="dim small">{type?.title ?? one.destinationType}</p>
                      </div>
                      {row === undefined ? (
                        <p className="dim small">
                          {one.status === 'INACTIVE' ? t('destinations.inactive') : t('destinations.unknown')}
                        </p>
                      ) : (
                        <div>
                          <p className="standing-line">
                            {row.state === 'delivering' ? (
                              <span className="glyph inline delivered">
                                <IconDelivered size={14} aria-hidden />
                              </span>
                            ) : (
                              <StandingGlyph state={row.state} />
                            )}
                            {standingOf(row)}
                          </p>
                          <p className="dim small">{owedOf(row)}</p>
                        </div>
                      )}
                    </li>
                  )
                })}
              </ul>
            )}
            {fold !== null && <div className="card-body">{fold}</div>}
          </>
        )}
      </div>
    </>
  )
}
