import { z } from 'zod'
import { notBuilt, s2sDestination } from './s2s.ts'

/** The settings of a server-to-server destination, described by the schema that judges them [OPS-40], [OPS-42]. */
export type JsonSchema = z.core.JSONSchema.JSONSchema

/** A secret as an answer shows it, and as it may be sent back [OPS-50]. */
const shownSecret = {
  type: 'object',
  properties: {
    set: { const: true },
    last4: { type: 'string', description: 'Empty of a secret of fewer than 12 characters' },
    fingerprint: { type: 'string', description: 'Tells apart two secrets whose last characters are the same' },
    value: { type: 'string', description: 'Once, in the answer of the call that generated it' },
  },
  required: ['set', 'last4', 'fingerprint'],
} as const satisfies JsonSchema

/** @param side what may be sent, or what is shown */
export function s2sJsonSchema(side: 'sent' | 'shown'): JsonSchema {
  const describe = side === 'sent' ? describeSent : describeShown
  const schema = plainSchema(side, describe)
  const { headers } = schema.properties as { headers: JsonSchema }
  // The value of every free header is a secret, whatever its name.
  const value: JsonSchema = { ...(headers.additionalProperties as JsonSchema), secret: true }
  describe(value)
  return { ...schema, properties: { ...schema.properties, headers: { ...headers, additionalProperties: value } } }
}

/** Changes it in place. */
function describeSent(schema: JsonSchema): void {
  const { properties = {}, required = [], secret, description } = schema
  // What is made when it is left out is not asked for.
  if (required.length > 0)
    schema.required = required.filter((name) => (properties[name] as JsonSchema)['x-default'] === undefined)
  if (secret !== true) return
  delete schema['secret']
  const sentBack = 'Sent back as it is shown, `{"set": true, "last4": "…", "fingerprint": "…"}`, the stored one is kept'
  // A client may send either; what is written of texts holds for texts.
  Object.assign(schema, {
    type: ['string', 'object'],
    writeOnly: true,
    description: description === undefined ? sentBack : `${description}. ${sentBack}`,
  })
}

/** Changes it in place. */
function describeShown(schema: JsonSchema): void {
  const { secret, description } = schema
  if (secret !== true) return
  for (const name of Object.keys(schema)) delete schema[name]
  Object.assign(schema, shownSecret, description === undefined ? {} : { description })
}

/** Without the values that are refused until they are built. */
function plainSchema(side: 'sent' | 'shown', describe: (schema: JsonSchema) => void = () => {}): JsonSchema {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(s2sDestination.config, {
    io: side === 'sent' ? 'input' : 'output',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => describe(jsonSchema),
  })
  for (const [name, values] of Object.entries(notBuilt)) {
    const member = schema.properties?.[name] as JsonSchema
    member.enum = (member.enum ?? []).filter((value) => !(values as readonly unknown[]).includes(value))
  }
  return schema
}

/** The documentation page, `docs/destination-settings.md`. */
export function renderS2sPage(): string {
  const { auth, ...members } = membersOf(plainSchema('sent'))
  const types = auth?.schema.oneOf ?? []
  const sections = types.map((type) => {
    const { type: name, ...own } = membersOf(type as JsonSchema)
    const { keys } = own
    const heading = `### \`${JSON.stringify({ type: name?.schema.const })}\`\n\n${(type as JsonSchema).description}.\n`
    const entry =
      keys === undefined ? '' : `\nOf each entry of \`keys\`:\n\n${table(membersOf(keys.schema.items as JsonSchema))}`
    return `${heading}${Object.keys(own).length === 0 ? '' : `\n${table(own)}`}${entry}`
  })
  return `# Settings of a destination

<!-- Written by scripts/docs.mjs from src/activation/destinations/s2s.ts. Change it there. -->

The members of \`s2s\` in \`POST\` and \`PUT /v1/destinations\`, for destinations of type \`S2S\`. A member that is not here, or that the
chosen \`mode\` or \`method\` has no use for, is refused with its name. Answers show every default that is a value.

\`\`\`json
{ "name": "Halden DSP", "destinationType": "S2S", "s2s": { "url": "https://in.halden.example/aam", "userDpid": 77052, "auth": { "type": "hmac" } } }
\`\`\`

A secret is write-only: an answer shows \`{"set": true, "last4": "…", "fingerprint": "…"}\`, and sent back like that it stays as it
is. \`last4\` or \`fingerprint\` may be left out as long as only one stored secret fits the rest; a secret sent as a text takes its
place. How to change a key without losing a message: [delivery.md](delivery.md#changing-a-key).

## \`s2s\`

${table({ ...members, auth })}
## \`s2s.auth\`

${sections.join('\n')}`
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
