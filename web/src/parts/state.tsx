import type { ReactNode } from 'react'
import { useWords } from '../words/use-words.tsx'
import {
  IconClock,
  IconDead,
  IconDelivered,
  IconMember,
  IconPause,
  IconRetry,
  IconSent,
  IconShield,
  IconSuperseded,
  IconUnlinked,
} from './icons.ts'

export type Tone = 'sent' | 'delivered' | 'waiting' | 'dead' | 'blocked' | 'neutral'

const GLYPHS = {
  acknowledged: { tone: 'delivered', Icon: IconDelivered },
  waiting: { tone: 'waiting', Icon: IconClock },
  sending: { tone: 'sent', Icon: IconSent },
  sent: { tone: 'sent', Icon: IconSent },
  retrying: { tone: 'waiting', Icon: IconRetry },
  paused: { tone: 'waiting', Icon: IconPause },
  dead: { tone: 'dead', Icon: IconDead },
  superseded: { tone: 'neutral', Icon: IconSuperseded },
  blocked: { tone: 'blocked', Icon: IconShield },
  member: { tone: 'sent', Icon: IconMember },
  no_synced_id: { tone: 'neutral', Icon: IconUnlinked },
} as const

export const lookOf = (state: string): (typeof GLYPHS)[keyof typeof GLYPHS] =>
  GLYPHS[state as keyof typeof GLYPHS] ?? GLYPHS.superseded

/** The glyph alone, where the word stands beside it; `label` names it where it does not. */
export function Glyph({ state, label }: { readonly state: string; readonly label?: string }) {
  const { tone, Icon } = lookOf(state)
  return (
    <span className={`glyph ${tone}`}>
      <Icon size={15} aria-hidden />
      {label !== undefined && <span className="hidden">{label}</span>}
    </span>
  )
}

/** Colour, glyph and word together. */
export function State({ state, children }: { readonly state: string; readonly children?: ReactNode }) {
  const { t, has } = useWords()
  const { tone, Icon } = lookOf(state)
  const key = `status.${state}`
  return (
    <span className={`state ${tone}`}>
      <Icon size={14} aria-hidden />
      {children ?? (has(key) ? t(key) : state)}
    </span>
  )
}
