import { Button, Select } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import type { Destination, DestinationTypeView } from '../../../src/contract.ts'
import { ApiProblem, post, put } from '../api/client.ts'
import { Shapes, Trouble } from '../parts/answers.tsx'
import { Copy } from '../parts/copy.tsx'
import { useWords } from '../words/use-words.tsx'
import { editedQuery, readDestination, typesQuery } from './destination-queries.ts'
import { type JsonSchema, type MadeSecret, madeIn, sendable, type Values } from './schema-field.ts'
import { SchemaForm } from './schema-form.tsx'

/** A new destination, of the type that is chosen first. */
export function NewDestinationPage() {
  const { t } = useWords()
  const { data: types, error, refetch } = useQuery(typesQuery)
  const [chosen, setChosen] = useState<string | undefined>()
  const type = types?.find((one) => one.type === chosen) ?? types?.[0]
  return (
    <>
      <div className="title-row">
        <h1>{t('destinations.new')}</h1>
        {type !== undefined && <span className="dim">{type.title}</span>}
      </div>
      <div className="card destination-form">
        {types === undefined && error === null && <Shapes rows={6} />}
        {error !== null && <Trouble error={error} onRetry={() => void refetch()} />}
        {types !== undefined && types.length > 1 && (
          <Select
            label={t('destination.type')}
            data={types.map((one) => ({ value: one.type, label: one.title }))}
            value={type?.type ?? null}
            allowDeselect={false}
            onChange={(next) => setChosen(next ?? undefined)}
          />
        )}
        {type !== undefined && <Form key={type.type} type={type} id={undefined} start={{}} />}
      </div>
    </>
  )
}

/** The settings of one that exists; its secrets stay as they are unless another is written. */
export function EditDestinationPage() {
  const { t } = useWords()
  const { id = '' } = useParams({ strict: false })
  const { data: types, error: noTypes } = useQuery(typesQuery)
  const { data, error, refetch } = useQuery(editedQuery(id))
  const type = types?.find((one) => one.type === data?.destinationType)
  const trouble = error ?? noTypes
  return (
    <>
      <div className="title-row">
        <h1>{t('destination.editOf', { name: data?.name ?? id })}</h1>
      </div>
      <div className="card destination-form">
        {trouble === null && (data === undefined || types === undefined) && <Shapes rows={6} />}
        {trouble !== null && <Trouble error={trouble} onRetry={() => void refetch()} />}
        {data !== undefined && type !== undefined && <Form type={type} id={id} start={data} />}
      </div>
    </>
  )
}

interface FormProps {
  readonly type: DestinationTypeView
  /** Undefined: it is new. */
  readonly id: string | undefined
  readonly start: Values
}

function Form({ type, id, start }: FormProps) {
  const { t } = useWords()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const schema = type.schema as JsonSchema
  const [values, setValues] = useState<Values>(start)
  const isSaving = useRef(false)
  const save = useMutation({
    // Without a connection it fails now, and is not sent by itself later.
    networkMode: 'always',
    async mutationFn() {
      const body = sendable(schema, values)
      if (id === undefined) return post<Destination>('/v1/destinations', body)
      // The form sends all of it: what somebody else saved since would be undone, and a key that was made be lost.
      const now = await readDestination(id)
      if (now.updateTime !== start['updateTime']) throw new ApiProblem(409, { code: 'changed_meanwhile' })
      return put<Destination>(`/v1/destinations/${encodeURIComponent(id)}`, body)
    },
    onSettled() {
      isSaving.current = false
    },
    async onSuccess(saved) {
      const done = String(saved.destinationId)
      queries.removeQueries({ queryKey: ['destination', done] })
      await queries.invalidateQueries({ queryKey: ['destinations'] })
      // What was made is shown this one time.
      if (madeIn(saved).length === 0) await navigate({ to: '/destinations/$id', params: { id: done } })
    },
  })
  const details = save.error instanceof ApiProblem ? save.error.details : []
  const faults = new Map(details.map(({ field, message }) => [field, message]))
  useEffect(() => {
    if (save.error === null) return
    // On to the first that is wrong, also where it was behind a fold; to what is said where no field is to blame.
    const form = document.querySelector('.destination-form')
    const place = form?.querySelector<HTMLElement>('[aria-invalid="true"]') ?? form?.querySelector<HTMLElement>('.told')
    place?.focus()
  }, [save.error])
  if (save.data !== undefined) return <Made id={String(save.data.destinationId)} secrets={madeIn(save.data)} />
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        // The second of two clicks comes before the button shows that it is at work.
        if (isSaving.current) return
        isSaving.current = true
        save.mutate()
      }}
    >
      <SchemaForm path="" schema={withoutId(schema)} value={values} onValue={setValues} faults={faults} />
      {save.error !== null && (
        <div className="told" tabIndex={-1}>
          <Trouble error={save.error} />
        </div>
      )}
      <div className="buttons">
        {id === undefined ? (
          <Button variant="default" renderRoot={(own) => <Link to="/destinations" {...own} />}>
            {t('form.cancel')}
          </Button>
        ) : (
          <Button variant="default" renderRoot={(own) => <Link to="/destinations/$id" params={{ id }} {...own} />}>
            {t('form.cancel')}
          </Button>
        )}
        <Button type="submit" loading={save.isPending}>
          {id === undefined ? t('form.create') : t('form.save')}
        </Button>
      </div>
    </form>
  )
}

/** An id is given by who moves an account here, through the API [OPS-44]. */
function withoutId(schema: JsonSchema): JsonSchema {
  const { destinationId: _given, ...properties } = schema.properties ?? {}
  return { ...schema, properties }
}

function Made({ id, secrets }: { readonly id: string; readonly secrets: readonly MadeSecret[] }) {
  const { t } = useWords()
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus(), [])
  return (
    <div className="made" role="status">
      <h2 ref={heading} tabIndex={-1}>
        {t('form.made', { count: secrets.length })}
      </h2>
      <p className="dim">{t('form.madeWhy')}</p>
      {secrets.map(({ path, value }) => (
        <div key={path}>
          <p className="small dim mono">{path}</p>
          <Copy value={value} />
        </div>
      ))}
      <div className="buttons">
        <Button renderRoot={(own) => <Link to="/destinations/$id" params={{ id }} {...own} />}>
          {t('form.toDestination')}
        </Button>
      </div>
    </div>
  )
}
