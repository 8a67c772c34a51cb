import { Button } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import type { AttentionItem } from '../api/shapes.ts'
import { Empty } from '../parts/answers.tsx'
import { Card } from '../parts/card.tsx'
import { useFold } from '../parts/fold.tsx'
import { IconAlert, IconCheck, IconClock, IconDead, IconPause, IconRetry, IconShield } from '../parts/icons.ts'
import { useOwed } from '../parts/use-owed.ts'
import { useReason } from '../words/use-reason.ts'
import { useFormats, useWords } from '../words/use-words.tsx'
import type { ChosenDestination } from './delivery-dialogue.tsx'

const LOOKS = {
  breaker_open: { Icon: IconRetry, tone: 'waiting', status: 'retrying' },
  failing: { Icon: IconRetry, tone: 'waiting', status: 'retrying' },
  partial: { Icon: IconRetry, tone: 'waiting', status: 'retrying' },
  unusable: { Icon: IconAlert, tone: 'dead', status: undefined },
  paused: { Icon: IconPause, tone: 'waiting', status: undefined },
  dead_letters: { Icon: IconDead, tone: 'dead', status: 'dead' },
  backlog: { Icon: IconClock, tone: 'waiting', status: 'waiting' },
  disk_share: { Icon: IconAlert, tone: 'waiting', status: 'dead' },
  disk: { Icon: IconAlert, tone: 'waiting', status: undefined },
  damage: { Icon: IconAlert, tone: 'dead', status: undefined },
  opt_out_list: { Icon: IconShield, tone: 'dead', status: undefined },
  private_destinations: { Icon: IconShield, tone: 'waiting', status: undefined },
  clock: { Icon: IconAlert, tone: 'waiting', status: undefined },
} as const

const ITEMS_SHOWN = 8

interface AttentionProps {
  readonly items: readonly AttentionItem[]
  /** There is nobody yet to whom anything could be owed. */
  readonly isBare: boolean
  readonly onManage: (destination: ChosenDestination) => void
}

/** What someone must do, worst first as the server orders it; the thing to do stands beside it. */
export function Attention({ items, isBare, onManage }: AttentionProps) {
  const { t } = useWords()
  const { time, minuteTime } = useFormats()
  // Dead letters are counted by the minute.
  const sinceOf = ({ kind, since }: AttentionItem) =>
    since === null ? '' : kind === 'dead_letters' ? minuteTime(since) : time(since)
  const reasonOf = useReason()
  const owedOf = useOwed()
  const navigate = useNavigate()
  const { shown, fold } = useFold(items, ITEMS_SHOWN, 'other')
  return (
    <Card
      title={t('attention.title')}
      subtitle={items.length > 0 ? t('attention.subtitle', { count: items.length }) : undefined}
    >
      {isBare && (
        <Empty title={t('attention.bare')} step={<a href="/docs">{t('empty.api')}</a>}>
          {t('attention.bareWhy')}
        </Empty>
      )}
      {items.length === 0 && !isBare && (
        <p className="card-body neutral">
          <span className="glyph inline">
            <IconCheck size={15} aria-hidden />
          </span>{' '}
          {t('attention.nothing')}
        </p>
      )}
      <ul className="attention">
        {shown.map((item) => {
          const { Icon, tone: usual } = LOOKS[item.kind]
          // A partner's trouble is waited for; what stops the server as a whole is not.
          const tone = item.severity === 'critical' && item.destinationId === null ? 'dead' : usual
          const status = statusOf(item)
          const values = {
            name: item.name ?? '',
            named: item.name === null ? 'no' : 'yes',
            // While it is read from the disk, nothing may be counted for a moment.
            count: Math.max(item.count ?? 0, item.atLeast ? 1 : 0),
            owed: owedOf({
              waitingUsers: item.count ?? 0,
              moreOnDisk: item.atLeast,
              openMessages: item.messages ?? 0,
            }),
            letters: item.deadLetters ?? 0,
            reason: reasonOf(item.reason) || 'none',
            cause: item.reason ?? 'none',
            next: item.nextAttempt === null ? 'none' : time(item.nextAttempt),
          }
          const destinationId = item.destinationId
          return (
            <li key={`${item.kind} ${item.destinationId} ${item.reason}`}>
              <span className={`glyph ${tone}`}>
                <Icon size={16} aria-hidden />
              </span>
              <div>
                <p className="named">{t(`attention.${item.kind}`, values)}</p>
                <p className="dim small">{t(`attention.${item.kind}.why`, values)}</p>
              </div>
              <span className="dim small tabular nowrap">{sinceOf(item)}</span>
              {destinationId !== null && item.kind === 'paused' ? (
                <Button
                  className="act"
                  size="compact-xs"
                  variant="default"
                  onClick={() => onManage({ destinationId, name: values.name })}
                >
                  {t('attention.paused.act')}
                </Button>
              ) : destinationId !== null && status !== undefined ? (
                <Button
                  className="act"
                  size="compact-xs"
                  variant="default"
                  onClick={() => void navigate({ to: '/messages', search: { destinationId, status } })}
                >
                  {t(`attention.${status}.act`)}
                </Button>
              ) : (
                <span />
              )}
            </li>
          )
        })}
      </ul>
      {fold !== null && <p className="card-body">{fold}</p>}
    </Card>
  )
}

/** Which messages there are to see: none, where nobody waits and none died. */
function statusOf({ kind, count, atLeast, deadLetters }: AttentionItem) {
  if (deadLetters !== null) return 'dead'
  const { status } = LOOKS[kind]
  return status === 'retrying' && count === 0 && !atLeast ? undefined : status
}
