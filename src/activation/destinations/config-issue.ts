import type { z } from 'zod'

/** What is wrong with the settings of a destination, and with which member. */
export interface ConfigIssue {
  /** Dotted, from the object of settings on: `auth.keys.0.key`. */
  readonly path: string
  readonly message: string
}

/** What a member without a fixed default has when it is left out, in words. */
export const leftOut = (words: string) => ({ 'x-default': words })

/** Of a name that is refused, `zod` says why one level deeper. */
export function asConfigIssue(found: z.core.$ZodIssue): ConfigIssue {
  const message = (found.code === 'invalid_key' && found.issues[0]?.message) || found.message
  return { path: found.path.join('.'), message }
}

export function issueOf(check: (text: string) => string | undefined) {
  return (text: string, context: z.RefinementCtx) => {
    const message = check(text)
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  }
}
