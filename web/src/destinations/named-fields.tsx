import { Button, PasswordInput, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useWords } from '../words/use-words.tsx'
import { labelOf, type Values } from './schema-field.ts'
import { Frame, type Hinted } from './schema-frame.tsx'

interface Shown {
  readonly set?: unknown
  readonly last4?: unknown
}

/** A secret that is set is told by its end, and stays until another is written. */
export function SecretField({ path, name, schema, value, onValue, faults, isRequired, hint }: Hinted) {
  const { t } = useWords()
  const shown = typeof value === 'object' && value !== null ? (value as Shown) : undefined
  /** What is set; kept while another is written, and sent if none is. */
  const [before, setBefore] = useState<unknown>()
  const label = labelOf(name, schema)
  if (shown !== undefined && before === undefined) {
    const end = typeof shown.last4 === 'string' ? shown.last4 : ''
    return (
      <TextInput
        label={label}
        description={hint}
        error={faults.get(path)}
        readOnly
        value={end === '' ? t('form.secretSet') : t('form.secretEnds', { end })}
        rightSectionWidth={110}
        rightSection={
          <Button
            variant="subtle"
            size="compact-xs"
            aria-label={t('form.replaceOf', { name: label })}
            onClick={() => setBefore(value)}
          >
            {t('form.replace')}
          </Button>
        }
      />
    )
  }
  return (
    <>
      <PasswordInput
        label={label}
        description={hint}
        error={faults.get(path)}
        aria-invalid={faults.has(path)}
        autoFocus={before !== undefined}
        withAsterisk={isRequired}
        autoComplete="new-password"
        visibilityToggleButtonProps={{ 'aria-label': t('form.show', { name: label }), tabIndex: 0 }}
        value={typeof value === 'string' ? value : ''}
        onChange={(event) => onValue(event.currentTarget.value === '' ? before : event.currentTarget.value)}
      />
      {before !== undefined && (
        <button
          type="button"
          className="plain-button"
          onClick={() => {
            onValue(before)
            setBefore(undefined)
          }}
        >
          {t('form.keep')}
        </button>
      )}
    </>
  )
}

/** Values by names of one's own, each a secret. */
export function NamesField({ path, name, value, onValue, faults, hint, schema }: Hinted) {
  const { t } = useWords()
  const [next, setNext] = useState('')
  const values = (value ?? {}) as Values
  const label = labelOf(name, schema)
  const member = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : {}
  const add = () => {
    if (next.trim() !== '' && !Object.hasOwn(values, next.trim())) onValue({ ...values, [next.trim()]: '' })
    setNext('')
  }
  const without = (gone: string) => {
    const left = Object.fromEntries(Object.entries(values).filter(([one]) => one !== gone))
    onValue(Object.keys(left).length === 0 ? undefined : left)
  }
  return (
    <Frame title={label} hint={hint} error={faults.get(path)}>
      {Object.entries(values).map(([one, inner]) => (
        <div key={one} className="schema-entry">
          <SecretField
            path={`${path}.${one}`}
            name={one}
            schema={member}
            value={inner}
            onValue={(changed) => onValue({ ...values, [one]: changed })}
            faults={faults}
            isRequired={false}
            hint=""
          />
          <Button variant="default" onClick={() => without(one)}>
            {t('form.removeName', { name: one })}
          </Button>
        </div>
      ))}
      <div className="schema-add">
        <TextInput
          label={t('form.newName', { name: label })}
          value={next}
          onChange={(event) => setNext(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return
            event.preventDefault()
            add()
          }}
        />
        <Button variant="default" onClick={add}>
          {t('form.addEntry', { name: label })}
        </Button>
      </div>
    </Frame>
  )
}
