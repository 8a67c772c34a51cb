import { SegmentedControl } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { ProfileView } from '../../../src/contract.ts'
import { destinationsQuery } from '../messages/destinations-query.ts'
import { Card } from '../parts/card.tsx'
import { IconArrowIn, IconArrowOut, IconLink, IconSent, IconTag } from '../parts/icons.ts'
import { profileAddress } from '../words/formats.ts'
import { useFormats, useWords } from '../words/use-words.tsx'

const ICONS = {
  entered: IconArrowIn,
  left: IconArrowOut,
  realized: IconTag,
  synced: IconLink,
  told: IconSent,
} as const
const MOMENTS_SHOWN = 100
const KINDS = { all: Object.keys(ICONS), changes: ['entered', 'left'], traits: ['realized'], messages: ['told'] }

interface Moment {
  readonly kind: keyof typeof ICONS
  readonly at: string
  /** Traits are kept by day. */
  readonly isDayOnly: boolean
  readonly values: Record<string, string | number>
  /** Leads to the messages that told this destination of this profile. */
  readonly messages?: { readonly destinationId: number; readonly q: string }
}

/** What happened, newest first, by day. */
export function Story({ profile }: { readonly profile: ProfileView }) {
  const { t } = useWords()
  const { day, exact } = useFormats()
  const { data: destinations } = useQuery(destinationsQuery)
  const [shown, setShown] = useState<keyof typeof KINDS>('all')
  const [shownMax, setShownMax] = useState(MOMENTS_SHOWN)
  const nameOf = (id: number) => destinations?.find((one) => one.destinationId === id)?.name ?? String(id)
  const all = momentsOf(profile, nameOf).filter(({ kind }) => KINDS[shown].includes(kind))
  const moments = all.slice(0, shownMax)
  const days = [...new Set(moments.map(({ at }) => at.slice(0, 10)))]
  return (
    <Card
      title={t('story.title')}
      right={
        <SegmentedControl
          aria-label={t('story.show')}
          value={shown}
          onChange={(value) => setShown(value as keyof typeof KINDS)}
          data={(Object.keys(KINDS) as (keyof typeof KINDS)[]).map((value) => ({ value, label: t(`story.${value}`) }))}
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
                  <Row key={`${moment.kind} ${moment.at} ${JSON.stringify(moment.values)}`} moment={moment} />
                ))}
            </ol>
          </section>
        ))}
        {all.length > shownMax && (
          <button type="button" className="plain-button" onClick={() => setShownMax(shownMax + MOMENTS_SHOWN)}>
            {t('story.older', { count: exact(all.length - shownMax) })}
          </button>
        )}
      </div>
    </Card>
  )
}

function Row({ moment: { kind, at, isDayOnly, values, messages } }: { readonly moment: Moment }) {
  const { t } = useWords()
  const Icon = ICONS[kind]
  return (
    <li className="story-row">
      <span className="mono dim">{isDayOnly ? '' : at.slice(11, 19)}</span>
      <Icon size={15} aria-hidden />
      <span>{t(`story.${kind}`, values)}</span>
      {messages !== undefined && (
        <Link to="/messages" search={messages} className="line-id">
          {t('story.toMessages')}
        </Link>
      )}
    </li>
  )
}

function momentsOf(profile: ProfileView, nameOf: (id: number) => string): Moment[] {
  const segmentName = new Map(profile.segments.map(({ sid, name }) => [sid, name]))
  const moments: Moment[] = [
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
    ...profile.deliveries.flatMap(({ destinationId, segment, state, at }) =>
      at === null
        ? []
        : [
            {
              kind: 'told' as const,
              at,
              isDayOnly: false,
              values: { destination: nameOf(destinationId), name: segmentName.get(segment) ?? segment, state },
              messages: { destinationId, q: profileAddress(profile.profileId) },
            },
          ],
    ),
  ]
  return moments.sort((a, b) => b.at.localeCompare(a.at))
}
