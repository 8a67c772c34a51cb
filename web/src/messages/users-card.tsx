import { Link } from '@tanstack/react-router'
import type { DeliveryDetail } from '../api/shapes.ts'
import { Card } from '../parts/card.tsx'
import { useFold } from '../parts/fold.tsx'
import { IconDoor, IconMember } from '../parts/icons.ts'
import { inFours, profileAddress, shortened } from '../words/formats.ts'
import { useWords } from '../words/use-words.tsx'

const USERS_SHOWN = 10
const SEGMENTS_SHOWN = 12

/** Who is in the message, what was said of each, and the way to why. */
export function UsersCard({ recipients }: Pick<DeliveryDetail, 'recipients'>) {
  const { t } = useWords()
  const { shown, fold } = useFold(recipients, USERS_SHOWN, 'user')
  return (
    <Card title={t('users.title')} className="wide">
      {recipients.length === 0 ? (
        <p className="card-body dim">{t('users.gone')}</p>
      ) : (
        <table className="rows users">
          <thead>
            <tr>
              <th scope="col">{t('users.profile')}</th>
              <th scope="col">{t('users.theirId')}</th>
              <th scope="col">{t('users.told')}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map(({ profileId, partnerIds, active, inactive }) => {
              const id = profileAddress(profileId)
              return (
                <tr key={`${profileId} ${partnerIds.map((one) => one.id).join(' ')}`}>
                  <td>
                    <Link to="/profiles/$id" params={{ id }} search={{}} className="mono nowrap" title={id}>
                      {/^\d{38}$/.test(id) ? `${inFours(id.slice(0, 8))} … ${id.slice(-4)}` : shortened(id)}
                    </Link>
                  </td>
                  <td className="mono">
                    {partnerIds.map((one) => (
                      <span
                        key={`${one.dataSourceId} ${one.id}`}
                        title={`${one.dataSourceId}:${one.id}`}
                        className="line-id"
                      >
                        {one.id}
                      </span>
                    ))}
                  </td>
                  <td>
                    <ToldSegments id={id} active={active} inactive={inactive} />
                  </td>
                </tr>
              )
            })}
          </tbody>
        </table>
      )}
      {fold !== null && <p className="card-body">{fold}</p>}
    </Card>
  )
}

type ToldSegmentsProps = { readonly id: string } & Pick<DeliveryDetail['recipients'][number], 'active' | 'inactive'>

function ToldSegments({ id, active, inactive }: ToldSegmentsProps) {
  const { t } = useWords()
  const told = [...active.map((one) => ({ ...one, to: 1 })), ...inactive.map((one) => ({ ...one, to: 0 }))]
  const { shown, fold } = useFold(told, SEGMENTS_SHOWN, 'segment')
  return (
    <>
      <ul>
        {shown.map(({ sid, name, code, to }) => {
          const Icon = to === 1 ? IconMember : IconDoor
          return (
            <li key={sid} className="told-line">
              <span className={`state ${to === 1 ? 'sent' : 'neutral'}`}>
                <Icon size={14} aria-hidden />
                {t(to === 1 ? 'users.in' : 'users.out')}
              </span>
              <span title={t('users.status', { code, status: to })}>
                <span className="named">{name}</span> <span className="dim small mono">{code}</span>
              </span>
              <Link
                to="/profiles/$id"
                params={{ id }}
                search={{ segmentId: sid }}
                aria-label={t('users.whyIn', { name })}
              >
                {t('users.why')}
              </Link>
            </li>
          )
        })}
      </ul>
      {fold}
    </>
  )
}
