import { readFileSync } from 'node:fs'
import { loadConfig, type UsherConfig } from '../config.ts'
import { createHttpClient } from '../lib/http-client.ts'
import { listenerUrl } from '../lib/listener-url.ts'
import { createRestClient, type RestClient } from '../lib/rest-client.ts'
import { readAdminToken } from '../lib/secret-files.ts'
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

/** No server was asked: nothing tells where one is that may see the token. */
class NoServerError extends Error {
  readonly code = 'no_server'
  constructor(dataDir: string) {
    super(
      `no server runs on ${dataDir}. Start it with usher serve --data-dir ${dataDir}, name the folder of another with --data-dir, or one elsewhere with --url`,
    )
  }
}

/** By `--url`; else where a server says it is, in the data directory; else, with a token that was given, as configured. @throws NoServerError */
export function findServer(options: ClientOptions): FoundServer {
  const { api, ...server } = seekServer(options)
  if (api === undefined) throw new NoServerError(server.config.dataDir)
  return { ...server, api }
}

/** As `findServer`, where the stopped data directory will do as well: without `api` then. */
export function seekServer(
  options: ClientOptions,
): Omit<FoundServer, 'api'> & { readonly api: RestClient | undefined } {
  const config = loadConfig({ options })
  if (options.token !== undefined && !/^[!-~]+$/.test(options.token))
    throw new UsageError('--token holds a blank, a line end or a letter that no header can carry; copy it again')
  const given = options.token ?? config.admin.token
  const place = whereIs(options, config, given !== undefined)
  if (place === undefined) return { api: undefined, config, isReachedElsewhere: false, close() {} }
  const http = createHttpClient(place.certificate)
  return {
    api: createRestClient(http, place.url, given ?? readAdminToken(config.dataDir)),
    config,
    isReachedElsewhere: place.isElsewhere,
    close: http.close,
  }
}

interface Place {
  readonly url: string
  readonly certificate: string | undefined
  readonly isElsewhere: boolean
}

/** @param isTokenGiven then it is not that of the data directory, which only the server of that may see */
function whereIs({ url }: ClientOptions, config: UsherConfig, isTokenGiven: boolean): Place | undefined {
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
  if (!isTokenGiven) return undefined
  return { url: configuredUrl(config), certificate: readOwn(), isElsewhere: isReachedElsewhere(config) }
}

function configuredUrl({ host, tls, admin, dataDir }: UsherConfig): string {
  if (admin.port === 0)
    throw new UsageError(
      `no server runs on ${dataDir}, and the configured admin port is 0 (any): name the server with --url`,
    )
  return listenerUrl(host, admin.port, tls.cert !== undefined)
}
