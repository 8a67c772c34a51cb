import { SegmentedControl } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import type { ProfileView } from '../../../src/contract.ts'
import { get } from '../api/client.ts'
import type { Delivery } from '../api/shapes.ts'
import { destinationsQuery } from '../messages/destinations-query.ts'
import type { DeliveryPage } from '../messages/messages-page.tsx'
import { Card } from '../parts/card.tsx'
import { useFold } from '../parts/fold.tsx'
import { IconArrowIn, IconArrowOut, IconLink, IconSent, IconTag } from '../parts/icons.ts'
import { profileAddress } from '../words/formats.ts'
import { useFormats, useWords } from '../words/use-words.tsx'
import { readProfileAddress, STORY_KINDS, type StoryKind } from './address.ts'

const route = getRouteApi('/profiles/$id')

const ICONS = {
  entered: IconArrowIn,
  left: IconArrowOut,
  realized: IconTag,
  synced: IconLink,
  sent: IconSent,
  told: IconSent,
} as const
const MOMENTS_SHOWN = 40

interface Moment {
  readonly kind: keyof typeof ICONS
  readonly at: string
  /** Traits are kept by day. */
  readonly isDayOnly: boolean
  readonly values: Record<string, string | number>
  /** The message that told this. */
  readonly deliveryId?: string
  /** Or all that told this destination of the profile. */
  readonly destinationId?: number
  /** What the message told of this profile. */
  readonly of?: Delivery['segments']
}

/** Messages that are asked for; the list of messages has the rest. */
const MESSAGES_MAX = 100

/** What happened, newest first, by day. */
export function Story({ profile }: { readonly profile: ProfileView }) {
  const { t } = useWords()
  const { day } = useFormats()
  const { show = 'all' } = readProfileAddress(route.useSearch())
  const navigate = route.useNavigate()
  const { data: destinations } = useQuery(destinationsQuery)
  const q = profileAddress(profile.profileId)
  const { data: messages } = useQuery({
    queryKey: ['deliveries', 'of', q],
    queryFn: () => get<DeliveryPage>('/v1/deliveries', { q, page: 0, pageSize: MESSAGES_MAX }),
  })
  const nameOf = (id: number) => destinations?.find((one) => one.destinationId === id)?.name ?? String(id)
  const sent = messages?.list ?? []
  const all = [...momentsOf(profile), ...toldMoments(profile, sent, nameOf)]
    .sort((a, b) => b.at.localeCompare(a.at))
    .filter(({ kind }) => (STORY_KINDS[show] as readonly string[]).includes(kind))
  const { shown: moments, fold } = useFold(all, MOMENTS_SHOWN, 'other')
  const days = [...new Set(moments.map(({ at }) => at.slice(0, 10)))]
  return (
    <Card
      title={t('story.title')}
      subtitle={t('story.subtitle')}
      right={
        <SegmentedControl
          aria-label={t('story.show')}
          value={show}
          onChange={(value) =>
            void navigate({ search: (before) => ({ ...before, show: value as StoryKind }), resetScroll: false })
          }
          data={(Object.keys(STORY_KINDS) as StoryKind[]).map((value) => ({ value, label: t(`story.${value}`) }))}
        />
      }
    >
      <div className="card-body">
        {moments.length === 0 && <p className="dim">{t('story.none')}</p>}
        {days.map((date) => (
          <section key={date} aria-label={day(date)}>
            <h3 className="day-title">{day(date)}</h3>
            <ol>
              {moments
                .filter(({ at }) => at.startsWith(date))
                .map((moment) => (
                  <Row
                    key={`${moment.kind} ${moment.at} ${moment.deliveryId} ${JSON.stringify(moment.values)}`}
                    moment={moment}
                    q={q}
                  />
                ))}
            </ol>
          </section>
        ))}
        {(messages?.total ?? 0) > sent.length && (
          <p className="small">
            <Link to="/messages" search={{ q }}>
              {t('story.moreMessages', { count: (messages?.total ?? 0) - sent.length })}
            </Link>
          </p>
        )}
        {fold}
      </div>
    </Card>
  )
}

function Row({ moment, q }: { readonly moment: Moment; readonly q: string }) {
  const { t } = useWords()
  const { kind, at, isDayOnly, values, deliveryId, destinationId, of = [] } = moment
  const Icon = ICONS[kind]
  return (
    <li className="story-row">
      <span className={isDayOnly ? 'dim small' : 'mono dim'}>{isDayOnly ? t('story.thatDay') : at.slice(11, 19)}</span>
      <Icon size={15} aria-hidden />
      <span>{t(`story.${kind}`, values)}</span>
      {deliveryId !== undefined ? (
        <Link to="/messages/$id" params={{ id: deliveryId }} search={{ q }} className="line-id">
          {t('story.toMessage')}
        </Link>
      ) : (
        destinationId !== undefined && (
          <Link to="/messages" search={{ destinationId, q }} className="line-id">
            {t('story.toMessages')}
          </Link>
        )
      )}
      {of.map(({ sid, name, status: told }) => (
        <span key={`${sid} ${told}`} className="dim small of">
          {t('story.of', { name, told })}
        </span>
      ))}
    </li>
  )
}

/** Since when it is as it is: its end, its last try, or its making. */
function stateAt({ createdAt, finishedAt, attempts }: Pick<Delivery, 'createdAt' | 'finishedAt' | 'attempts'>): string {
  return finishedAt ?? attempts.at(-1)?.startedAt ?? createdAt
}

/** What was told to whom: each message that is kept; where none is, the last word of each destination. */
function toldMoments(profile: ProfileView, sent: readonly Delivery[], nameOf: (id: number) => string): Moment[] {
  const segmentName = new Map(profile.segments.map(({ sid, name }) => [sid, name]))
  const kept = new Set(sent.map(({ destinationId }) => destinationId))
  return [
    ...sent.map(({ deliveryId, destinationId, destinationName, status, users, segments, ...times }) => ({
      kind: 'sent' as const,
      at: stateAt(times),
      isDayOnly: false,
      values: { destination: destinationName ?? nameOf(destinationId), state: status, users },
      deliveryId,
      of: segments,
    })),
    ...profile.deliveries.flatMap(({ destinationId, segment, state, at }) =>
      at === null || kept.has(destinationId)
        ? []
        : [
            {
              kind: 'told' as const,
              at,
              isDayOnly: false,
              values: { destination: nameOf(destinationId), name: segmentName.get(segment) ?? segment, state },
              destinationId,
            },
          ],
    ),
  ]
}

function momentsOf(profile: ProfileView): Moment[] {
  return [
    ...profile.segments.map(({ status, since, name }) => ({
      kind: status === 'in' ? ('entered' as const) : ('left' as const),
      at: since,
      isDayOnly: false,
      values: { name },
    })),
    ...profile.traits.flatMap(({ name, days }) =>
      days.map((one) => ({
        kind: 'realized' as const,
        at: one.day,
        isDayOnly: true,
        values: { name, count: one.count },
      })),
    ),
    ...profile.ids.map(({ dataSourceId, id, syncedAt }) => ({
      kind: 'synced' as const,
      at: syncedAt,
      isDayOnly: false,
      values: { id: `${dataSourceId}:${id}` },
    })),
    ...(profile.devices ?? []).map(({ deviceId, syncedAt }) => ({
      kind: 'synced' as const,
      at: syncedAt,
      isDayOnly: false,
      values: { id: deviceId },
    })),
  ]
}
