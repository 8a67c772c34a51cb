import { setMaxListeners } from 'node:events'
import { appendFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { listenerUrl } from '../lib/listener-url.ts'
import { readBody, refuseBody } from '../lib/page-server.ts'
import { type AudienceChange, type AudienceState, createAudienceState } from './audience-state.ts'
import { type Behaviour, planAnswer } from './behaviour.ts'
import { createJudge, type JudgedRequest, type Signing } from './judge-request.ts'
import { createTokenServer, type TokenServer, type TokenServerOptions } from './token-server.ts'

/**
 * The receiving side of a real-time destination: a real HTTP server that verifies, judges, records and folds what it
 * gets, and misbehaves on request. Used by `usher partner`, the demo and tests.
 */
export interface PartnerOptions {
  readonly port: number
  /** Default `127.0.0.1`. */
  readonly host?: string
  readonly tls?: { readonly cert: string; readonly key: string }
  /** None given: signatures are not asked for. */
  readonly signing?: Signing | undefined
  readonly oauth?: TokenServerOptions | undefined
  /** Demands this `Authorization` header. */
  readonly basic?: { readonly username: string; readonly password: string }
  readonly behaviour?: Behaviour
  readonly onMessage?: (record: PartnerRecord) => void
  /** Told of each request for a token [OUT-78]. */
  readonly onToken?: ((record: TokenRecord) => void) | undefined
  /** Each record is appended to this file as one line of JSON before it is answered. */
  readonly journalPath?: string | undefined
  readonly nowMs: () => number
  /** Numbers from 0 to 1 for rates; default `Math.random`. */
  readonly random?: () => number
}

/** One request as it arrived and what became of it. */
export interface PartnerRecord extends Omit<JudgedRequest, 'verdict'> {
  /** From 1, in order of arrival. */
  readonly number: number
  readonly receivedAtMs: number
  readonly answer: number | 'reset'
  /** What it changed; empty unless it was accepted. */
  readonly changes: readonly AudienceChange[]
}

/** A request for a token, and what became of it. */
export interface TokenRecord {
  readonly receivedAtMs: number
  readonly answer: number
  /** Why it was refused; empty when it was not. */
  readonly complaints: readonly string[]
}

export interface Partner {
  readonly url: string
  readonly port: number
  /** The last 10,000 or 32 MiB of bodies, oldest first. */
  readonly records: readonly PartnerRecord[]
  /** Folded from the accepted messages. */
  readonly state: AudienceState
  readonly tokens: TokenServer | undefined
  setBehaviour(behaviour: Behaviour): void
  setSigning(signing: Signing | undefined): void
  readonly behaviour: Behaviour
  /** Requests that `serve` answers (it returns true then) are no messages: pages, ID syncs. */
  addRoute(serve: PartnerRoute): void
  /** Calls `tell` with each record from now on. */
  onMessage(tell: (record: PartnerRecord) => void): void
  /** Resolves with the first record, past or future, that fits. @throws after `timeoutMs` (default 10 s) */
  waitFor(fits: (record: PartnerRecord) => boolean, timeoutMs?: number): Promise<PartnerRecord>
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** @returns whether it has answered, or will */
export type PartnerRoute = (request: IncomingMessage, response: ServerResponse) => boolean

const RECORDS_MAX = 10_000
const RECORDS_BYTES_MAX = 32 * 1024 * 1024
const BODY_BYTES_MAX = 4 * 1024 * 1024

export async function startPartner(options: PartnerOptions): Promise<Partner> {
  const { host = '127.0.0.1', nowMs, random = Math.random } = options
  const records: PartnerRecord[] = []
  const listeners = new Set<(record: PartnerRecord) => void>(options.onMessage === undefined ? [] : [options.onMessage])
  const sockets = new Set<Socket>()
  const state = createAudienceState()
  const tokens = options.oauth === undefined ? undefined : createTokenServer(options.oauth)
  const judge = createJudge(options.basic, tokens)
  const routes: PartnerRoute[] = []
  const closing = new AbortController()
  // Each answer that is being delayed listens.
  setMaxListeners(0, closing.signal)
  let behaviour = options.behaviour ?? {}
  let signing = options.signing
  let arrived = 0
  let recordsBytes = 0
  let answeredUnderBehaviour = 0

  const receive = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await readBody(request, BODY_BYTES_MAX)
    if (body === undefined) return refuseBody(response, BODY_BYTES_MAX)
    const receivedAtMs = nowMs()
    if (tokens !== undefined && request.url?.split('?')[0] === tokens.path) {
      const record = issueToken(tokens, request, response, body, receivedAtMs)
      options.onToken?.(record)
      return
    }
    const { verdict, ...judged } = judge(request, body, signing, receivedAtMs)
    const plan = planAnswer(behaviour, answeredUnderBehaviour++, random())
    const answer = plan.kind === 'reset' ? 'reset' : plan.kind === 'status' ? plan.status : verdict
    const isAccepted = typeof answer === 'number' && answer >= 200 && answer < 300
    const changes = isAccepted && judged.message !== undefined ? state.apply(judged.message) : []
    const record: PartnerRecord = { number: ++arrived, receivedAtMs, ...judged, answer, changes }
    keep(record)
    if (options.journalPath !== undefined) appendFileSync(options.journalPath, `${JSON.stringify(record)}\n`)
    if (plan.delayMs > 0) await sleep(plan.delayMs, undefined, { signal: closing.signal })
    if (answer === 'reset') request.socket.resetAndDestroy()
    else response.writeHead(answer, { ...behaviour.headers, 'content-length': 0 }).end()
    for (const tell of listeners) tell(record)
  }

  const keep = (record: PartnerRecord) => {
    records.push(record)
    recordsBytes += record.body.length
    while (records.length > 1 && (records.length > RECORDS_MAX || recordsBytes > RECORDS_BYTES_MAX))
      recordsBytes -= records.shift()?.body.length ?? 0
  }

  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    if (routes.some((serve) => serve(request, response))) return
    receive(request, response).catch(() => request.socket.destroy())
  }
  const server = options.tls === undefined ? createServer(onRequest) : createTlsServer(options.tls, onRequest)
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, host, resolve)
  })
  const { port } = server.address() as AddressInfo

  const close = async () => {
    closing.abort()
    for (const socket of sockets) socket.destroy()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return {
    url: listenerUrl(host, port, options.tls !== undefined),
    port,
    records,
    state,
    tokens,
    get behaviour() {
      return behaviour
    },
    addRoute: (serve) => void routes.push(serve),
    setBehaviour(next) {
      behaviour = next
      answeredUnderBehaviour = 0
    },
    setSigning(next) {
      signing = next
    },
    onMessage: (tell) => void listeners.add(tell),
    waitFor: (fits, timeoutMs = 10_000) => waitFor(records, listeners, fits, timeoutMs),
    close,
    [Symbol.asyncDispose]: close,
  }
}

function waitFor(
  records: readonly PartnerRecord[],
  listeners: Set<(record: PartnerRecord) => void>,
  fits: (record: PartnerRecord) => boolean,
  timeoutMs: number,
): Promise<PartnerRecord> {
  const found = records.find(fits)
  if (found !== undefined) return Promise.resolve(found)
  return new Promise((resolve, reject) => {
    const tell = (record: PartnerRecord) => {
      if (fits(record)) finish(() => resolve(record))
    }
    const timer = setTimeout(
      () => finish(() => reject(new Error(`no such message within ${timeoutMs} ms; ${records.length} arrived`))),
      timeoutMs,
    )
    const finish = (act: () => void) => {
      clearTimeout(timer)
      listeners.delete(tell)
      act()
    }
    listeners.add(tell)
  })
}

function issueToken(
  tokens: TokenServer,
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
  nowMs: number,
): TokenRecord {
  const answer = tokens.issue(
    { method: request.method ?? '', headers: request.headers, body: body.toString('utf8') },
    nowMs,
  )
  response.writeHead(answer.status, { ...answer.headers, 'content-length': answer.body.length }).end(answer.body)
  return { receivedAtMs: nowMs, answer: answer.status, complaints: answer.complaints }
}
