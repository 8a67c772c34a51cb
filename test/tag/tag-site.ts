import { mkdtempSync, rmSync } from 'node:fs'
import { request as call, createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { loadConfig } from '../../src/config.ts'
import { startUsher } from '../../src/main.ts'
import { freePort } from '../../src/testkit/free-port.ts'

const TOKEN = 'a-test-token-of-enough-characters'

/** A real server with its edge, and a site whose pages carry the tag. */
export interface TagSite extends AsyncDisposable {
  /** The edge, by way of a proxy that notes what passes. */
  readonly edgeUrl: string
  readonly siteUrl: string
  readonly traitId: number
  /** Paths of the site that were asked for, ID syncs among them. */
  readonly asked: string[]
  /** Bodies of the calls that reached the edge: a browser's own tools miss the first ones of a frame that just began. */
  readonly posts: string[]
  /** How many calls the edge has answered, whether their answers have reached the browser or not. */
  answered(): number
  /** From now on calls reach the edge, and their answers wait or are lost. */
  answers(go: 'wait' | 'lost' | 'through'): void
  /** How many device profiles the edge has made or seen. */
  visitors(): Promise<number>
  /** The reason of the consent decision that stands for the device. */
  consentOf(deviceId: string): Promise<string | undefined>
  /** What the site serves, and what its `/frame`. */
  setPage(html: string, frame?: string): void
  /** How often the device has realized the trait `c_category == "shoes"`; undefined when it is not known. */
  countOf(deviceId: string): Promise<number | undefined>
}

export async function startTagSite(): Promise<TagSite> {
  const dataDir = mkdtempSync(join(tmpdir(), 'usher-tag-'))
  const asked: string[] = []
  let html = ''
  let frame = ''
  const site = createServer((request, response) => {
    asked.push(request.url ?? '')
    response
      .writeHead(200, { 'content-type': 'text/html' })
      .end(request.url?.startsWith('/sync') ? '' : request.url === '/frame' ? frame : html)
  })
  const siteUrl = await listen(site)
  const usher = await startUsher(
    loadConfig({
      env: {
        USHER_DATA_DIR: dataDir,
        USHER_EDGE_PORT: String(await freePort()),
        USHER_ADMIN_PORT: String(await freePort()),
        USHER_ADMIN_TOKEN: TOKEN,
        USHER_LOG_LEVEL: 'silent',
      },
    }),
  )
  const posts: string[] = []
  const passage: Passage = { posts, answered: 0, isLost: false, held: Promise.resolve(), release: () => undefined }
  const proxy = notingProxy(usher.edgeUrl, passage)
  const edgeUrl = await listen(proxy)
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
  const post = async (path: string, body: unknown): Promise<Record<string, number>> => {
    const answer = await fetch(`${usher.adminUrl}/v1/${path}/`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    })
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`)
    return (await answer.json()) as Record<string, number>
  }
  const countOf = async (deviceId: string) => {
    const answer = await fetch(`${usher.adminUrl}/v1/profiles/${deviceId}`, { headers })
    if (answer.status === 404) return undefined
    const { traits } = (await answer.json()) as { traits: { sid: number; count: number }[] }
    return traits.find(({ sid }) => sid === traitId)?.count ?? 0
  }
  const read = async (path: string): Promise<unknown> =>
    (await fetch(`${usher.adminUrl}/v1/${path}`, { headers })).json()
  const { dataSourceId } = await post('datasources', { name: 'Shop' })
  for (const id of [2002]) await post('datasources', { dataSourceId: id, name: 'Partner IDs', idType: 'COOKIE' })
  await post('datasources', { name: 'Customers', integrationCode: 'crm_shop', idType: 'CROSS_DEVICE' })
  const idSync = { url: `${siteUrl.replace('http:', '')}/sync?did=%DID%`, syncOnPage: true }
  await post('datasources', { dataSourceId: 2003, name: 'Synced partner', idType: 'COOKIE', idSync })
  const trait = { name: 'Shoes', traitType: 'RULE_BASED_TRAIT', traitRule: 'c_category == "shoes"' }
  const { sid: traitId = 0 } = await post('traits', { ...trait, dataSourceId, folderId: 0 })
  await untilInForce(edgeUrl, countOf)
  return {
    edgeUrl,
    siteUrl,
    traitId,
    asked,
    posts,
    answered: () => passage.answered,
    answers(go) {
      passage.release()
      passage.isLost = go === 'lost'
      if (go !== 'wait') return
      passage.held = new Promise((resolve) => {
        passage.release = resolve
      })
    },
    async visitors() {
      return ((await read('overview')) as { figures: { profilesSeen: number } }).figures.profilesSeen
    },
    async consentOf(deviceId) {
      return ((await read(`profiles/${deviceId}`)) as { consent: { reason: string } | null }).consent?.reason
    },
    setPage(next, nextFrame = '') {
      html = next
      frame = nextFrame
      asked.length = 0
      posts.length = 0
      passage.answered = 0
    },
    countOf,
    async [Symbol.asyncDispose]() {
      for (const server of [site, proxy]) {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      }
      await usher.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

async function listen(server: Server): Promise<string> {
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return `http://127.0.0.1:${port}`
}

interface Passage {
  readonly posts: string[]
  answered: number
  isLost: boolean
  /** Answers that have arrived wait for it. */
  held: Promise<void>
  release: () => void
}

function notingProxy(target: string, passage: Passage): Server {
  return createServer(async (incoming, response) => {
    const { url = '/', method = 'GET', headers } = incoming
    const body = await text(incoming)
    if (method === 'POST') passage.posts.push(body)
    const outgoing = call(target + url, { method, headers }, async (answer) => {
      if (method === 'POST') passage.answered++
      if (method === 'POST') await passage.held
      if (method === 'POST' && passage.isLost) {
        answer.resume()
        response.writeHead(504).end('the gateway has waited long enough')
        return
      }
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    outgoing.on('error', () => response.destroy())
    outgoing.end(body)
  })
}

/** Definitions take effect within 5 s. */
async function untilInForce(edgeUrl: string, countOf: TagSite['countOf']): Promise<void> {
  for (let i = 0; i < 100; i++) {
    const deviceId = String(i).padStart(38, '9')
    await fetch(`${edgeUrl}/event?d_uuid=${deviceId}&c_category=shoes&d_rtbd=json`)
    if (((await countOf(deviceId)) ?? 0) > 0) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('the trait was not in force after 10 s')
}
