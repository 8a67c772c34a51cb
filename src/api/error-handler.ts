import type { FastifyError, FastifyReply, FastifyRequest, FastifySchemaCompiler } from 'fastify'
import { z } from 'zod'
import type { ProblemBody } from '../contract.ts'
import { isDiskFull } from '../lib/disk-space.ts'
import type { Log } from '../lib/log.ts'
import { eachInSlices, runInSlices } from '../lib/slices.ts'
import { CatalogRefusal } from '../store/catalog/refusal.ts'
import type { App } from './app.ts'
import { Problem } from './problem.ts'

const REFUSAL_STATUS = { not_found: 404, invalid: 400, conflict: 409, forbidden: 403 } as const

/** Checks params, query and body by the schemas of a route [SEC-69]; of a body that is a list only how long it is. */
export const validateBySchema: FastifySchemaCompiler<z.ZodType> = ({ schema }) => {
  const checked = schema instanceof z.ZodArray ? ofAnything(schema) : schema
  return (value) => {
    const parsed = checked.safeParse(value)
    return parsed.success ? { value: parsed.data } : { error: problemOfIssues(parsed.error.issues) }
  }
}

/** A list of the same lengths. */
function ofAnything({ def: { checks = [] } }: z.ZodArray): z.ZodType {
  return z.array(z.unknown()).check(...(checks as z.core.$ZodCheck<unknown[]>[]))
}

/** Checks the items of a body that is a list, in slices: there may be 20,000. */
export function registerItemCheck(app: App): void {
  app.addHook('preHandler', async (request) => {
    const schema = request.routeOptions.schema?.body
    if (!(schema instanceof z.ZodArray) || !Array.isArray(request.body)) return
    const issues: z.core.$ZodIssue[] = []
    const check = (item: unknown, at: number) => {
      const parsed = (schema.element as z.ZodType).safeParse(item)
      if (!parsed.success) issues.push(...parsed.error.issues.map((issue) => ({ ...issue, path: [at, ...issue.path] })))
      return parsed.data
    }
    request.body = await runInSlices(eachInSlices(request.body, check))
    if (issues.length > 0) throw problemOfIssues(issues)
  })
}

/** The only place of the API that catches: every failure becomes one body [API-34], and only our own mistakes are logged. */
export function createErrorHandler(log: Log) {
  return async (error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const problem = toProblem(error)
    if (problem.status >= 500)
      log.error('admin.failed', { requestId: request.id, route: request.routeOptions.url, error })
    await sendProblem(request, reply, problem)
  }
}

export async function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): Promise<void> {
  const { code, message, details } = problem
  const body: ProblemBody = { code, message, details, requestId: request.id }
  await reply.code(problem.status).type('application/json; charset=utf-8').serializer(JSON.stringify).send(body)
}

/** Each issue names the member by its path: `s2s.auth.type`, `2.sid` in a bulk request. */
export function problemOfIssues(issues: readonly z.core.$ZodIssue[]): Problem {
  return invalidRequest(
    issues.flatMap((issue) => {
      if (issue.code === 'unrecognized_keys')
        return issue.keys.map((key) => ({ field: [...issue.path, key].join('.'), message: 'Unknown member.' }))
      return [{ field: issue.path.join('.'), message: issue.message }]
    }),
  )
}

function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof CatalogRefusal) return problemOfRefusal(error)
  // Everything that the framework refuses before a route is reached: unreadable JSON, a body too large, an unknown type.
  const status = (error as Partial<FastifyError>).statusCode
  if (status !== undefined && status >= 400 && status < 500) {
    return new Problem(status, FRAMEWORK_CODES.get(status) ?? 'invalid_request', (error as FastifyError).message)
  }
  if (isDiskFull(error)) {
    const words = 'There is no room left on the disk of the data directory. Free some space, then try again.'
    return new Problem(503, 'disk_full', words)
  }
  if (isRetryable(error)) return new Problem(503, error.code, 'The store is not available; try again.')
  return new Problem(500, 'internal_error', 'Something went wrong on our side; the request id finds it in the log.')
}

const FRAMEWORK_CODES = new Map([
  [404, 'not_found'],
  [413, 'body_too_large'],
  [415, 'content_type_not_supported'],
])

function problemOfRefusal({ kind, code, message, field, ids }: CatalogRefusal): Problem {
  const details = field === undefined ? [] : [{ field, message, ...(ids.length > 0 && { ids: [...ids] }) }]
  return new Problem(
    REFUSAL_STATUS[kind],
    code,
    kind === 'invalid' && code === 'invalid_request' ? 'The request is not valid.' : message,
    details,
  )
}

function invalidRequest(details: ProblemBody['details']): Problem {
  return new Problem(400, 'invalid_request', 'The request is not valid.', details)
}

function isRetryable(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'retryable' in error && error.retryable === true
}
