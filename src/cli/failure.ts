import { ConfigError } from '../config.ts'
import { isDiskFull } from '../lib/disk-space.ts'
import { ServerUnreachableError } from '../lib/http-client.ts'
import { ApiRefusalError } from '../lib/rest-client.ts'

/** What a person is told when a command fails, with what to do next, and the exit status. */
export interface Failure {
  readonly text: string
  readonly status: 1 | 2
}

/** Wrong usage that only shows once the command runs. */
export class UsageError extends Error {
  readonly code = 'usage'
}

export function explainFailure(error: unknown): Failure {
  if (error instanceof ConfigError) return { text: `${error.message}\nWhat there is: docs/configuration.md`, status: 2 }
  if (error instanceof UsageError) return { text: `error: ${error.message}`, status: 2 }
  if (error instanceof ServerUnreachableError && isCertificateFault(error.cause)) {
    return {
      text: `error: ${error.message}\nIts certificate is not one that this machine trusts. On the machine of the server name its data directory (--data-dir) in place of --url; elsewhere trust it with NODE_EXTRA_CA_CERTS=FILE.pem`,
      status: 1,
    }
  }
  if (error instanceof ServerUnreachableError) {
    return {
      text: `error: ${error.message}\nIs it running? Start it with: usher serve\nElsewhere? Name it with: --url http://HOST:PORT`,
      status: 1,
    }
  }
  if (error instanceof ApiRefusalError) return { text: `error: ${error.message}${hintFor(error)}`, status: 1 }
  if (isDiskFull(error)) {
    const why = error instanceof Error ? error.message : String(error)
    return {
      text: `error: there is no room left on the disk (${why}).\nFree some space where the data directory is, then start it again`,
      status: 1,
    }
  }
  const unheard = explainListen(error)
  if (unheard !== undefined) return { text: `error: ${unheard}`, status: 1 }
  if (isCatalogDamaged(error)) {
    return {
      text: `error: the definitions (catalog.sqlite in the data directory) are damaged: ${(error as Error).message}. Restore a backup (docs/damage.md)`,
      status: 1,
    }
  }
  // An error of ours that has a code says in words what is wrong; anything else is a fault, and its place matters.
  if (error instanceof Error && 'code' in error) return { text: `error: ${error.message}`, status: 1 }
  return { text: `error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, status: 1 }
}

function isCertificateFault(cause: unknown): boolean {
  const { code } = (cause ?? {}) as { readonly code?: unknown }
  return typeof code === 'string' && /CERT|UNABLE_TO_VERIFY/.test(code)
}

/** Of SQLite, wherever it was met; what opens the stores says so by itself. */
function isCatalogDamaged(error: unknown): boolean {
  const { code, cause } = error as { readonly code?: unknown; readonly cause?: unknown }
  if (code === 'catalog_damaged') return false
  return code === 'SQLITE_CORRUPT' || code === 'SQLITE_NOTADB' || (cause instanceof Error && isCatalogDamaged(cause))
}

/** Why a listener could not open. */
function explainListen(error: unknown): string | undefined {
  if (!(error instanceof Error && 'code' in error && 'syscall' in error)) return undefined
  const port = 'port' in error ? String(error.port) : 'of the listener'
  const others = 'USHER_EDGE_PORT, USHER_ADMIN_PORT, USHER_PARTNER_PORT, USHER_SHOP_PORT, or --port of usher partner'
  if (error.code === 'EADDRINUSE') return `port ${port} is in use. Stop what uses it, or choose others: ${others}`
  if (error.code === 'EACCES' && error.syscall === 'listen')
    return `this user may not listen on port ${port}. Choose one above 1023: ${others}`
  if (error.code === 'EADDRNOTAVAIL' || error.syscall === 'getaddrinfo') {
    const name = 'address' in error ? error.address : 'hostname' in error ? error.hostname : ''
    return `this machine has no address ${String(name)}. Choose another: USHER_HOST, or --host of usher partner`
  }
  return undefined
}

function hintFor({ status }: ApiRefusalError): string {
  if (status === 401)
    return '\nSign in with --token, USHER_ADMIN_TOKEN, or run it where the data directory is (--data-dir). Where its admin.token is empty, the server makes a new one when it starts again'
  if (status === 403) return '\nThe token has no right to that'
  return ''
}
