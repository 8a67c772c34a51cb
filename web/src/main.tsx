import '@fontsource-variable/inter/opsz.css'
import '@fontsource-variable/jetbrains-mono/wght.css'
import '@mantine/core/styles.css'
import './styles/roles.css'
import './styles/frame.css'
import './styles/parts.css'
import './styles/pages.css'
import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { createRoot } from 'react-dom/client'
import { ApiProblem } from './api/client.ts'
import { sessionQuery } from './api/session.ts'
import { router } from './router.tsx'
import { resolveRoles, theme } from './theme.ts'
import { WordsProvider } from './words/use-words.tsx'

const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? ''

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2000,
      // A refusal stays one; only what was not reached may work the second time.
      retry: (count, error) => count < 1 && error instanceof ApiProblem && error.status === 0,
    },
  },
})
// A session that has ended shows the sign-in page, wherever that is noticed.
queries.getQueryCache().subscribe(({ query }) => {
  const { error } = query.state
  if (error instanceof ApiProblem && error.status === 401 && query.queryKey[0] !== 'session')
    queries.setQueryData(sessionQuery.queryKey, null)
})

const root = document.getElementById('root')
if (root === null) throw new Error('index.html has no #root')
createRoot(root).render(
  <MantineProvider
    theme={theme}
    cssVariablesResolver={resolveRoles}
    defaultColorScheme="auto"
    getStyleNonce={() => nonce}
  >
    <WordsProvider>
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </WordsProvider>
  </MantineProvider>,
)
