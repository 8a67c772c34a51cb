import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { freePort } from '../../src/testkit/free-port.ts'
import { RECORDED, type Recorded } from './recorded-answers.ts'
import { breachOf } from './recorded-contract.ts'

const web = join(import.meta.dirname, '..', '..', 'dist', 'web')
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

export interface RecordedServer {
  readonly url: string
  /** Where the UI asked, or these recordings answered, otherwise than the contract says. */
  readonly breaches: readonly string[]
  /** Requests that would change something, with what they carried. */
  readonly changes: { readonly path: string; readonly csrf: string | undefined; readonly body: unknown }[]
  /** Ends open live streams, and refuses new ones until `live` is true again. */
  setLive(live: boolean): void
  /** Breaks every connection off, and each new one, until it is up again. */
  setUp(up: boolean): void
  close(): Promise<void>
}

/**
 * The built UI with recorded answers of the API, under the strict policy of the real admin listener: what a page does with
 * an answer, not what the server answers, is tested with it.
 * @param isSignedIn false: nobody is until a set-up token is sent
 */
export async function startRecordedServer(isSignedIn = true, recorded: Recorded = RECORDED): Promise<RecordedServer> {
  const changes: RecordedServer['changes'] = []
  const breaches: string[] = []
  const streams = new Set<ServerResponse>()
  let isLive = true
  let isUp = true
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    if (!isUp) return request.socket.destroy()
    const url = new URL(request.url ?? '/', 'http://local')
    if (!url.pathname.startsWith('/v1/')) return sendPage(url.pathname, response)
    if (request.method !== 'GET') {
      const csrf = request.headers['x-usher-csrf']
      changes.push({ path: url.pathname, csrf: csrf?.toString(), body: await readJson(request) })
    }
    const method = request.method ?? 'GET'
    const check = (given: unknown) => {
      const breach = breachOf(method, url, method === 'GET' ? undefined : changes.at(-1)?.body, given)
      if (breach !== undefined) breaches.push(breach)
    }
    if (url.pathname === '/v1/session') {
      if (request.method === 'DELETE') {
        isSignedIn = false
        for (const stream of streams) stream.destroy()
        return response.writeHead(204).end()
      }
      if (request.method === 'POST') {
        const isGood = (changes.at(-1)?.body as { setupToken?: string } | undefined)?.setupToken === 'once'
        isSignedIn ||= isGood
        return isGood ? response.writeHead(204).end() : sendProblem(response, 401, 'setup_link_invalid')
      }
      if (isSignedIn) check(recorded.session)
      if (isSignedIn) return sendJson(response, 200, recorded.session)
      return sendProblem(response, 401, 'unauthorized')
    }
    if (url.pathname === '/v1/live') {
      if (!isSignedIn) return sendProblem(response, 401, 'unauthorized')
      if (!isLive) return sendProblem(response, 503, 'stopping')
      check(recorded.rates)
      streams.add(response)
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      return response.write(`event: rates\ndata: ${JSON.stringify(recorded.rates)}\n\n`)
    }
    const found = recorded.answer(method, url, changes.at(-1)?.body)
    check(found)
    return found === undefined ? sendProblem(response, 404, 'not_found') : sendJson(response, 200, found)
  }
  const server = createServer((request, response) => void answer(request, response))
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${port}`,
    changes,
    breaches,
    setLive(live) {
      isLive = live
      if (!live) for (const stream of streams) stream.destroy()
    },
    setUp(up) {
      isUp = up
      if (!up) server.closeAllConnections()
    },
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

function sendPage(path: string, response: ServerResponse) {
  const asked = join(web, normalize(path))
  const file = path !== '/' && existsSync(asked) ? asked : join(web, 'index.html')
  const nonce = randomBytes(16).toString('base64')
  const type = TYPES[extname(file)] ?? 'application/octet-stream'
  response.writeHead(200, {
    'content-type': type,
    'content-security-policy': `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${nonce}'; img-src 'self'; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  })
  const isText = type.startsWith('text/html')
  response.end(isText ? readFileSync(file, 'utf8').replace('__CSP_NONCE__', nonce) : readFileSync(file))
}

function sendJson(response: ServerResponse, status: number, body: unknown) {
  return response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function sendProblem(response: ServerResponse, status: number, code: string) {
  return sendJson(response, status, { code, message: `Recorded: ${code}.`, details: [], requestId: 'recorded-1' })
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const part of request) text += String(part)
  return text === '' ? undefined : JSON.parse(text)
}
