import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { App } from './app.ts'
import { Problem } from './problem.ts'

/** Paths of the UI's router (web/src/router.tsx): each answers index.html, also when it is reloaded or shared. */
export const UI_PAGES = [
  '/',
  '/destinations',
  '/destinations/new',
  '/destinations/:id',
  '/destinations/:id/edit',
  '/messages',
  '/messages/:id',
  '/profiles',
  '/profiles/:id',
] as const

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}
/** A name without folders that does not begin with a dot: nothing else is ever joined to a path. */
const FILE_NAME = /^\w[\w-]*(\.[\w-]+)+$/
const NONCE_BYTES = 16
/** Everything fits many times over; a build swapped under a running server must not grow it for ever. */
const KEPT_FILES_MAX = 200

const NOT_BUILT = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Usher</title>
<h1>The admin UI is not built</h1>
<p>Build it in the folder of Usher with <code>npm run build</code>, then reload this page.</p>
<p>The REST API works without it; it is described at <a href="/docs">/docs</a>.</p>
</html>
`

/**
 * Serves the built admin UI [OPS-11]. Files below `assets/` carry a hash of their content in their name, so they may be kept
 * for a year; the page never is, because every answer carries a nonce of its own in its Content-Security-Policy [SEC-21].
 * @param folder `dist/web`; may come later than the server
 */
export function uiRoutes(app: App, folder: string): void {
  const options = { config: { isPublic: true }, schema: { hide: true } }
  const files = openFiles(folder)

  for (const path of UI_PAGES) app.get(path, options, (_request, reply) => sendPage(folder, reply))
  app.get('/assets/:name', options, async (request, reply) => {
    const { name } = request.params as { name: string }
    return sendFile(request, reply, await files.read('assets', name), 'public, max-age=31536000, immutable')
  })
  app.get('/usher.svg', options, async (request, reply) =>
    sendFile(request, reply, await files.read('', 'usher.svg'), 'public, max-age=3600'),
  )
}

/**
 * A person who opened an address by hand, or followed an old link: a page says better than JSON that there is nothing. What
 * belongs to the API, or to files, is never a page; nor is it one for clients that do not ask for HTML.
 */
export function isPageVisit({ method, url, headers }: FastifyRequest): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false
  return (
    !/^\/(v1|api|assets|docs|metrics|healthz|readyz|openapi\.json)(?![\w-])/.test(url) &&
    /\btext\/html\b/.test(headers.accept ?? '')
  )
}

/** The one page of the UI: its router shows what the address names, or that it names nothing. */
export async function sendPage(folder: string, reply: FastifyReply): Promise<FastifyReply> {
  reply.type('text/html; charset=utf-8')
  const page = await readFile(join(folder, 'index.html'), 'utf8').catch(absent)
  if (page === undefined) return reply.send(NOT_BUILT)
  const nonce = randomBytes(NONCE_BYTES).toString('base64')
  return reply.header('content-security-policy', policyOf(nonce)).send(page.replaceAll('__CSP_NONCE__', nonce))
}

/** No inline code at all; style elements, which Mantine makes at run time, by nonce. */
function policyOf(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

interface StaticFile {
  readonly type: string
  readonly bytes: Buffer
  /** Smaller by gzip; undefined where that gains nothing (fonts). */
  readonly packed: Buffer | undefined
}

function sendFile(request: FastifyRequest, reply: FastifyReply, file: StaticFile | undefined, cacheControl: string) {
  if (file === undefined) throw new Problem(404, 'not_found', 'There is no such file of the UI.')
  reply.header('cache-control', cacheControl).header('vary', 'accept-encoding').type(file.type)
  const isPacked = file.packed !== undefined && /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')
  if (isPacked) reply.header('content-encoding', 'gzip')
  return reply.send(isPacked ? file.packed : file.bytes)
}

/** Read and packed when first asked for, then kept: names with a hash never change what they hold. */
function openFiles(folder: string) {
  const kept = new Map<string, StaticFile>()
  return {
    async read(below: string, name: string): Promise<StaticFile | undefined> {
      const type = TYPES[extname(name)]
      if (type === undefined || !FILE_NAME.test(name)) return undefined
      const known = kept.get(name)
      if (known !== undefined) return known
      const bytes = await readFile(join(folder, below, name)).catch(absent)
      if (bytes === undefined) return undefined
      const packed = type.startsWith('font/') ? undefined : await promisify(gzip)(bytes, { level: 9 })
      const file = { type, bytes, packed }
      if (kept.size >= KEPT_FILES_MAX) kept.clear()
      kept.set(name, file)
      return file
    },
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
  throw error
}
