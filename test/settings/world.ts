import { mkdtempSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../src/testkit/free-port.ts'
import { ADMIN_TOKEN } from '../../src/testkit/spawn-usher.ts'
import { startWholeServer } from '../../src/testkit/start-whole-server.ts'

/** The whole server with a partner that records what it is sent, and short ways to use both. */
export interface World extends AsyncDisposable {
  readonly partnerUrl: string
  readonly received: {
    readonly url: string
    readonly method: string
    readonly headers: IncomingHttpHeaders
    readonly body: string
    readonly atMs: number
  }[]
  readonly usher: Awaited<ReturnType<typeof startWholeServer>>
  send(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: Answer }>
  /** Creates, and throws where that is refused. */
  make(path: string, body: object): Promise<Answer>
  event(query: string): Promise<Answer>
  /** Resolves when all that was defined is in force at the edge. */
  settled(): Promise<void>
  /** What the partner answers. */
  status: number
  /** It answers nothing until this is false again. */
  isHolding: boolean
}

// biome-ignore lint/suspicious/noExplicitAny: a test reads members of answers of every shape
export type Answer = any

let count = 0
/** A name or code that nobody has. */
export const unique = () => `n${++count}`

/** Polls what must come to hold; the number of looks is bounded. */
export async function until<Found>(look: () => Promise<Found | undefined> | Found | undefined): Promise<Found> {
  for (let tries = 0; tries < 1_500; tries++) {
    const found = await look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('what was waited for did not come')
}

export async function startWorld(env: Readonly<Record<string, string>> = {}): Promise<World> {
  const received: { url: string; method: string; headers: IncomingHttpHeaders; body: string; atMs: number }[] = []
  const port = await freePort()
  const world = { status: 200, isHolding: false }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { url = '', method = '', headers } = request
      received.push({ url, method, headers, body: Buffer.concat(chunks).toString(), atMs: performance.now() })
      if (url.startsWith('/token')) {
        response.setHeader('content-type', 'application/json')
        response.end(
          JSON.stringify({
            token_type: 'Bearer',
            access_token: `${url} ${headers.authorization}`.replaceAll(/[^A-Za-z0-9]/g, '-'),
          }),
        )
        return
      }
      const answer = () => {
        if (world.isHolding) return void setTimeout(answer, 10)
        response.statusCode = world.status
        response.end()
      }
      answer()
    })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const usher = await startWholeServer(mkdtempSync(join(tmpdir(), 'usher-world-')), { env })

  const send = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(usher.adminUrl + path, {
      method,
      headers: {
        authorization: `Bearer ${ADMIN_TOKEN}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
  }
  const make = async (path: string, body: object) => {
    const answer = await send('POST', path, body)
    if (answer.status >= 300) throw new Error(`POST ${path}: ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const event = async (query: string): Promise<Answer> =>
    (await fetch(`${usher.edgeUrl}/event?d_rtbd=json&${query}`)).json()
  let markers: number | undefined
  return Object.assign(world, {
    partnerUrl: `http://127.0.0.1:${port}`,
    received,
    usher,
    send,
    make,
    event,
    async settled() {
      markers ??= (await make('/v1/datasources', { name: 'markers' })).dataSourceId
      const key = unique()
      const marker = {
        folderId: 0,
        dataSourceId: markers,
        traitType: 'RULE_BASED_TRAIT',
        name: key,
        traitRule: `${key} == 1`,
      }
      const { sid } = await make('/v1/traits', marker)
      // Rulebooks come in the order of the changes, so what was defined before is in force with the marker.
      await until(async () => (await event(`${key}=1&d_cts=1`)).traits?.includes(sid) || undefined)
    },
    async [Symbol.asyncDispose]() {
      await usher.close()
      server.closeAllConnections()
      server.close()
    },
  })
}
