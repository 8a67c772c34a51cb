import { z } from 'zod'

/** The token of a set-up link, as it stands behind `#setup=`. */
export const SessionRequest = z.strictObject({ setupToken: z.string().min(1).max(200) })

/** Who is signed in, and until when at the latest [SEC-66]. */
export const SessionView = z.object({
  user: z.object({ name: z.string() }),
  expiresAt: z.string().meta({ format: 'date-time' }),
})
export type SessionView = z.infer<typeof SessionView>

/** A new set-up link: open `<admin address>/#setup=<setupToken>` [OPS-22]. */
export const SetupLink = z.object({
  setupToken: z.string(),
  expiresAt: z.string().meta({ format: 'date-time' }),
})
export type SetupLink = z.infer<typeof SetupLink>

/** What a change with the session cookie must carry, with the value `1`: no form of another site can. */
export const CSRF_HEADER = 'x-usher-csrf'
