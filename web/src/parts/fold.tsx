import { type ReactNode, useState } from 'react'
import { useWords } from '../words/use-words.tsx'

/** As many more with each press, so that no press makes a page of thousands of lines. */
const STEP = 100

type What = 'trait' | 'segment' | 'destination' | 'user' | 'path' | 'other'

/** The first of a long list, and the button that shows more of it, or only the first again. @param what it is a list of */
export function useFold<Item>(
  items: readonly Item[],
  first: number,
  what: What,
): { readonly shown: readonly Item[]; readonly fold: ReactNode } {
  const { t } = useWords()
  const [most, setMost] = useState(first)
  const rest = Math.max(0, items.length - most)
  // One alone takes no more room than the button.
  if (items.length <= first + 1) return { shown: items, fold: null }
  return {
    shown: items.slice(0, most),
    fold: (
      // One button for both, so that the focus stays with it.
      <button
        type="button"
        className="plain-button fold"
        aria-expanded={most > first}
        onClick={() => setMost(rest > 0 ? most + STEP : first)}
      >
        {rest > 0 ? t('fold.more', { count: rest, what }) : t('fold.fewer')}
      </button>
    ),
  }
}
