import { z } from 'zod'

/** The body of every error [API-34]. */
export const ProblemBody = z.object({
  code: z.string(),
  message: z.string(),
  details: z.array(
    z.object({
      field: z.string(),
      position: z.int().optional().meta({ description: 'Offset of the offending character in a rule' }),
      message: z.string(),
      ids: z.array(z.int()).optional().meta({ description: 'Objects that stand in the way' }),
    }),
  ),
  requestId: z.string(),
})
export type ProblemBody = z.infer<typeof ProblemBody>

/** The body of a rule check [API-20], [API-60]. */
export const RuleToValidate = z.object({ code: z.string().max(1_048_576) })
export const RuleVerdict = z.object({ valid: z.literal(true), code: z.string(), hints: z.array(z.string()) })
