import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { ExplainView, ProfileView, Segment } from '../../../src/contract.ts'
import { ApiProblem, get } from '../api/client.ts'
import { destinationsQuery } from '../messages/destinations-query.ts'
import { Shapes, Trouble } from '../parts/answers.tsx'
import { Card } from '../parts/card.tsx'
import { IconDoor, IconMember } from '../parts/icons.ts'
import { Picker } from '../parts/picker.tsx'
import { Glyph } from '../parts/state.tsx'
import { profileAddress } from '../words/formats.ts'
import { useFormats, useWords } from '../words/use-words.tsx'
import { RuleTree } from './rule-tree.tsx'

type SegmentPage = { readonly list: readonly Pick<Segment, 'sid' | 'name'>[] }
/** At a time, with the text that is typed in their names. */
const SEGMENTS_ASKED = 100

interface WhyCardProps {
  readonly id: string
  readonly profile: ProfileView
  readonly segmentId: number
  readonly onSegment: (segmentId: number) => void
}

/** Why in, or why not: the rule as a tree with evidence and counts, and whom it was told. */
export function WhyCard({ id, profile, segmentId, onSegment }: WhyCardProps) {
  const { t } = useWords()
  const [typed, setTyped] = useState('')
  const [search] = useDebouncedValue(typed.trim(), 150)
  const others = useQuery({
    queryKey: ['segments', search],
    queryFn: () => get<SegmentPage>('/v1/segments/', { page: 0, pageSize: SEGMENTS_ASKED, search }),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  })
  const { data, error, refetch } = useQuery({
    queryKey: ['explain', id, segmentId],
    queryFn: () => get<ExplainView>(`/v1/profiles/${encodeURIComponent(id)}/explain`, { segmentId }),
  })
  const names = new Map([...(others.data?.list ?? []), ...profile.segments].map(({ sid, name }) => [sid, name]))
  const name = names.get(segmentId) ?? String(segmentId)
  const isUnknown = error instanceof ApiProblem && error.status === 404
  return (
    <Card
      title={data?.inSince === null ? t('why.notIn', { name }) : t('why.in', { name })}
      right={
        <Picker
          aria-label={t('why.another')}
          allowDeselect={false}
          onSearchChange={(text) => setTyped(text === name ? '' : text)}
          data={[...names].map(([value, label]) => ({ value: String(value), label }))}
          value={String(segmentId)}
          onChange={(value) => value !== null && onSegment(Number(value))}
        />
      }
    >
      {isUnknown && <p className="card-body dim">{t('why.noSegment')}</p>}
      {error !== null && !isUnknown && <Trouble error={error} onRetry={() => void refetch()} />}
      {data === undefined && error === null && <Shapes rows={6} height={20} />}
      {data !== undefined && (
        <>
          <Verdict explained={data} />
          <RuleTree rule={data.rule} traits={profile.traits} />
          <Told explained={data} q={profileAddress(profile.profileId)} />
        </>
      )}
    </Card>
  )
}

function Verdict({ explained: { inSince, leavesAt } }: { readonly explained: ExplainView }) {
  const { t } = useWords()
  const { time, day, clock } = useFormats()
  if (inSince === null)
    return (
      <div className="verdict neutral">
        <strong>
          <IconDoor size={16} aria-hidden />
          {t('why.isOut')}
        </strong>
        <p>{t('why.isOutWhy')}</p>
      </div>
    )
  return (
    <div className="verdict sent">
      <strong>
        <IconMember size={16} aria-hidden />
        {t('why.isIn', { time: time(inSince) })}
      </strong>
      <p>{leavesAt === null ? t('why.stays') : t('why.leaves', { day: day(leavesAt), time: clock(leavesAt) })}</p>
    </div>
  )
}

function Told({ explained: { told, inSince }, q }: { readonly explained: ExplainView; readonly q: string }) {
  const { t, has } = useWords()
  const { time } = useFormats()
  const { data: destinations } = useQuery(destinationsQuery)
  return (
    <>
      <h3 className="section-title">{t('why.told', { is: inSince === null ? 'out' : 'in' })}</h3>
      {told.length === 0 && <p className="card-body dim">{t('why.toldNobody')}</p>}
      <ul className="told">
        {told.map(({ destinationId, state, why }) => {
          const key = `told.${state}`
          const at = /\d{4}-\d\d-\d\dT[\d:.]+Z/.exec(why)?.[0]
          return (
            <li key={destinationId} className="told-row">
              <Glyph state={state} />
              <span className="named">
                {destinations?.find((one) => one.destinationId === destinationId)?.name ?? destinationId}
              </span>
              <span className="dim tabular">
                {has(key) ? t(key, { since: at === undefined ? 'none' : time(at) }) : why}
              </span>
              <Link to="/messages" search={{ destinationId, q }}>
                {t('story.toMessages')}
              </Link>
            </li>
          )
        })}
      </ul>
    </>
  )
}
