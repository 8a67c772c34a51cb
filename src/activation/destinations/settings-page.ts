import type { DestinationType } from './define-destination.ts'
import { type JsonSchema, plainSchema } from './settings-schema.ts'

/** The documentation page, `docs/destination-settings.md`: every type, as its schema describes it. */
export function renderSettingsPage(types: readonly DestinationType[]): string {
  return `# Settings of a destination

<!-- Written by scripts/docs.mjs from the types in src/activation/destinations. Change it there. -->

${types.map(renderType).join('\n')}`
}

function renderType(type: DestinationType): string {
  const { auth, ...members } = membersOf(plainSchema(type, 'sent'))
  const example = { name: 'Halden DSP', destinationType: type.type, [type.member]: type.example }
  return `The members of \`${type.member}\` in \`POST\` and \`PUT /v1/destinations\`, for destinations of type \`${type.type}\`. A member that is not here, or that the
chosen \`mode\` or \`method\` has no use for, is refused with its name. Answers show every default that is a value.

\`\`\`json
${spaced(example)}
\`\`\`

A secret is write-only: an answer shows \`{"set": true, "last4": "…", "fingerprint": "…"}\`, and sent back like that it stays as it
is. \`last4\` or \`fingerprint\` may be left out as long as only one stored secret fits the rest; a secret sent as a text takes its
place. How to change a key without losing a message: [delivery.md](delivery.md#changing-a-key).

## \`${type.member}\`

${table(auth === undefined ? members : { ...members, auth })}${auth === undefined ? '' : renderAuth(`${type.member}.auth`, auth)}`
}

function renderAuth(path: string, { schema }: Member): string {
  const sections = (schema.oneOf ?? []).map((type) => {
    const { type: name, ...own } = membersOf(type as JsonSchema)
    const { keys } = own
    const heading = `### \`${JSON.stringify({ type: name?.schema.const })}\`\n\n${(type as JsonSchema).description}.\n`
    const entry =
      keys === undefined ? '' : `\nOf each entry of \`keys\`:\n\n${table(membersOf(keys.schema.items as JsonSchema))}`
    return `${heading}${Object.keys(own).length === 0 ? '' : `\n${table(own)}`}${entry}`
  })
  return `\n## \`${path}\`\n\n${sections.join('\n')}`
}

/** On one line, as people write it. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).map(([name, inner]) => `${JSON.stringify(name)}: ${spaced(inner)}`)
  return `{ ${members.join(', ')} }`
}

interface Member {
  readonly schema: JsonSchema
  readonly isRequired: boolean
}

function membersOf(schema: JsonSchema): Record<string, Member | undefined> {
  const entries = Object.entries(schema.properties ?? {}) as [string, JsonSchema][]
  return Object.fromEntries(
    entries.map(([name, inner]) => [name, { schema: inner, isRequired: schema.required?.includes(name) === true }]),
  )
}

function table(members: Readonly<Record<string, Member | undefined>>): string {
  const rows = Object.entries(members).flatMap(([name, member]) => (member === undefined ? [] : [row(name, member)]))
  return `| Member | What may stand there | Left out | What it does |\n|---|---|---|---|\n${rows.join('\n')}\n`
}

function row(name: string, { schema, isRequired }: Member): string {
  const inWords = schema['x-default'] as string | undefined
  const fixed = schema.default === undefined ? undefined : `\`${JSON.stringify(schema.default)}\``
  const leftOut = inWords ?? fixed ?? (isRequired ? '**refused**' : '–')
  const cells = [
    `\`${name}\``,
    allowed(schema),
    leftOut,
    `${schema.description}${schema['secret'] === true ? '. Secret' : ''}`,
  ]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

/** Type and limits, in words. */
function allowed(schema: JsonSchema): string {
  const { enum: values, anyOf, oneOf, type, minimum, maximum, minLength, maxLength } = schema
  if (Array.isArray(type)) return type.map((one) => allowed({ ...schema, type: one })).join(', or ')
  if (oneOf !== undefined) return 'an object by `type`, below'
  if (anyOf !== undefined) return (anyOf as JsonSchema[]).map(allowed).join(', or ')
  if (values !== undefined) return values.map((value) => `\`${String(value)}\``).join(', ')
  if (type === 'integer') return `a whole number from ${minimum} to ${maximum}`
  if (type === 'number') return `a number from ${minimum} to ${maximum}`
  if (type === 'boolean') return 'true or false'
  if (type === 'null') return 'null'
  if (type === 'array')
    return `a list of ${schema.minItems} to ${schema.maxItems}: ${allowed(schema.items as JsonSchema)}`
  if (type === 'object') return schema.propertyNames === undefined ? 'an object, below' : 'an object of texts'
  if (type !== 'string') return 'nothing'
  if (schema.format === 'date-time') return 'a time, `2026-11-22T00:00:00Z`'
  if (maxLength === undefined) return 'a name of a header'
  return minLength === undefined
    ? `a text of at most ${maxLength} characters`
    : `a text of ${minLength} to ${maxLength} characters`
}
