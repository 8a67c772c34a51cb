import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig, type UsherConfig } from '../config.ts'
import { createHttpClient } from '../lib/http-client.ts'
import { listenerUrl } from '../lib/listener-url.ts'
import { createRestClient, type RestClient } from '../lib/rest-client.ts'
import { ADMIN_TOKEN_FILE } from '../lib/secret-files.ts'
import { findRunningServer, isReachedElsewhere } from '../main/server-file.ts'
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
  /** People come by other addresses than this one. */
  readonly isReachedElsewhere: boolean
  close(): void
}

/** By `--url`; else where a server says it is, in the data directory; else where the configuration puts it. */
export function findServer(options: ClientOptions): FoundServer {
  const config = loadConfig({ options })
  if (options.token !== undefined && !/^[!-~]+$/.test(options.token))
    throw new UsageError('--token holds a blank, a line end or a letter that no header can carry; copy it again')
  const { url, certificate, isElsewhere } = whereIs(options, config)
  const http = createHttpClient(certificate)
  return {
    api: createRestClient(http, url, options.token ?? findToken(config)),
    config,
    isReachedElsewhere: isElsewhere,
    close: http.close,
  }
}

interface Place {
  readonly url: string
  readonly certificate: string | undefined
  readonly isElsewhere: boolean
}

function whereIs({ url }: ClientOptions, config: UsherConfig): Place {
  const { cert } = config.tls
  const readOwn = () => (cert === undefined ? undefined : readFileSync(cert, 'utf8'))
  if (url !== undefined) {
    if (!/^https?:\/\/[^/]/.test(url))
      throw new UsageError(`--url wants an address such as http://127.0.0.1:8081, not "${url}"`)
    return { url, certificate: url.startsWith('https:') ? readOwn() : undefined, isElsewhere: false }
  }
  const running = findRunningServer(config.dataDir)
  if (running !== undefined) {
    if (running.adminUrl === '')
      throw new UsageError(`the server of ${config.dataDir} has no role admin: name another with --url`)
    return { url: running.adminUrl, certificate: running.certificate, isElsewhere: running.isReachedElsewhere }
  }
  return { url: configuredUrl(config), certificate: readOwn(), isElsewhere: isReachedElsewhere(config) }
}

function configuredUrl({ host, tls, admin, dataDir }: UsherConfig): string {
  if (admin.port === 0)
    throw new UsageError(
      `no server runs on ${dataDir}, and the configured admin port is 0 (any): name the server with --url`,
    )
  return listenerUrl(host, admin.port, tls.cert !== undefined)
}

function findToken({ admin, dataDir }: UsherConfig): string | undefined {
  if (admin.token !== undefined) return admin.token
  const path = join(dataDir, ADMIN_TOKEN_FILE)
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined
}
