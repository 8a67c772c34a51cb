import type { ProfileView } from '../../../src/contract.ts'
import { Empty } from '../parts/answers.tsx'
import { Card } from '../parts/card.tsx'
import { useFold } from '../parts/fold.tsx'
import { useFormats, useWords } from '../words/use-words.tsx'
import { type Lane, layoutLanes } from './lanes-layout.ts'

const TRAITS_SHOWN = 12
const SEGMENTS_SHOWN = 12
/** Of the width; further right the words would leave the card. */
const ENDS_FITS = 0.86
const percent = (share: number) => `${(share * 100).toFixed(2)}%`

/** What is held, what will end and when. */
export function Lanes({ profile }: { readonly profile: ProfileView }) {
  const { t } = useWords()
  const { axisDay } = useFormats()
  const nowMs = Date.now()
  const { lanes, now, dates } = layoutLanes(profile, nowMs)
  const traits = useFold(
    lanes.filter(({ kind }) => kind === 'trait'),
    TRAITS_SHOWN,
    'trait',
  )
  const segments = useFold(
    lanes.filter(({ kind }) => kind === 'segment'),
    SEGMENTS_SHOWN,
    'segment',
  )
  return (
    <Card title={t('lanes.title')} subtitle={t('lanes.subtitle')}>
      {lanes.length === 0 ? (
        <Empty title={t('lanes.empty')}>
          {t(profile.kind === 'declared' ? 'lanes.emptyDeclared' : 'lanes.emptyWhy')}
        </Empty>
      ) : (
        <div className="lanes">
          <div className="lane" aria-hidden="true">
            <span />
            <span className="track">
              {dates.map(({ at, iso }) => (
                <span key={iso} className="date" style={{ left: percent(at) }}>
                  {axisDay(iso)}
                </span>
              ))}
              <span className="date named" style={{ left: percent(now) }}>
                {t('lanes.now')}
              </span>
            </span>
          </div>
          {[traits, segments].map(({ shown, fold }) => (
            <div key={shown[0]?.kind ?? 'none'}>
              <ul>
                {shown.map((lane) => (
                  <LaneRow key={lane.sid} lane={lane} now={now} />
                ))}
              </ul>
              {fold}
            </div>
          ))}
        </div>
      )}
    </Card>
  )
}

function LaneRow({ lane, now }: { readonly lane: Lane; readonly now: number }) {
  const { t } = useWords()
  const { day, shortDay } = useFormats()
  const { kind, name, spans, ticks, ends, isIn } = lane
  const ahead = kind === 'segment' ? spans.find(({ isAhead }) => isAhead) : undefined
  const told = isIn ? (ends === null ? t('lanes.stays') : t('lanes.ends', { day: day(ends) })) : t('lanes.left')
  return (
    <li className={`lane ${kind === 'segment' ? 'sent' : 'neutral'}`}>
      <span className={`label ${kind === 'segment' ? 'named' : 'dim'}`}>
        {name}
        <span className="hidden"> {told}</span>
      </span>
      <span className="track" title={told}>
        {spans.map(({ from, to, isAhead }) => (
          <span
            key={String(isAhead)}
            className={`span ${isAhead ? 'ahead' : ''}`}
            style={{ left: percent(from), width: percent(to - from) }}
          />
        ))}
        {ticks.map(({ at, day: on }) => (
          <span key={on} className="tick" style={{ left: percent(at) }} />
        ))}
        {ends !== null && ahead !== undefined && ahead.to < ENDS_FITS && (
          <span className="ends" style={{ left: percent(ahead.to) }}>
            {t('lanes.endsShort', { day: shortDay(ends) })}
          </span>
        )}
        <span className="now" style={{ left: percent(now) }} />
      </span>
    </li>
  )
}
