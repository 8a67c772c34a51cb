import { X509Certificate } from 'node:crypto'
import { Agent as HttpAgent, type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from 'node:http'
import { type AgentOptions, Agent as HttpsAgent, request as requestHttps } from 'node:https'

/**
 * HTTP to an address that the operator named on the command line or in the configuration: the own server. Commands and
 * the demo use it. Whatever a partner or a tenant can name goes through `egress/`, which checks addresses [SEC-22].
 */
export interface HttpClient {
  /** @throws ServerUnreachableError when no answer came; whether the request arrived is then unknown */
  call(url: string, options?: HttpCall): Promise<HttpAnswer>
  /** The answer line by line while it arrives; for `application/x-ndjson`. */
  lines(url: string, options?: HttpCall): Promise<{ readonly status: number; readonly lines: AsyncIterable<string> }>
  /** The answer as it arrives, whatever it is; ends with an error when it breaks off. */
  bytes(
    url: string,
    options?: HttpCall,
  ): Promise<{ readonly status: number; readonly headers: IncomingHttpHeaders; readonly bytes: AsyncIterable<Buffer> }>
  close(): void
}

export interface HttpCall {
  /** Default GET. */
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Silence after which the call is given up; default 10 s. */
  readonly idleTimeoutMs?: number
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export class ServerUnreachableError extends Error {
  readonly code = 'server_unreachable'
  readonly retryable = true
  readonly url: string
  constructor(url: string, cause: Error) {
    super(`no answer from ${new URL(url).origin}: ${'code' in cause ? String(cause.code) : cause.message}`, { cause })
    this.url = url
  }
}

/**
 * @param certificate PEM of the server's own certificate (chain), which is then the only one that is trusted, whatever names
 * it is for: commands reach the server of this machine by loopback
 */
export function createHttpClient(certificate?: string): HttpClient {
  const agents = {
    http: new HttpAgent({ keepAlive: true }),
    https: new HttpsAgent({ keepAlive: true, ...(certificate === undefined ? {} : trustOnly(certificate)) }),
  }

  const send = (
    url: string,
    { method = 'GET', headers = {}, body, idleTimeoutMs = 10_000 }: HttpCall,
  ): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const isTls = url.startsWith('https:')
      const options = { method, headers: { ...headers, 'content-length': String(Buffer.byteLength(body ?? '')) } }
      const request = isTls
        ? requestHttps(url, { ...options, agent: agents.https })
        : requestHttp(url, { ...options, agent: agents.http })
      request.once('response', resolve)
      request.once('error', (error) => reject(new ServerUnreachableError(url, error)))
      request.setTimeout(idleTimeoutMs, () => request.destroy(new Error(`silent for ${idleTimeoutMs} ms`)))
      request.end(body)
    })

  return {
    async call(url, options = {}) {
      const response = await send(url, options)
      const parts: Buffer[] = []
      try {
        for await (const part of response) parts.push(part as Buffer)
      } catch (error) {
        throw new ServerUnreachableError(url, error as Error)
      }
      return {
        status: response.statusCode ?? 0,
        headers: response.headers,
        body: Buffer.concat(parts).toString('utf8'),
      }
    },
    async lines(url, options = {}) {
      const response = await send(url, options)
      return { status: response.statusCode ?? 0, lines: splitLines(response) }
    },
    async bytes(url, options = {}) {
      const response = await send(url, options)
      return { status: response.statusCode ?? 0, headers: response.headers, bytes: response }
    },
    close() {
      agents.http.destroy()
      agents.https.destroy()
    },
  }
}

/** The chain in a file usually lacks its root, so that each certificate in it is trusted by itself. */
function trustOnly(certificate: string): AgentOptions {
  const expected = new X509Certificate(certificate).fingerprint256
  return {
    ca: certificate,
    allowPartialTrustChain: true,
    checkServerIdentity: (_host, { fingerprint256 }) =>
      fingerprint256 === expected ? undefined : new Error('the certificate is another than the configured one'),
  }
}

async function* splitLines(source: AsyncIterable<Buffer>): AsyncIterable<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const part of source) {
    const lines = (rest + decoder.decode(part, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield* lines.filter((line) => line !== '')
  }
  if (rest !== '') yield rest
}
