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
  /** What `/` of the site serves. */
  setPage(html: string): void
  /** How often the device has realized the trait `c_category == "shoes"`; undefined when it is not known. */
  countOf(deviceId: string): Promise<number | undefined>
}

export async function startTagSite(): Promise<TagSite> {
  const dataDir = mkdtempSync(join(tmpdir(), 'usher-tag-'))
  const asked: string[] = []
  let html = ''
  const site = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.writeHead(200, { 'content-type': 'text/html' }).end(request.url?.startsWith('/sync') ? '' : html)
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
  const proxy = notingProxy(usher.edgeUrl, posts)
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
    setPage(next) {
      html = next
      asked.length = 0
      posts.length = 0
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

function notingProxy(target: string, posts: string[]): Server {
  return createServer(async (incoming, response) => {
    const { url = '/', method = 'GET', headers } = incoming
    const body = await text(incoming)
    if (method === 'POST') posts.push(body)
    const outgoing = call(target + url, { method, headers }, (answer) => {
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
