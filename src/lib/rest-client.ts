import type { IncomingHttpHeaders } from 'node:http'
import type { HttpAnswer, HttpCall, HttpClient } from './http-client.ts'

/** The REST API as commands and the demo call it: JSON in, JSON out, a refusal as an error with the API's own words. */
export interface RestClient {
  readonly baseUrl: string
  get(path: string): Promise<unknown>
  post(path: string, body: unknown): Promise<unknown>
  put(path: string, body: unknown): Promise<unknown>
  delete(path: string): Promise<void>
  /** POST whose answer is a file. */
  download(
    path: string,
    options?: Pick<HttpCall, 'idleTimeoutMs'>,
  ): Promise<{ readonly headers: IncomingHttpHeaders; readonly bytes: AsyncIterable<Buffer> }>
  /** POST whose answer is one JSON value a line. */
  stream(path: string, options?: Pick<HttpCall, 'idleTimeoutMs'>): Promise<AsyncIterable<unknown>>
}

/** The server answered and refused. `status` 401: wrong token; 404: no such thing; 409: taken. */
export class ApiRefusalError extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

/** @param baseUrl of the admin listener, without a path */
export function createRestClient(http: HttpClient, baseUrl: string, token: string | undefined): RestClient {
  const root = baseUrl.replace(/\/+$/, '')
  const headers: Record<string, string> = {
    accept: 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  }
  const send = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const withBody = body === undefined ? {} : { body: JSON.stringify(body) }
    const contentType = body === undefined ? {} : { 'content-type': 'application/json' }
    return readAnswer(
      root,
      await http.call(`${root}${path}`, { method, headers: { ...headers, ...contentType }, ...withBody }),
    )
  }
  return {
    baseUrl: root,
    get: (path) => send('GET', path),
    post: (path, body) => send('POST', path, body),
    put: (path, body) => send('PUT', path, body),
    delete: async (path) => void (await send('DELETE', path)),
    async download(path, options = {}) {
      const {
        status,
        headers: answered,
        bytes,
      } = await http.bytes(`${root}${path}`, { method: 'POST', headers, ...options })
      if (status >= 200 && status < 300) return { headers: answered, bytes }
      const body: Buffer[] = []
      for await (const part of bytes) body.push(part)
      throw refusal(root, status, Buffer.concat(body).toString('utf8'))
    },
    async stream(path, options = {}) {
      const { status, lines } = await http.lines(`${root}${path}`, { method: 'POST', headers, ...options })
      if (status >= 200 && status < 300) return parseLines(lines)
      const body: string[] = []
      for await (const line of lines) body.push(line)
      throw refusal(root, status, body.join('\n'))
    },
  }
}

async function* parseLines(lines: AsyncIterable<string>): AsyncIterable<unknown> {
  for await (const line of lines) yield JSON.parse(line) as unknown
}

function readAnswer(root: string, { status, body }: HttpAnswer): unknown {
  if (status >= 200 && status < 300) return body === '' ? undefined : JSON.parse(body)
  throw refusal(root, status, body)
}

/** The error body of [API-34]; another server's text is shown shortened. */
function refusal(root: string, status: number, body: string): ApiRefusalError {
  try {
    const { code, message, details } = JSON.parse(body) as {
      code?: string
      message?: string
      details?: { field?: string; message?: string }[]
    }
    const said = message ?? `answered ${status}`
    const fields = (details ?? []).map((detail) => `${detail.field ?? ''}: ${detail.message ?? ''}`)
    return new ApiRefusalError(
      status,
      code ?? `http_${status}`,
      [fields.length === 0 ? said : said.replace(/\.$/, ''), ...fields].join('; '),
    )
  } catch {
    const shown = body === '' ? 'nothing' : `"${body.slice(0, 200)}"`
    return new ApiRefusalError(
      status,
      `http_${status}`,
      `${root} answered ${status} and ${shown}, which is no answer of the REST API. Is it the admin address of Usher?`,
    )
  }
}
