import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig, type UsherConfig } from '../config.ts'
import { createHttpClient, type HttpClient } from '../lib/http-client.ts'
import { createRestClient, type RestClient } from '../lib/rest-client.ts'
import { ADMIN_TOKEN_FILE } from '../lib/secret-files.ts'
import { UsageError } from './failure.ts'

/** How a client command finds the running server and signs in [OPS-14]. */
export interface ClientOptions {
  readonly config?: string
  readonly dataDir?: string
  readonly url?: string
  readonly token?: string
  readonly json?: boolean
}

export interface FoundServer {
  readonly api: RestClient
  readonly config: UsherConfig
  close(): void
}

export function findServer(options: ClientOptions): FoundServer {
  const config = loadConfig({ options })
  if (options.url !== undefined && !/^https?:\/\/[^/]/.test(options.url))
    throw new UsageError(`--url wants an address such as http://127.0.0.1:8081, not "${options.url}"`)
  if (options.token !== undefined && !/^[!-~]+$/.test(options.token))
    throw new UsageError('--token holds a blank, a line end or a letter that no header can carry; copy it again')
  const http: HttpClient = createHttpClient(
    config.tls.cert === undefined ? undefined : readFileSync(config.tls.cert, 'utf8'),
  )
  return {
    api: createRestClient(http, options.url ?? configuredUrl(config), options.token ?? findToken(config)),
    config,
    close: http.close,
  }
}

export function configuredUrl({ host, tls, admin }: UsherConfig): string {
  if (admin.port === 0) throw new UsageError('the configured admin port is 0 (any): name the server with --url')
  // An address that means "all of this machine" is reached on loopback.
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `${tls.cert === undefined ? 'http' : 'https'}://${reachable.includes(':') ? `[${reachable}]` : reachable}:${admin.port}`
}

function findToken({ admin, dataDir }: UsherConfig): string | undefined {
  if (admin.token !== undefined) return admin.token
  const path = join(dataDir, ADMIN_TOKEN_FILE)
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined
}
