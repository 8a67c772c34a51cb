import { IconAlert, IconPause, IconRetry } from './icons.ts'
import type { Standing } from './use-standing.ts'

const ICONS: Partial<Record<Standing['state'], typeof IconRetry>> = { paused: IconPause, unusable: IconAlert }

/** The mark of a destination that is not well, where its words stand beside it or are a step away. */
export function StandingGlyph({ state }: Pick<Standing, 'state'>) {
  const Icon = ICONS[state] ?? IconRetry
  return (
    <span className={`glyph inline ${state === 'inactive' ? 'neutral' : 'waiting'}`}>
      <Icon size={14} aria-hidden />
    </span>
  )
}
