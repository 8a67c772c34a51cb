import { createHash } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { FastifySchema, RouteOptions } from 'fastify'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ProblemBody } from '../contract.ts'
import { nextTurn } from '../lib/slices.ts'
import type { App } from './app.ts'
import { type OpenapiDocument, renderDocs, STYLE } from './docs-page.ts'
import type { OperationWords } from './operation-words.ts'

/**
 * The document of every route, made from the schemas that validate them [OPS-40]. Must come before the routes.
 * @returns makes the document when it is first asked for, a route at a time: all of them at once would hold the thread
 * that answers events for some 150 ms
 */
export function registerOpenapi(app: App, version: string): () => Promise<OpenapiDocument> {
  const routes: RouteOptions[] = []
  app.addHook('onRoute', (route) => void routes.push(route))
  let document: Promise<OpenapiDocument> | undefined
  return () => {
    document ??= describeRoutes(routes, version)
    return document
  }
}

const OPENAPI = '3.1.0'

async function describeRoutes(routes: readonly RouteOptions[], version: string): Promise<OpenapiDocument> {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const { schema, url, method } of routes) {
    // What answers GET answers HEAD.
    if (schema === undefined || schema.hide === true || method === 'HEAD') continue
    await nextTurn()
    const path = url.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [String(method).toLowerCase()]: operationOf(asJsonSchemas(schema, url), path) }
  }
  await nextTurn()
  const document = {
    openapi: OPENAPI,
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
    paths,
  }
  // It puts in what the schemas name by reference.
  type Input = Parameters<typeof jsonSchemaTransformObject>[0]
  return jsonSchemaTransformObject({ openapiObject: document } as Input) as OpenapiDocument
}

/** A route's words, and its schemas as JSON Schema. */
interface DescribedRoute extends OperationWords {
  readonly produces?: readonly string[]
  readonly params?: JsonSchema
  readonly querystring?: JsonSchema
  readonly body?: JsonSchema
  readonly response?: Readonly<Record<string, JsonSchema>>
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly description?: string
}

function asJsonSchemas(schema: FastifySchema, url: string): DescribedRoute {
  // The types ask for more than is read.
  const input = { schema, url, openapiObject: { openapi: OPENAPI } } as unknown
  return jsonSchemaTransform(input as Parameters<typeof jsonSchemaTransform>[0]).schema as DescribedRoute
}

function operationOf(
  { params, querystring, body, response = {}, produces = [JSON_TYPE], ...words }: DescribedRoute,
  path: string,
) {
  const parameters = [...parametersIn('path', params), ...parametersIn('query', querystring)]
  const answers = Object.entries(response).map(([status, schema]) => {
    const content = status === '204' ? {} : { content: contentOf(produces, schema) }
    return [status, { description: STATUS_CODES[status], ...content }]
  })
  return {
    ...words,
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && { requestBody: requestBodyOf(body) }),
    ...(path.startsWith('/v1/') && { security: [{ bearer: [] }] }),
    responses: { ...Object.fromEntries(answers), default: { $ref: '#/components/responses/Problem' } },
  }
}

const JSON_TYPE = 'application/json'

function requestBodyOf({ description, ...schema }: JsonSchema) {
  return { required: true, ...(description !== undefined && { description }), content: contentOf([JSON_TYPE], schema) }
}

function contentOf(types: readonly string[], schema: JsonSchema) {
  return Object.fromEntries(types.map((type) => [type, { schema }]))
}

function parametersIn(place: 'path' | 'query', { properties = {}, required = [] }: JsonSchema = {}) {
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    in: place,
    name,
    required: place === 'path' || required.includes(name),
    ...(description !== undefined && { description }),
    schema,
  }))
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
