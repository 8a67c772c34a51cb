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
        if (error instanceof ApiProblem && error.status === 0) signingIn = undefined
        throw error
      })
      await signingIn
    }
    try {
      return await get<Session>('/v1/session')
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 401) return null
      throw error
    }
  },
  staleTime: 60_000,
  retry: false,
})

export const signOut = (): Promise<void> => remove('/v1/session')
