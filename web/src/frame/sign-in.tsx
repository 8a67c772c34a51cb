import { useQueryClient } from '@tanstack/react-query'
import { isRefusedLink } from '../api/session.ts'
import { Trouble } from '../parts/answers.tsx'
import { useWords } from '../words/use-words.tsx'
import { Preferences } from './preferences.tsx'

/** No password exists at first: the machine itself gives a link that works once [OPS-22]. */
export function SignIn({ error }: { readonly error: unknown }) {
  const { t } = useWords()
  const queries = useQueryClient()
  const isRefused = isRefusedLink(error)
  return (
    <main className="sign-in">
      <div className="card">
        <h1>{t('signIn.title')}</h1>
        {error !== null && (
          <Trouble error={error} onRetry={isRefused ? undefined : () => void queries.invalidateQueries()} />
        )}
        <p>{isRefused ? t('signIn.again') : t('signIn.how')}</p>
        <pre>
          <code>bin/usher link</code>
        </pre>
        <p className="dim">{t('signIn.then')}</p>
        <div className="choices">
          <Preferences />
        </div>
      </div>
    </main>
  )
}
