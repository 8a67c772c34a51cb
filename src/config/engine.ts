import { z } from 'zod'

/** A value that a later version will take is refused with those words, not as a typo. */
export const engine = <Name extends string>(only: Name, later: string, description: string) =>
  z
    .literal(only, {
      error: ({ input }) => (String(input).startsWith(later) ? `${later} is not in this version` : 'is not an engine'),
    })
    .default(only as never)
    .meta({ description, allowed: `${only} (${later}... follows in a later version)` })
