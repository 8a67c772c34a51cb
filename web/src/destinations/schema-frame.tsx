import type { ReactNode } from 'react'
import { useWords } from '../words/use-words.tsx'
import type { JsonSchema } from './schema-field.ts'

/** What the server said of a member, by its path: `s2s.auth.keys.0.key`. */
export type Faults = ReadonlyMap<string, string>

export interface FieldProps {
  readonly path: string
  readonly name: string
  readonly schema: JsonSchema
  readonly value: unknown
  readonly onValue: (next: unknown) => void
  readonly faults: Faults
  readonly isRequired: boolean
}

export type Hinted = FieldProps & { readonly hint: string }

/** What it does, and what it has when it is left out. */
export function useHint({ description = '', default: usual, 'x-default': inWords, writeOnly }: JsonSchema): string {
  const { t } = useWords()
  // Of a secret, what follows is for who sends it without a form.
  const says = (writeOnly === true ? (description.split('. ')[0] ?? '') : description).replaceAll('`', '')
  const left =
    inWords?.replaceAll('`', '') ??
    (typeof usual === 'object' || usual === '' || usual === undefined ? undefined : String(usual))
  if (left === undefined) return says
  return says === '' ? t('form.leftOut', { value: left }) : `${says}. ${t('form.leftOut', { value: left })}`
}

interface FrameProps {
  readonly title: string
  readonly hint: string
  readonly error: string | undefined
  readonly children: ReactNode
}

export function Frame({ title, hint, error, children }: FrameProps) {
  return (
    <fieldset className="schema-frame">
      <legend>{title}</legend>
      {hint !== '' && <p className="dim small">{hint}</p>}
      {error !== undefined && (
        <p className="wrong small" role="alert">
          {error}
        </p>
      )}
      {children}
    </fieldset>
  )
}
