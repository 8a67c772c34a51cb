import { z } from 'zod'
import { asOffered } from './choices.ts'
import type { DestinationType } from './define-destination.ts'

/** The settings of a destination, described by the schema that judges them [OPS-40], [OPS-42]. */
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
export function settingsJsonSchema(type: Pick<DestinationType, 'config'>, side: 'sent' | 'shown'): JsonSchema {
  return plainSchema(type, side, side === 'sent' ? describeSent : describeShown)
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

/** As it is judged, without what is refused until it is built. */
export function plainSchema(
  { config }: Pick<DestinationType, 'config'>,
  side: 'sent' | 'shown',
  describe: (schema: JsonSchema) => void = () => {},
): JsonSchema {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(config, {
    io: side === 'sent' ? 'input' : 'output',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      asOffered(jsonSchema)
      describe(jsonSchema)
    },
  })
  return schema
}
