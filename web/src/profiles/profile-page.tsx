import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import type { ProfileView } from '../../../src/contract.ts'
import { ApiProblem, get } from '../api/client.ts'
import { Empty, Shapes, Trouble } from '../parts/answers.tsx'
import { Card } from '../parts/card.tsx'
import { Copy } from '../parts/copy.tsx'
import { inFours, profileAddress } from '../words/formats.ts'
import { useFormats, useWords } from '../words/use-words.tsx'
import { readProfileAddress } from './address.ts'
import { Known } from './known.tsx'
import { Lanes } from './lanes.tsx'
import { readProfileId } from './profile-id.ts'
import { ProfileSearch } from './profile-search.tsx'
import { Story } from './story.tsx'
import { WhyCard } from './why-card.tsx'

const route = getRouteApi('/profiles/$id')

/** What is held of one profile, and why it is in each segment. */
export function ProfilePage() {
  const { t } = useWords()
  const { id } = route.useParams()
  // What can be no ID is not asked for: the server could only say so in its own words.
  const isId = readProfileId(id) !== undefined
  const { segmentId } = readProfileAddress(route.useSearch())
  const navigate = route.useNavigate()
  const { data, error, refetch } = useQuery({
    queryKey: ['profile', id],
    queryFn: () => get<ProfileView>(`/v1/profiles/${encodeURIComponent(id)}`),
    enabled: isId,
  })
  const isUnknown = !isId || (error instanceof ApiProblem && error.status === 404)
  const { held, device } = useHeld(data)
  const shown = held?.segments.find((one) => one.status === 'in') ?? held?.segments[0]
  return (
    <>
      <div className="title-row">
        <h1>{t('profile.title')}</h1>
        <Copy value={id} shown={/^\d{38}$/.test(id) ? inFours(id) : id} />
      </div>
      {isUnknown && (
        <div className="card">
          <Empty title={t(isId ? 'profile.unknown' : 'profile.notAnId')} step={<ProfileSearch />}>
            {t(isId ? 'profile.unknownWhy' : 'profiles.how')}
          </Empty>
        </div>
      )}
      {error !== null && !isUnknown && (
        <div className="card">
          <Trouble error={error} onRetry={() => void refetch()} />
        </div>
      )}
      {data === undefined && error === null && isId && (
        <div className="card">
          <Shapes rows={9} height={22} />
        </div>
      )}
      {data !== undefined && held !== undefined && (
        <>
          <Known profile={data} held={held} />
          {device !== undefined && <OfDevice profile={data} device={device} />}
          <div className="profile-columns">
            <div>
              <Lanes profile={held} />
              <Story profile={held} />
            </div>
            <div>
              {shown === undefined && segmentId === undefined ? (
                <Card title={t('why.title')}>
                  <Empty title={t('why.empty')}>
                    {t(held.kind === 'declared' ? 'lanes.emptyDeclared' : 'why.emptyWhy')}
                  </Empty>
                </Card>
              ) : (
                <WhyCard
                  id={profileAddress(held.profileId)}
                  profile={held}
                  segmentId={segmentId ?? (shown?.sid as number)}
                  onSegment={(next) =>
                    void navigate({ search: (before) => ({ ...before, segmentId: next }), resetScroll: false })
                  }
                />
              )}
            </div>
          </div>
        </>
      )}
    </>
  )
}

type Device = NonNullable<ProfileView['devices']>[number]

/**
 * What the page tells of. An ID that a partner or a customer gave names devices, and memberships are mostly theirs: then it
 * is the device that was linked to it last, which is whom partners are told of, with the traits of both.
 * @returns `device` is given when it is not the profile that was asked for; `held` is missing while it is not known
 */
function useHeld(profile: ProfileView | undefined): { held: ProfileView | undefined; device: Device | undefined } {
  const devices = [...(profile?.devices ?? [])].sort((a, b) => b.syncedAt.localeCompare(a.syncedAt))
  const device = profile?.segments.length === 0 ? devices[0] : undefined
  const { data, isPending } = useQuery({
    queryKey: ['profile', device?.deviceId],
    queryFn: () => get<ProfileView>(`/v1/profiles/${device?.deviceId}`),
    enabled: device !== undefined,
  })
  if (profile === undefined || device === undefined) return { held: profile, device: undefined }
  if (data === undefined) {
    // Of a device that is gone the ID is all that is left.
    return isPending ? { held: undefined, device } : { held: profile, device: undefined }
  }
  const sids = new Set(data.traits.map(({ sid }) => sid))
  return { held: { ...data, traits: [...data.traits, ...profile.traits.filter(({ sid }) => !sids.has(sid))] }, device }
}

function OfDevice({ profile, device }: { readonly profile: ProfileView; readonly device: Device }) {
  const { t } = useWords()
  const { time } = useFormats()
  return (
    <p className="of-device" role="note">
      {t('profile.ofDevice', {
        holds: profile.traits.length > 0 ? 'traits' : 'nothing',
        time: time(device.syncedAt),
        others: (profile.devices?.length ?? 1) - 1,
      })}{' '}
      <Link to="/profiles/$id" params={{ id: device.deviceId }} search={{}} className="mono">
        {inFours(device.deviceId)}
      </Link>
    </p>
  )
}
