import { z } from 'zod'
import { DestinationTypeView } from '../contract.ts'
import type { Routes } from './app.ts'
import { describedBy } from './destinations.ts'
import { operationsOf } from './operation-words.ts'
import type { DestinationTypeDesk, DestinationTypes } from './parts.ts'
import { noSuch } from './problem.ts'

/** Routes under `/v1/destination-types`. Source: spec/rest-api.md [API-188]. */
export const destinationTypeRoutes: Routes<{ destinationTypes: DestinationTypes }> = (app, { destinationTypes }) => {
  const says = operationsOf('Destinations')
  const views = destinationTypes.map(viewType)

  app.get(
    '/v1/destination-types',
    {
      schema: {
        ...says(
          'List the types of destinations',
          'Each with what it can do and, as JSON Schema, what it takes: forms and programs need to know no type by name.',
        ),
        response: { 200: z.array(DestinationTypeView) },
      },
    },
    async () => views,
  )

  app.get(
    '/v1/destination-types/:type',
    {
      schema: {
        ...says('Show a type of destination', 'One type by its name, in letters of any size.'),
        params: z.object({ type: z.string().min(1).max(32) }),
        response: { 200: DestinationTypeView },
      },
    },
    async ({ params: { type } }) => {
      const view = views.find((one) => one.type === type.toUpperCase())
      if (view === undefined) throw noSuch('destination type', type)
      return view
    },
  )
}

/** [API-188] */
export function viewType(desk: DestinationTypeDesk): DestinationTypeView {
  const { type, member, title, description, can } = desk
  const { body } = describedBy([desk])
  const { $schema, properties = {}, ...schema } = z.toJSONSchema(body, { io: 'input', unrepresentable: 'any' })
  // Only the value that asks for nothing is taken: there is nothing to offer.
  const { dataExportLabels: _notBuilt, destinationType, ...offered } = properties
  return {
    ...{ type, title, description },
    schema: {
      $schema,
      ...schema,
      properties: { ...offered, destinationType: { const: type, ...described(destinationType) } },
      required: ['name', 'destinationType', member],
    },
    can: [...can],
  }
}

function described(schema: z.core.JSONSchema._JSONSchema | undefined): { readonly description?: string } {
  return typeof schema === 'object' && schema.description !== undefined ? { description: schema.description } : {}
}
