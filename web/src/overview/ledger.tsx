import { ActionIcon } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import type { LedgerRow } from '../api/shapes.ts'
import { Empty } from '../parts/answers.tsx'
import { Card } from '../parts/card.tsx'
import { useFold } from '../parts/fold.tsx'
import { IconDots } from '../parts/icons.ts'
import { StandingGlyph } from '../parts/standing-glyph.tsx'
import { useOwed } from '../parts/use-owed.ts'
import { useStanding } from '../parts/use-standing.ts'
import { useFormats, useWords } from '../words/use-words.tsx'
import type { ChosenDestination } from './delivery-dialogue.tsx'

const PARTS = [
  { part: 'acknowledged', tone: 'delivered' },
  { part: 'waiting', tone: 'waiting' },
  { part: 'dead', tone: 'dead' },
  { part: 'blocked', tone: 'blocked' },
] as const

/** The server has the worst first. */
const ROWS_SHOWN = 8

interface LedgerProps {
  readonly rows: readonly LedgerRow[]
  readonly onManage: (destination: ChosenDestination) => void
}

/** What is owed to each destination, as one stacked bar. A part leads to its messages. */
export function Ledger({ rows, onManage }: LedgerProps) {
  const { t } = useWords()
  const { short, exact, percent } = useFormats()
  const { shown, fold } = useFold(rows, ROWS_SHOWN, 'destination')
  const owedOf = useOwed()
  return (
    <Card title={t('ledger.title')} subtitle={t('ledger.subtitle')}>
      {rows.length === 0 ? (
        <Empty title={t('ledger.empty')} step={<Link to="/destinations/new">{t('destinations.new')}</Link>}>
          {t('ledger.emptyWhy')}
        </Empty>
      ) : (
        <div className="card-body">
          <p className="legend">
            {PARTS.map(({ part, tone }) => (
              <span key={part} className={tone}>
                <i />
                {t(`ledger.${part}`)}
              </span>
            ))}
          </p>
          <ul>
            {shown.map((row) => {
              const all = PARTS.reduce((sum, { part }) => sum + row[part], 0)
              // Those of which the list of messages tells; who waits is told in users.
              const built = row.acknowledged + row.dead + row.openMessages
              const words = PARTS.filter(({ part }) => row[part] > 0).map(({ part }) =>
                part === 'waiting' ? owedOf(row) : `${exact(row[part])} ${t(`ledger.${part}`)}`,
              )
              return (
                <li key={row.destinationId} className="ledger-row">
                  <div>
                    <Link to="/messages" search={{ destinationId: row.destinationId }} className="named">
                      {row.name}
                    </Link>
                    <p className="dim small">{t('ledger.messages', { count: built, shown: short(built) })}</p>
                  </div>
                  <div className="bar" role="img" aria-label={words.join(', ')} title={words.join(', ')}>
                    {PARTS.map(({ part, tone }) =>
                      row[part] > 0 ? <span key={part} className={tone} style={{ flexGrow: row[part] }} /> : null,
                    )}
                  </div>
                  <span className="share tabular">
                    {all === 0 ? t('ledger.nothing') : percent(row.acknowledged / all)}
                  </span>
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    aria-label={t('delivery.title', { name: row.name })}
                    title={t('delivery.title', { name: row.name })}
                    aria-haspopup="dialog"
                    onClick={() => onManage(row)}
                  >
                    <IconDots size={16} aria-hidden />
                  </ActionIcon>
                  {row.state !== 'delivering' && <Standing row={row} />}
                </li>
              )
            })}
          </ul>
          {fold}
        </div>
      )}
    </Card>
  )
}

function Standing({ row }: { readonly row: LedgerRow }) {
  const standingOf = useStanding()
  const owedOf = useOwed()
  return (
    <p className="standing small">
      <StandingGlyph state={row.state} /> {standingOf(row)} {row.waitingUsers > 0 && owedOf(row)}
    </p>
  )
}
