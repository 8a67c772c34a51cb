import { z } from 'zod'
import type { ConfigIssue } from './config-issue.ts'

/** Which member belongs to which choice: told by the schema, so that form, documentation and validation say the same. */
interface OnlyIn {
  /** The member that is chosen by, and what it must say. */
  readonly [member: string]: string
}

interface Idle {
  /** For a client that sends the member all the same. */
  readonly because?: string
  /** Said besides the default that asks for nothing. */
  readonly values?: readonly unknown[]
}

/** For `.meta()`: the member has a use only where `member` is `value`; elsewhere anything but its default is refused. */
export const onlyIn = (member: string, value: string, idle: Idle = {}) => ({
  'x-only': { [member]: value },
  'x-idle': idle,
})

/** For `.meta()`: values of a choice that are known and refused, until they are built. They are not offered. */
export const notBuiltValues = (values: readonly string[]) => ({ 'x-not-built': values })

/** Changes it in place: what is for us alone goes, and what is not built is not offered. */
export function asOffered(schema: z.core.JSONSchema.JSONSchema): void {
  const notBuilt = schema['x-not-built'] as readonly unknown[] | undefined
  if (notBuilt !== undefined) schema.enum = (schema.enum ?? []).filter((value) => !notBuilt.includes(value))
  delete schema['x-not-built']
  delete schema['x-idle']
}

/** Members that were given and that the chosen values have no use for. */
export function idleIssues(schema: z.ZodObject, config: Readonly<Record<string, unknown>>): ConfigIssue[] {
  return Object.entries(schema.shape).flatMap(([path, field]) => {
    const meta = z.globalRegistry.get(field) ?? {}
    const only = meta['x-only'] as OnlyIn | undefined
    const { because, values = [] } = (meta['x-idle'] as Idle | undefined) ?? {}
    const usual: unknown = field.safeParse(undefined).data
    const isIdle = [usual, ...values].some((value) => saysOf(value) === saysOf(config[path]))
    if (only === undefined || isIdle) return []
    const wrong = Object.entries(only).find(([member, value]) => config[member] !== value)
    if (wrong === undefined) return []
    return [{ path, message: `is for ${wrong[0]} ${wrong[1]} only${because === undefined ? '' : `; ${because}`}` }]
  })
}

/** Of a list, what stands in it, each once. */
function saysOf(value: unknown): string | undefined {
  return JSON.stringify(Array.isArray(value) ? [...new Set(value)] : value)
}
