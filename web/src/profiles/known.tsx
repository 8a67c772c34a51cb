import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ProfileView } from '../../../src/contract.ts'
import { destinationsQuery } from '../messages/destinations-query.ts'
import { State } from '../parts/state.tsx'
import { shortened } from '../words/formats.ts'
import { useFormats, useWords } from '../words/use-words.tsx'

const IDS_SHOWN = 3
/** Stands for all of them, those to come too. */
const ANY_DESTINATION = '0'

/**
 * Four facts: seen, who, partner IDs, consent.
 * @param held what is kept of the device that an ID names; the profile itself where it is one
 */
export function Known({ profile, held }: { readonly profile: ProfileView; readonly held: ProfileView }) {
  const { t, has } = useWords()
  const { time, day } = useFormats()
  const { data: destinations } = useQuery(destinationsQuery)
  const { firstSeen, region, ids, consent, optOut } = profile
  const lastSeen = held.lastSeen > profile.lastSeen ? held.lastSeen : profile.lastSeen
  const devices = [...(profile.devices ?? [])].sort((a, b) => b.syncedAt.localeCompare(a.syncedAt))
  const denied = Object.entries(consent?.deliver ?? {}).filter(([, may]) => !may)
  const cause = `consent.${consent?.reason}`
  const nameOf = (id: string) => destinations?.find((one) => String(one.destinationId) === id)?.name ?? id
  return (
    <dl className="card known">
      <div>
        <dt>{t('known.seen')}</dt>
        <dd className="named">{time(lastSeen)}</dd>
        <dd className="dim small">
          {t('known.first', { day: day(firstSeen) })} {region !== null && t('known.region', { region })}
        </dd>
      </div>
      <div>
        <dt>{t('known.kind')}</dt>
        <dd className="named">{t(`known.${profile.kind}`)}</dd>
        {devices.slice(0, IDS_SHOWN).map(({ deviceId }) => (
          <dd key={deviceId}>
            <DeviceLink deviceId={deviceId} />
          </dd>
        ))}
        {devices.length > IDS_SHOWN && (
          <dd>
            <details>
              <summary className="small">{t('known.moreIds', { count: devices.length - IDS_SHOWN })}</summary>
              {devices.slice(IDS_SHOWN).map(({ deviceId }) => (
                <DeviceLink key={deviceId} deviceId={deviceId} />
              ))}
            </details>
          </dd>
        )}
      </div>
      <div>
        <dt>{t('known.ids')}</dt>
        <dd className="named">
          {t(profile.kind === 'declared' ? 'known.otherIds' : 'known.idCount', { count: ids.length })}
        </dd>
        {ids.slice(0, IDS_SHOWN).map(({ dataSourceId, id }) => (
          <dd key={`${dataSourceId}:${id}`} className="small">
            <Link to="/profiles/$id" params={{ id: `${dataSourceId}:${id}` }} search={{}} className="mono line-id">
              {dataSourceId}:{id}
            </Link>
          </dd>
        ))}
        {ids.length > IDS_SHOWN && (
          <dd>
            <details>
              <summary className="small">{t('known.moreIds', { count: ids.length - IDS_SHOWN })}</summary>
              {ids.slice(IDS_SHOWN).map(({ dataSourceId, id }) => (
                <span key={`${dataSourceId}:${id}`} className="mono line-id">
                  {dataSourceId}:{id}
                </span>
              ))}
            </details>
          </dd>
        )}
      </div>
      <div>
        <dt>{t('known.consent')}</dt>
        {optOut !== null ? (
          <>
            <dd>
              <State state="blocked">{t('known.optedOut')}</State>
            </dd>
            <dd className="dim small">{t('known.optedOutAt', { time: time(optOut.at), reason: optOut.reason })}</dd>
          </>
        ) : denied.length > 0 ? (
          <>
            {denied.map(([id]) => (
              <dd key={id}>
                <State state="blocked">
                  {id === ANY_DESTINATION ? t('known.toNobody') : t('known.notTo', { name: nameOf(id) })}
                </State>
              </dd>
            ))}
            <dd className="dim small">{has(cause) ? t(cause) : <code>{consent?.reason}</code>}</dd>
          </>
        ) : (
          <>
            <dd className="named">{t('known.noObjection')}</dd>
            <dd className="dim small">{t('known.noOptOut')}</dd>
          </>
        )}
      </div>
    </dl>
  )
}

function DeviceLink({ deviceId }: { readonly deviceId: string }) {
  return (
    <Link to="/profiles/$id" params={{ id: deviceId }} search={{}} className="mono line-id" title={deviceId}>
      {shortened(deviceId)}
    </Link>
  )
}
