import { readdirSync, readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isIP } from 'node:net'
import { extname, join } from 'node:path'

/**
 * What the small servers of the demo share: files of a folder, a strict policy on what a page may load, and checks that
 * a request comes from a page of ours. Source: spec/security.md section 2.
 */
export interface PageFile {
  readonly body: Buffer
  readonly contentType: string
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html;charset=utf-8',
  '.css': 'text/css;charset=utf-8',
  '.js': 'text/javascript;charset=utf-8',
}

/** Every page, style and script of a folder by its name, e.g. `style.css`. */
export function readPageFiles(folder: string): ReadonlyMap<string, PageFile> {
  const names = readdirSync(folder).filter((name) => extname(name) in TYPES)
  return new Map(
    names.map((name) => [
      name,
      { body: readFileSync(join(folder, name)), contentType: TYPES[extname(name)] as string },
    ]),
  )
}

/** Hosts beside the page's own that it may use. */
export interface PagePolicy {
  readonly scripts?: readonly string[]
  readonly images?: readonly string[]
  readonly connections?: readonly string[]
}

/** No inline script, no inline style, no frame around it. */
function policyHeader({ scripts = [], images = [], connections = [] }: PagePolicy): string {
  const sources = (hosts: readonly string[]) => ["'self'", ...hosts].join(' ')
  return [
    "default-src 'none'",
    `script-src ${sources(scripts)}`,
    "style-src 'self'",
    `img-src ${sources([...images, 'data:'])}`,
    `connect-src ${sources(connections)}`,
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

export function sendPage(
  response: ServerResponse,
  { body, contentType }: { readonly body: Buffer | string; readonly contentType: string },
  policy: PagePolicy = {},
  status = 200,
): void {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'content-security-policy': policyHeader(policy),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
  })
  response.end(body)
}

/**
 * Only an address, `localhost` or the name we listen on: another name in `Host` is a page elsewhere whose name was made
 * to point here (DNS rebinding), and would read what this server shows.
 */
export function isOwnHost({ headers }: IncomingMessage, host: string | undefined): boolean {
  const name = (headers.host ?? '').replace(/:\d+$/, '').toLowerCase()
  return name === 'localhost' || name === host?.toLowerCase() || isIP(name.replace(/^\[|\]$/g, '')) !== 0
}

/** A change is asked for by a page of this very server; a browser says so in `Origin`, a command line says nothing. */
export function isSameOrigin({ headers }: IncomingMessage): boolean {
  const { origin, host } = headers
  return origin === undefined
    ? (headers['sec-fetch-site'] ?? 'same-origin') === 'same-origin'
    : origin === `http://${host}` || origin === `https://${host}`
}

/** @returns the body, or undefined when it is larger than `bytesMax`; the caller can still answer then */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer | undefined> {
  const parts: Buffer[] = []
  let length = 0
  // Leaving the loop would otherwise close the connection, and nobody would hear why.
  for await (const part of request.iterator({ destroyOnReturn: false })) {
    length += (part as Buffer).length
    if (length > bytesMax) return undefined
    parts.push(part as Buffer)
  }
  return Buffer.concat(parts)
}

/** What is left of a body that is too large is not read: the connection ends with this answer. */
export function refuseBody(response: ServerResponse, bytesMax: number): void {
  const text = `a body has at most ${bytesMax} bytes\n`
  response.writeHead(413, { 'content-type': 'text/plain', 'content-length': text.length, connection: 'close' })
  response.end(text)
}
