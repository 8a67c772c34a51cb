// The sites around the edge: a shop's pages that carry the libraries unmodified, and partners whose sync pixels are noted.

import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { join } from 'node:path'

export const LIBRARIES = { visitor: 'visitorapi.min.js', dil: 'AppMeasurement_Module_AudienceManagement.js' }

/** @returns `pixels`: every request to a host other than the shop's, as `host/path?query` */
export async function startSite({ port, cert, key, librariesDir }) {
  const pixels = []
  const page = `<!doctype html><meta charset="utf-8"><title>Shop</title><script src="/visitor.js"></script><script src="/dil.js"></script><body>`
  const files = {
    '/': ['text/html', page],
    '/visitor.js': ['text/javascript', readFileSync(join(librariesDir, LIBRARIES.visitor), 'utf8')],
    '/dil.js': ['text/javascript', readFileSync(join(librariesDir, LIBRARIES.dil), 'utf8')],
  }
  const gif = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64')
  const server = createServer({ cert, key }, (request, response) => {
    const host = request.headers.host ?? ''
    const file = files[request.url?.split('?')[0] ?? '']
    if (host.startsWith('www.') && file !== undefined)
      return response.writeHead(200, { 'content-type': file[0] }).end(file[1])
    if (!host.startsWith('www.')) pixels.push(`${host}${request.url}`)
    return response.writeHead(200, { 'content-type': 'image/gif' }).end(gif)
  })
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    port,
    pixels,
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    },
  }
}
