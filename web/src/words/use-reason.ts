import { useWords } from './use-words.tsx'

/** Why an attempt or a message failed, in words; a reason that has none yet is shown as it is. */
export function useReason(): (reason: string | null) => string {
  const { t, has } = useWords()
  const reasonOf = (reason: string | null): string => {
    if (reason === null) return ''
    const status = /^http_(\d{3})$/.exec(reason)?.[1]
    if (status !== undefined) return t('reason.http', { status })
    const atToken = /^oauth_(?:http_(\d{3})|(.+))$/.exec(reason)
    if (atToken !== null) {
      const [, answered, other = null] = atToken
      return t('reason.oauth', { detail: answered === undefined ? reasonOf(other) : `HTTP ${answered}` })
    }
    // The detail is the name by which one looks it up: `cert_has_expired`.
    const detail = /^tls_(.+)$/.exec(reason)?.[1]
    if (detail !== undefined) return t('reason.tls', { detail })
    const key = `reason.${reason}`
    return has(key) ? t(key, { detail: reason }) : reason
  }
  return reasonOf
}
