import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import type { ProfileView } from '../../../src/contract.ts'
import { ApiProblem, get } from '../api/client.ts'
import { Empty, Shapes, Trouble } from '../parts/answers.tsx'
import { Card } from '../parts/card.tsx'
import { Copy } from '../parts/copy.tsx'
import { inFours } from '../words/formats.ts'
import { useWords } from '../words/use-words.tsx'
import { Known } from './known.tsx'
import { Lanes } from './lanes.tsx'
import { ProfileSearch } from './profile-search.tsx'
import { Story } from './story.tsx'
import { WhyCard } from './why-card.tsx'

const route = getRouteApi('/profiles/$id')

/** What is held of one profile, and why it is in each segment. */
export function ProfilePage() {
  const { t } = useWords()
  const { id } = route.useParams()
  const { segmentId } = route.useSearch()
  const navigate = route.useNavigate()
  const { data, error, refetch } = useQuery({
    queryKey: ['profile', id],
    queryFn: () => get<ProfileView>(`/v1/profiles/${encodeURIComponent(id)}`),
  })
  const isUnknown = error instanceof ApiProblem && error.status === 404
  const shown = data?.segments.find((one) => one.status === 'in') ?? data?.segments[0]
  return (
    <>
      <div className="title-row">
        <h1>{t('profile.title')}</h1>
        <Copy value={id} shown={/^\d{38}$/.test(id) ? inFours(id) : id} />
      </div>
      {isUnknown && (
        <div className="card">
          <Empty title={t('profile.unknown')} step={<ProfileSearch />}>
            {t('profile.unknownWhy')}
          </Empty>
        </div>
      )}
      {error !== null && !isUnknown && (
        <div className="card">
          <Trouble error={error} onRetry={() => void refetch()} />
        </div>
      )}
      {data === undefined && error === null && (
        <div className="card">
          <Shapes rows={9} height={22} />
        </div>
      )}
      {data !== undefined && (
        <>
          <Known profile={data} />
          <div className="profile-columns">
            <div>
              <Lanes profile={data} />
              <Story profile={data} />
            </div>
            <div>
              {shown === undefined && segmentId === undefined ? (
                <Card title={t('why.title')}>
                  <Empty title={t('why.empty')}>
                    {t(data.kind === 'declared' ? 'lanes.emptyDeclared' : 'why.emptyWhy')}
                  </Empty>
                </Card>
              ) : (
                <WhyCard
                  id={id}
                  profile={data}
                  segmentId={segmentId ?? (shown?.sid as number)}
                  onSegment={(next) => void navigate({ search: { segmentId: next } })}
                />
              )}
            </div>
          </div>
        </>
      )}
    </>
  )
}
