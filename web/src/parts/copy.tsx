import { useState } from 'react'
import { useWords } from '../words/use-words.tsx'
import { IconCheck, IconCopy } from './icons.ts'

/** Shows `shown`, copies `value`. */
export function Copy({ value, shown = value, mono = true }: { value: string; shown?: string; mono?: boolean }) {
  const { t } = useWords()
  const [copied, setCopied] = useState(false)
  const copy = async () => {
    await navigator.clipboard.writeText(value)
    setCopied(true)
    setTimeout(() => setCopied(false), 1500)
  }
  return (
    <button type="button" className="copy" title={value} onClick={() => void copy()}>
      <span className={mono ? 'mono' : undefined}>{shown}</span>
      {copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
      <span className="hidden" aria-live="polite">
        {copied ? t('copy.done') : t('copy.this')}
      </span>
    </button>
  )
}
