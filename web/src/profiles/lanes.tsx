import { useState } from 'react'
import type { ProfileView } from '../../../src/contract.ts'
import { Empty } from '../parts/answers.tsx'
import { Card } from '../parts/card.tsx'
import { useFormats, useWords } from '../words/use-words.tsx'
import { type Lane, layoutLanes } from './lanes-layout.ts'

const LANES_SHOWN = 12
/** Of the width; further right the words would leave the card. */
const ENDS_FITS = 0.86
const percent = (share: number) => `${(share * 100).toFixed(2)}%`

/** What is held, what will end and when. */
export function Lanes({ profile }: { readonly profile: ProfileView }) {
  const { t } = useWords()
  const { shortDay } = useFormats()
  const [isWhole, showWhole] = useState(false)
  const nowMs = Date.now()
  const { lanes, now, dates } = layoutLanes(profile, nowMs)
  const segments = lanes.filter(({ kind }) => kind === 'segment')
  const traits = lanes.filter(({ kind }) => kind === 'trait')
  const shown = [...(isWhole ? traits : traits.slice(0, LANES_SHOWN)), ...segments]
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
                  {shortDay(iso)}
                </span>
              ))}
              <span className="date named" style={{ left: percent(now) }}>
                {t('lanes.now')}
              </span>
            </span>
          </div>
          <ul>
            {shown.map((lane) => (
              <LaneRow key={`${lane.kind} ${lane.sid}`} lane={lane} now={now} />
            ))}
          </ul>
          {traits.length > LANES_SHOWN && (
            <button type="button" className="plain-button" aria-expanded={isWhole} onClick={() => showWhole(!isWhole)}>
              {t('lanes.more', { count: traits.length - LANES_SHOWN })}
            </button>
          )}
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
