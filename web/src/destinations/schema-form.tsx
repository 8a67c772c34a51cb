import { Button, Checkbox, Select, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useWords } from '../words/use-words.tsx'
import { NamesField, SecretField } from './named-fields.tsx'
import {
  choiceOf,
  isInUse,
  isMain,
  type JsonSchema,
  kindOf,
  labelOf,
  plain,
  readNumbers,
  type Values,
} from './schema-field.ts'
import { type Faults, type FieldProps, Frame, type Hinted, useHint } from './schema-frame.tsx'

interface GroupProps {
  readonly path: string
  readonly schema: JsonSchema
  readonly value: Values
  readonly onValue: (next: Values) => void
  readonly faults: Faults
  /** All at once, without a fold. */
  readonly isWhole?: boolean
}

/** The members of an object, drawn by what the schema says of them: it knows no member by its name. */
export function SchemaForm({ path, schema, value, onValue, faults, isWhole = false }: GroupProps) {
  const { t } = useWords()
  const { properties = {}, required = [] } = schema
  const offered = Object.entries(properties)
    .map(([name, member]) => [name, plain(member)] as const)
    .filter(([, member]) => !['fixed', undefined].includes(kindOf(member)) && isInUse(member, value, properties))
  const pathOf = (name: string) => (path === '' ? name : `${path}.${name}`)
  const isWrong = (name: string) =>
    [...faults.keys()].some((at) => at === pathOf(name) || at.startsWith(`${pathOf(name)}.`))
  const draw = (some: typeof offered) =>
    some.map(([name, member]) => (
      <Field
        key={name}
        path={pathOf(name)}
        name={name}
        schema={member}
        value={value[name]}
        onValue={(next) => onValue({ ...value, [name]: next })}
        faults={faults}
        isRequired={required.includes(name)}
      />
    ))
  const main = offered.filter(([name, member]) => isWhole || isMain(name, member, schema) || isWrong(name))
  const more = offered.filter((one) => !main.includes(one))
  return (
    <div className="schema-form">
      {draw(main)}
      {more.length > 0 && (
        <details>
          <summary>{t('form.more', { count: more.length })}</summary>
          <div className="schema-form">{draw(more)}</div>
        </details>
      )}
    </div>
  )
}

function Field(props: FieldProps) {
  const { path, name, schema, value, onValue, faults, isRequired } = props
  const { t } = useWords()
  /** May go back to what it has when it is left out. */
  const leavable = {
    clearable: true,
    clearButtonProps: { 'aria-label': t('filter.clear') },
    placeholder: schema['x-default']?.replaceAll('`', ''),
  }
  const common = {
    label: labelOf(name, schema),
    description: useHint(schema),
    error: faults.get(path) ?? (kindOf(schema) === 'numbers' ? faultWithin(faults, path) : undefined),
    // Without `required`: the server judges, and the browser's own bubbles would speak another language.
    withAsterisk: isRequired,
  }
  switch (kindOf(schema)) {
    case 'choice':
      return (
        <Select
          {...common}
          data={(schema.enum ?? []).map(String)}
          value={value === undefined || value === null ? textOf(schema.default ?? schema['x-default']) : String(value)}
          {...(schema.default === undefined && schema['x-default'] !== undefined ? leavable : { allowDeselect: false })}
          onChange={(next) => onValue(next ?? undefined)}
        />
      )
    case 'yes-no':
      return (
        <Select
          {...common}
          {...leavable}
          data={[
            { value: 'true', label: t('form.yes') },
            { value: 'false', label: t('form.no') },
          ]}
          value={typeof value === 'boolean' ? String(value) : null}
          onChange={(next) => onValue(next === null ? undefined : next === 'true')}
        />
      )
    case 'flag':
      return (
        <Checkbox
          label={common.label}
          description={common.description}
          error={common.error}
          checked={(value ?? schema.default ?? false) === true}
          onChange={(event) => onValue(event.currentTarget.checked)}
        />
      )
    case 'number':
    case 'numbers':
      return <NumbersField {...common} schema={schema} value={value} onValue={onValue} />
    case 'secret':
      return <SecretField {...props} hint={common.description} />
    case 'names':
      return <NamesField {...props} hint={common.description} />
    case 'union':
      return <UnionField {...props} hint={common.description} />
    case 'list':
      return <ListField {...props} hint={common.description} />
    case 'group':
      return (
        <Frame title={common.label} hint={common.description} error={common.error}>
          <SchemaForm path={path} schema={schema} value={(value ?? {}) as Values} onValue={onValue} faults={faults} />
        </Frame>
      )
    case 'lines':
      return (
        <Textarea
          {...common}
          autosize
          minRows={2}
          maxRows={8}
          value={textOf(value)}
          onChange={(event) => onValue(event.currentTarget.value)}
        />
      )
    default:
      return (
        <TextInput
          {...common}
          placeholder={textOf(schema.default ?? '')}
          value={textOf(value)}
          maxLength={schema.maxLength ?? 10_000}
          onChange={(event) => onValue(event.currentTarget.value)}
        />
      )
  }
}

/** Of an entry of a list that is written in one field. */
function faultWithin(faults: Faults, path: string): string | undefined {
  return [...faults].find(([at]) => at.startsWith(`${path}.`))?.[1]
}

function textOf(value: unknown): string {
  return value === undefined || value === null ? '' : String(value)
}

interface NumbersProps {
  readonly label: string
  readonly description: string
  readonly error: string | undefined
  readonly withAsterisk: boolean
  readonly schema: JsonSchema
  readonly value: unknown
  readonly onValue: (next: unknown) => void
}

function NumbersField({ schema, value, onValue, ...common }: NumbersProps) {
  const isMany = kindOf(schema) === 'numbers'
  const shown = Array.isArray(value) ? value.join(', ') : textOf(value)
  // What is typed is kept as it is while it is typed: `7,` is on its way to `7, 8`.
  const [typed, setTyped] = useState<string | undefined>()
  const read = (text: string) => {
    setTyped(text)
    if (isMany) return onValue(text.trim() === '' ? undefined : readNumbers(text, schema.type === 'array'))
    const isNumber = /^-?\d{1,15}(\.\d{1,9})?$/.test(text.trim())
    onValue(isNumber ? Number(text) : text)
  }
  return (
    <TextInput
      {...common}
      inputMode={isMany ? 'text' : 'decimal'}
      placeholder={Array.isArray(schema.default) ? schema.default.join(', ') : textOf(schema.default ?? '')}
      value={typed ?? shown}
      onChange={(event) => read(event.currentTarget.value)}
      onBlur={() => setTyped(undefined)}
    />
  )
}

/** One of several objects, told apart by `type`. */
function UnionField({ path, name, schema, value, onValue, faults, hint }: Hinted) {
  const { t } = useWords()
  const choices = schema.oneOf ?? []
  const chosen = choiceOf(schema, value)
  const typeOf = (one: JsonSchema | undefined) => textOf(one?.properties?.['type']?.const)
  return (
    <Frame title={labelOf(name, schema)} hint={hint} error={faults.get(path)}>
      <Select
        label={t('form.kind')}
        description={chosen?.description}
        data={choices.map(typeOf)}
        value={typeOf(chosen)}
        allowDeselect={false}
        onChange={(type) => type !== null && onValue({ type })}
      />
      {chosen !== undefined && (
        <SchemaForm
          key={typeOf(chosen)}
          path={path}
          schema={chosen}
          value={(value ?? {}) as Values}
          onValue={onValue}
          faults={faults}
        />
      )}
    </Frame>
  )
}

/** Entries that are added and removed; the order is theirs. */
function ListField({ path, name, schema, value, onValue, faults, hint }: Hinted) {
  const { t } = useWords()
  const entries = Array.isArray(value) ? (value as readonly Values[]) : []
  // An entry has no name but its place, and keeps what is being written in it when another one goes.
  const [keys, setKeys] = useState(() => entries.map((_, at) => at))
  const label = labelOf(name, schema)
  return (
    <Frame title={label} hint={hint} error={faults.get(path)}>
      {entries.map((entry, at) => (
        <div key={keys[at] ?? at} className="schema-entry">
          <SchemaForm
            isWhole
            path={`${path}.${at}`}
            schema={schema.items ?? {}}
            value={entry}
            onValue={(next) => onValue(entries.map((one, other) => (other === at ? next : one)))}
            faults={faults}
          />
          <Button
            variant="default"
            onClick={() => {
              setKeys(keys.filter((_, other) => other !== at))
              onValue(entries.length === 1 ? undefined : entries.filter((_, other) => other !== at))
            }}
          >
            {t('form.removeEntry', { name: label, number: at + 1 })}
          </Button>
        </div>
      ))}
      {entries.length < (schema.maxItems ?? 100) && (
        <Button
          variant="default"
          onClick={() => {
            setKeys([...keys, Math.max(-1, ...keys) + 1])
            onValue([...entries, {}])
          }}
        >
          {t('form.addEntry', { name: label })}
        </Button>
      )}
    </Frame>
  )
}
