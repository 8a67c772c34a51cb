import { useWords } from '../words/use-words.tsx'
import { IconCheck, IconCopy } from './icons.ts'
import { useCopy } from './use-copy.ts'

/** Shows `shown`, copies `value`; where the browser refuses that, the whole value is there to be marked by hand. */
export function Copy({ value, shown = value, mono = true }: { value: string; shown?: string; mono?: boolean }) {
  const { t } = useWords()
  const { copied, copy } = useCopy()
  const isRefused = copied === 'refused'
  return (
    <>
      <button type="button" className="copy" title={value} onClick={() => void copy(value)}>
        <span className={mono ? 'mono' : undefined}>{isRefused ? value : shown}</span>
        {copied === 'done' ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
        <span className="hidden" aria-live="polite">
          {copied === 'done' ? t('copy.done') : t('copy.this')}
        </span>
      </button>
      {isRefused && (
        <span className="dim small refused" role="alert">
          {t('copy.refused')}
        </span>
      )}
    </>
  )
}
