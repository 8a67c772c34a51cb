import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Caller } from './auth.ts'
import { problemOfIssues } from './error-handler.ts'

/** A fastify server whose routes are typed by their schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>

/** Adds routes; takes only the parts it uses. */
export type Routes<Parts> = (app: App, parts: Parts) => void

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls; set before every route below `/v1`. */
    caller: Caller
  }
  interface FastifyContextConfig {
    /** Open to anyone: probes, sign-in and the files of the UI. */
    isPublic?: boolean
  }
}

/** Bodies of bulk requests may be larger than the 1 MiB of others. */
export const BULK_BODY_BYTES_MAX = 16 * 1024 * 1024

/** An answer without a body [API-27]. */
export const NoContent = z.undefined().meta({ description: 'No Content' })

/**
 * What a PATCH means: the object as it is shown, with the members of the body over it, read like a PUT. An object that was
 * read can be sent back whole [API-37], so its own form is a valid draft.
 */
export function patched<Schema extends z.ZodType>(
  schema: Schema,
  shown: object,
  body: Readonly<Record<string, unknown>>,
): z.output<Schema> {
  const parsed = schema.safeParse({ ...shown, ...body })
  if (!parsed.success) throw problemOfIssues(parsed.error.issues)
  return parsed.data
}

export const PatchBody = z
  .record(z.string(), z.unknown())
  .meta({ description: 'The members to change; the others stay' })
