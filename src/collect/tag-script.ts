import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { addCorsHeaders } from './answers.ts'
import type { Edge } from './edge.ts'
import type { EdgeRequest } from './edge-request.ts'

/**
 * `/tag.js`, the page tag: built from `tag/`, the same for every caller, no cookies. Browsers keep it for an hour and ask
 * then whether it is still the same. Source: spec/operating.md section 4.
 */
interface TagScript {
  readonly plain: Buffer
  readonly gzipped: Buffer
  readonly etag: string
}

/** Found from `src/collect` and from `dist/collect`. */
const builtTag = join(import.meta.dirname, '..', '..', 'dist', 'tag', 'tag.js')
let script: TagScript | undefined

export function sendTag(edge: Edge, request: EdgeRequest, response: ServerResponse): void {
  script ??= readTag()
  if (script === undefined) sendText(response, 404, 'The page tag is not built: npm run build\n')
  else if (request.method !== 'GET' && request.method !== 'HEAD') sendText(response, 405, 'GET only\n')
  else sendScript(edge, request, script, response)
}

function sendScript(edge: Edge, request: EdgeRequest, script: TagScript, response: ServerResponse): void {
  const isZipped = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))
  const body = isZipped ? script.gzipped : script.plain
  const head = [
    'ETag',
    script.etag,
    'Cache-Control',
    'public, max-age=3600',
    // Also where no origin was sent: a copy kept without one must not answer a `<script crossorigin>`.
    'Vary',
    'Accept-Encoding, Origin',
    'X-Content-Type-Options',
    'nosniff',
    'Cross-Origin-Resource-Policy',
    'cross-origin',
  ]
  if (request.secure) head.push('Strict-Transport-Security', 'max-age=31536000')
  addCorsHeaders(edge, request, head)
  if (namesTag(request.headers['if-none-match'], script.etag)) {
    response.writeHead(304, head)
    response.end()
    return
  }
  head.push('Content-Type', 'text/javascript;charset=utf-8', 'Content-Length', String(body.length))
  if (isZipped) head.push('Content-Encoding', 'gzip')
  response.writeHead(200, head)
  response.end(body)
}

function readTag(): TagScript | undefined {
  try {
    const plain = readFileSync(builtTag)
    // Weak: the two encodings are one script (RFC 9110, 8.8.1).
    const etag = `W/"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`
    return { plain, gzipped: gzipSync(plain, { level: 9 }), etag }
  } catch {
    return undefined
  }
}

function namesTag(header: string | undefined, etag: string): boolean {
  const wanted = etag.slice(2)
  return (header ?? '').split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === wanted)
}

function sendText(response: ServerResponse, status: number, text: string): void {
  const head = ['Content-Type', 'text/plain;charset=utf-8', 'Content-Length', String(text.length)]
  response.writeHead(status, [...head, 'Cache-Control', 'no-store'])
  response.end(text)
}
