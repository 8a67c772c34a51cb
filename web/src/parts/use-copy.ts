import { useEffect, useState } from 'react'

const SHOWN_MS = 1500

/** Nothing was copied yet; or the text was; or the browser refused, as it does without encryption or permission. */
export type Copied = 'not' | 'done' | 'refused'

/** Copies texts, and says for a moment what became of it. */
export function useCopy(): { readonly copied: Copied; readonly copy: (text: string) => Promise<Copied> } {
  const [copied, setCopied] = useState<Copied>('not')
  useEffect(() => {
    if (copied !== 'done') return
    const timer = setTimeout(() => setCopied('not'), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [copied])
  return {
    copied,
    async copy(text) {
      // Without encryption there is no clipboard at all.
      const result = await Promise.resolve(navigator.clipboard)
        .then((clipboard) => clipboard.writeText(text))
        .then(() => 'done' as const)
        .catch(() => 'refused' as const)
      setCopied(result)
      return result
    },
  }
}
