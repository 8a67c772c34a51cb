import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { isOwnHost, isSameOrigin, readBody, readPageFiles, refuseBody, sendPage } from '../lib/page-server.ts'
import type { Partner } from './partner.ts'
import { followPartner, PRESETS } from './partner-view.ts'

/**
 * A page of the partner's own at `/`: what arrives, whether signature and shape hold, who is in which audience, and
 * buttons that make the partner slow or fail. Everything else on its port is still a message.
 */
export interface PartnerPageOptions {
  /** Name the server listens on, beside addresses and `localhost`. */
  readonly host?: string
  /** What a segment is called; default its id. */
  readonly nameOf?: (segmentId: string) => string
}

/** Cookie by which the partner knows a browser; set by the demo's ID sync. */
export const PARTNER_COOKIE = 'partner_id'

const WATCHERS_MAX = 20
const PUSH_MS = 500
const BODY_BYTES_MAX = 1000

export function addPartnerPage(partner: Partner, options: PartnerPageOptions = {}): void {
  const files = readPageFiles(join(import.meta.dirname, 'page'))
  const viewFor = followPartner(partner, options.nameOf ?? ((id) => id))
  const watchers = new Map<ServerResponse, string | undefined>()
  let timer: NodeJS.Timeout | undefined

  const push = () => {
    timer = undefined
    for (const [response, you] of watchers) {
      // Who reads slowly gets the next picture, not a queue of old ones.
      if (!response.writableNeedDrain) response.write(`data: ${JSON.stringify(viewFor(you))}\n\n`)
    }
  }
  // Many messages in a moment are one picture.
  const pushSoon = () => {
    timer ??= setTimeout(push, PUSH_MS)
    timer.unref()
  }
  partner.onMessage(pushSoon)

  const watch = (request: IncomingMessage, response: ServerResponse) => {
    if (watchers.size >= WATCHERS_MAX) return sendText(response, 503, 'too many pages are open')
    const you = partnerIdOf(request)
    watchers.set(response, you)
    response.once('close', () => watchers.delete(response))
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.write(`data: ${JSON.stringify(viewFor(you))}\n\n`)
  }

  const behave = async (request: IncomingMessage, response: ServerResponse) => {
    if (!isSameOrigin(request)) return sendText(response, 403, 'only the page itself may do this')
    const body = await readBody(request, BODY_BYTES_MAX)
    if (body === undefined) return refuseBody(response, BODY_BYTES_MAX)
    const behaviour = PRESETS.get(body.toString('utf8').trim())
    if (behaviour === undefined) return sendText(response, 400, `send one of ${[...PRESETS.keys()].join(', ')}`)
    partner.setBehaviour(behaviour)
    push()
    sendText(response, 200, 'done')
  }

  partner.addRoute((request, response) => {
    const { method, url = '' } = request
    if (url !== '/' && !url.startsWith('/page/')) return false
    // A message may be posted to the root, too.
    if (url === '/' && method !== 'GET' && method !== 'HEAD') return false
    const file = files.get(url === '/' ? 'index.html' : url.slice('/page/'.length))
    if (!isOwnHost(request, options.host)) sendText(response, 421, 'call this server by its address or as localhost')
    else if (url === '/page/live' && method === 'GET') watch(request, response)
    else if (url === '/page/behaviour' && method === 'POST') behave(request, response).catch(() => response.destroy())
    else if (file !== undefined) sendPage(response, file)
    else sendText(response, 404, 'no such page')
    return true
  })
}

/** What a partner's own cookie says; anything else than an ID of its form is nobody. */
export function partnerIdOf({ headers }: IncomingMessage): string | undefined {
  return new Map(
    (headers.cookie ?? '').split(/; */).map((pair): [string, string] => {
      const equals = pair.indexOf('=')
      return [pair.slice(0, equals), pair.slice(equals + 1)]
    }),
  )
    .get(PARTNER_COOKIE)
    ?.match(/^[a-z0-9-]{1,40}$/)?.[0]
}

function sendText(response: ServerResponse, status: number, text: string): void {
  sendPage(response, { body: `${text}\n`, contentType: 'text/plain;charset=utf-8' }, {}, status)
}
