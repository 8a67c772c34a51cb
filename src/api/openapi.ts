import swagger from '@fastify/swagger'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ProblemBody } from '../contract.ts'
import type { App } from './app.ts'

/** The document of every route, made from the schemas that validate them [OPS-40]. Must come before the routes. */
export async function registerOpenapi(app: App, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Usher',
        version,
        description:
          'Management API, compatible with the REST API of Adobe Audience Manager. Every path is also served below /api.',
      },
      components: {
        securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
        schemas: { Problem: problemSchema() },
        responses: {
          Problem: {
            description: 'Refused or failed',
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Problem' } } },
          },
        },
      },
    },
    transform: (route) => {
      const transformed = jsonSchemaTransform(route)
      if (!route.url.startsWith('/v1/')) return transformed
      return { ...transformed, schema: { ...transformed.schema, security: [{ bearer: [] }] } }
    },
    transformObject: (document) => {
      const openapi = jsonSchemaTransformObject(document)
      for (const path of Object.values(openapi.paths ?? {})) {
        for (const operation of Object.values(path ?? {}) as { responses?: Record<string, unknown> }[]) {
          operation.responses = { ...operation.responses, default: { $ref: '#/components/responses/Problem' } }
        }
      }
      return openapi
    },
  })
}

export function openapiRoute(app: App): void {
  app.get('/openapi.json', { config: { isPublic: true }, schema: { hide: true } }, async () => app.swagger())
}

function problemSchema(): Record<string, unknown> {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(ProblemBody)
  return schema
}
