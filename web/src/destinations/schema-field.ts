/** JSON Schema as `GET /v1/destination-types` serves it, as far as a form reads it. */
export interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly title?: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | JsonSchema
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly default?: unknown
  readonly minItems?: number
  readonly maxItems?: number
  readonly maxLength?: number
  readonly writeOnly?: boolean
  /** What it has when it is left out, in words. */
  readonly 'x-default'?: string
  /** Beside which choice it has a use; elsewhere it is refused. */
  readonly 'x-only'?: Readonly<Record<string, unknown>>
}

export type Values = Readonly<Record<string, unknown>>

export type Kind =
  | 'fixed'
  | 'choice'
  | 'flag'
  | 'yes-no'
  | 'number'
  | 'numbers'
  | 'secret'
  | 'text'
  | 'lines'
  | 'names'
  | 'list'
  | 'union'
  | 'group'

/** How a member is drawn; undefined: there is nothing to choose, or it is refused until it is built. */
export function kindOf(schema: JsonSchema): Kind | undefined {
  const { writeOnly, properties, items, oneOf, additionalProperties } = schema
  // `null` means what leaving it out means.
  const type = typeof schema.type === 'object' ? schema.type.find((one) => one !== 'null') : schema.type
  if (schema.const !== undefined) return 'fixed'
  if (writeOnly === true) return 'secret'
  if (schema.enum !== undefined) return schema.enum.length > 1 ? 'choice' : undefined
  if (oneOf !== undefined) return 'union'
  if (schema.anyOf !== undefined) {
    const choices = schema.anyOf.filter((one) => one.type !== 'null')
    const [only] = choices
    if (choices.length === 1 && only !== undefined) return kindOf(only)
    return choices.some((one) => one.items !== undefined && kindOf(one.items) === 'number') ? 'numbers' : 'text'
  }
  // What it has when it is left out may depend on others: then it can be left out.
  if (type === 'boolean') return typeof schema.default === 'boolean' ? 'flag' : 'yes-no'
  if (type === 'integer' || type === 'number') return 'number'
  if (type === 'array') return items?.properties !== undefined ? 'list' : 'numbers'
  if (type === 'object') {
    if (properties !== undefined) return 'group'
    return typeof additionalProperties === 'object' ? 'names' : undefined
  }
  if (type === 'string') return (schema.maxLength ?? 0) > 2_048 ? 'lines' : 'text'
  return undefined
}

/** Without `null`, which means what leaving it out means. */
export function plain(schema: JsonSchema): JsonSchema {
  const choices = schema.anyOf?.filter((one) => one.type !== 'null') ?? []
  const [only] = choices
  if (choices.length !== 1 || only === undefined) return schema
  const { anyOf: _anyOf, ...own } = schema
  return { ...only, ...own }
}

/** The values of all others say that it has a use. */
export function isInUse(schema: JsonSchema, values: Values, siblings: Readonly<Record<string, JsonSchema>>): boolean {
  return Object.entries(schema['x-only'] ?? {}).every(
    ([name, wanted]) => (values[name] ?? siblings[name]?.default) === wanted,
  )
}

/** Asked at once; what has a default that is seldom changed stands behind a fold. */
export function isMain(name: string, schema: JsonSchema, whole: JsonSchema): boolean {
  const kind = kindOf(schema)
  const decides = Object.values(whole.properties ?? {}).some((other) => name in (other['x-only'] ?? {}))
  const isAsked = whole.required?.includes(name) === true
  const hasDefault = schema.default !== undefined || schema['x-default'] !== undefined
  return isAsked || kind === 'union' || decides || (schema['x-only'] !== undefined && !hasDefault)
}

export function choiceOf(schema: JsonSchema, value: unknown): JsonSchema | undefined {
  const type =
    (value as { readonly type?: unknown } | undefined)?.type ?? (schema.default as { type?: unknown } | undefined)?.type
  return schema.oneOf?.find((one) => one.properties?.['type']?.const === type)
}

/** What is sent: of what was shown only what may be sent, and nothing that the chosen values have no use for. */
export function sendable(schema: JsonSchema, value: unknown): unknown {
  const known = plain(schema)
  if (value === undefined || value === null || value === '') return undefined
  if (known.oneOf !== undefined) {
    const choice = choiceOf(known, value)
    return choice === undefined ? value : sendable(choice, value)
  }
  if (Array.isArray(value))
    return value.map((one) => (known.items === undefined ? one : (sendable(known.items, one) ?? {})))
  const { properties } = known
  if (properties === undefined || typeof value !== 'object' || known.writeOnly === true) return value
  const values = value as Values
  const sent = Object.entries(properties).flatMap(([name, inner]) => {
    if (inner.const !== undefined) return [[name, inner.const]]
    const given = isInUse(inner, values, properties) ? sendable(inner, values[name]) : undefined
    return given === undefined ? [] : [[name, given]]
  })
  return Object.fromEntries(sent)
}

export interface MadeSecret {
  readonly path: string
  readonly value: string
}

/** Secrets that the server made and shows this one time. */
export function madeIn(value: unknown, path = ''): readonly MadeSecret[] {
  if (typeof value !== 'object' || value === null) return []
  const { set, value: made } = value as { readonly set?: unknown; readonly value?: unknown }
  if (set === true && typeof made === 'string') return [{ path, value: made }]
  return Object.entries(value).flatMap(([name, inner]) => madeIn(inner, path === '' ? name : `${path}.${name}`))
}

/** `usersPerMessage`: Users per message, where the schema has no title for it. */
export function labelOf(name: string, { title }: JsonSchema = {}): string {
  if (title !== undefined) return title
  const words = name.replace(/([a-z0-9])([A-Z])/g, (_, last: string, next: string) => `${last} ${next.toLowerCase()}`)
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** `7, 8` or `7`: a number, or a list of them; what is none stays as it was typed, and the server says what is wrong. */
export function readNumbers(text: string, isList: boolean): unknown {
  const all = text.split(/[\s,;]+/).filter((part) => part !== '')
  if (!all.every((part) => /^\d{1,15}$/.test(part))) return text
  return all.length === 1 && !isList ? Number(all[0]) : all.map(Number)
}
