import { createHash } from 'node:crypto'
import swagger from '@fastify/swagger'
import type { RouteOptions } from 'fastify'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ProblemBody } from '../contract.ts'
import { nextTurn } from '../lib/slices.ts'
import type { App } from './app.ts'
import { type OpenapiDocument, renderDocs, STYLE } from './docs-page.ts'

type Transform = typeof jsonSchemaTransform
type TransformInput = Parameters<Transform>[0]

/**
 * The document of every route, made from the schemas that validate them [OPS-40]. Must come before the routes.
 * @returns makes the document when it is first asked for, a route at a time: all of them at once would hold the thread
 * that answers events for some 100 ms
 */
export async function registerOpenapi(app: App, version: string): Promise<() => Promise<OpenapiDocument>> {
  const routes: RouteOptions[] = []
  app.addHook('onRoute', (route) => void routes.push(route))
  const transformed = new Map<string, ReturnType<Transform>>()
  await app.register(swagger, {
    openapi: {
      openapi: VERSION,
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
    transform: (input) => transformed.get(keyOf(input.route)) ?? transformRoute(input),
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

  let document: Promise<OpenapiDocument> | undefined
  return () => {
    document ??= (async () => {
      for (const route of routes) {
        await nextTurn()
        const { schema, url } = route
        const input = { schema, url, route, openapiObject: { openapi: VERSION } }
        transformed.set(keyOf(route), transformRoute(input as unknown as TransformInput))
      }
      return app.swagger() as OpenapiDocument
    })()
    return document
  }
}

const VERSION = '3.1.0'

function keyOf({ method, url }: Pick<RouteOptions, 'method' | 'url'>): string {
  return `${String(method)} ${url}`
}

function transformRoute(input: TransformInput): ReturnType<Transform> {
  const made = jsonSchemaTransform(input)
  if (!input.url.startsWith('/v1/')) return made
  return { ...made, schema: { ...made.schema, security: [{ bearer: [] }] } }
}

/** `/openapi.json` for programs and `/docs` for people, open to both without signing in [OPS-11]. */
export function openapiRoutes(app: App, document: () => Promise<OpenapiDocument>): void {
  const options = { config: { isPublic: true }, schema: { hide: true } }
  app.get('/openapi.json', options, () => document())

  let page: string | undefined
  // The one style element is allowed by its hash: the policy knows no inline code [SEC-21].
  const styleHash = createHash('sha256').update(STYLE).digest('base64')
  app.get('/docs', options, async (_request, reply) => {
    page ??= renderDocs(await document())
    reply.header('content-security-policy', policyOf(`'sha256-${styleHash}'`))
    return reply.type('text/html; charset=utf-8').serializer(String).send(page)
  })
}

function policyOf(style: string): string {
  return `default-src 'none'; style-src ${style}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
}

function problemSchema(): Record<string, unknown> {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(ProblemBody)
  return schema
}
