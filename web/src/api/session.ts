import { queryOptions } from '@tanstack/react-query'
import { ApiProblem, get, post, remove } from './client.ts'
import type { Session } from './shapes.ts'

/** The one-time token of `/#setup=<token>`, taken out of the address before anything else can see or keep it. */
const setupToken = takeSetupToken()
let signingIn: Promise<unknown> | undefined

function takeSetupToken(): string | undefined {
  const token = /^#setup=(.+)$/.exec(location.hash)?.[1]
  if (token === undefined) return undefined
  history.replaceState(history.state, '', location.pathname + location.search)
  return decodeURIComponent(token)
}

/** null: not signed in. A link that no longer works is an error, and says so on the sign-in page. */
export const sessionQuery = queryOptions<Session | null>({
  queryKey: ['session'],
  queryFn: async () => {
    if (setupToken !== undefined) {
      signingIn ??= post('/v1/session', { setupToken }).catch((error) => {
        // What did not arrive may be tried again; a token that was refused stays so.
        if (!isRefusedLink(error)) signingIn = undefined
        throw error
      })
      // Who is signed in stays so, also with a link that no longer works.
      await signingIn.catch(async (error) => {
        if (!isRefusedLink(error) || (await session()) === null) throw error
      })
    }
    return session()
  },
  staleTime: 60_000,
  retry: false,
})

async function session(): Promise<Session | null> {
  try {
    return await get<Session>('/v1/session')
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 401) return null
    throw error
  }
}

/** Then trying again is of no use. */
export const isRefusedLink = (error: unknown): boolean =>
  error instanceof ApiProblem && error.code === 'setup_link_invalid'

export const signOut = (): Promise<void> => remove('/v1/session')
