import { Fragment } from 'react'
import { Dialogue } from '../parts/dialogue.tsx'
import type { WordKey } from '../words/languages.ts'
import { useWords } from '../words/use-words.tsx'

const KEYS: readonly (readonly [string, WordKey])[] = [
  ['Ctrl K', 'keys.find'],
  ['?', 'keys.help'],
  ['/', 'keys.filter'],
  ['↑ ↓', 'keys.move'],
  ['Enter', 'keys.open'],
  ['Esc', 'keys.back'],
  ['R', 'keys.replay'],
]

export function KeyboardHelp({ opened, onClose }: { readonly opened: boolean; readonly onClose: () => void }) {
  const { t } = useWords()
  return (
    <Dialogue opened={opened} onClose={onClose} title={t('keys.title')}>
      <dl className="keys">
        {KEYS.map(([key, what]) => (
          <Fragment key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{t(what)}</dd>
          </Fragment>
        ))}
      </dl>
    </Dialogue>
  )
}
