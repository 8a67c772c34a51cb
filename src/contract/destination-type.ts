import { z } from 'zod'

/** [API-188]. Forms, documentation and validation derive from the same schema. */
export const DestinationTypeView = z.object({
  type: z.string().meta({ description: '`destinationType` of its destinations' }),
  title: z.string(),
  description: z.string(),
  schema: z.record(z.string(), z.unknown()).meta({
    description:
      'JSON Schema of what `POST /v1/destinations` takes. Of a member, `writeOnly` says that it is a secret, `x-default` what it has when it is left out, and `x-only` beside which choice it has a use: elsewhere it is refused',
  }),
  can: z
    .array(z.enum(['realtime']))
    .meta({ description: 'realtime: it is told of memberships while visitors are there' }),
})
export type DestinationTypeView = z.infer<typeof DestinationTypeView>
