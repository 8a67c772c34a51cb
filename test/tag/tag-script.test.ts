import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { startTestEdge } from '../../src/collect/test-edge.conformance.ts'

const isBuilt = existsSync(join(import.meta.dirname, '..', '..', 'dist', 'tag', 'tag.js'))

test.skipIf(!isBuilt && process.env['CI'] !== 'true')(
  '/tag.js is one small cacheable script without cookies, and is not sent twice',
  async () => {
    await using edge = await startTestEdge()
    const zipped = await edge.call('/tag.js', { headers: { 'accept-encoding': 'gzip, br' } })
    expect(zipped.status).toBe(200)
    expect(zipped.headers).toMatchObject({
      'content-type': 'text/javascript;charset=utf-8',
      'content-encoding': 'gzip',
      'cache-control': 'public, max-age=3600',
      'x-content-type-options': 'nosniff',
      vary: 'Accept-Encoding, Origin',
    })
    expect(zipped.cookies).toEqual([])
    expect(zipped.bytes.length).toBeLessThan(4 * 1024)
    const plain = await edge.call('/tag.js?v=1')
    expect(plain.headers['content-encoding']).toBeUndefined()
    expect(plain.text).toBe(gunzipSync(zipped.bytes).toString('utf8'))
    expect(plain.text).not.toMatch(/\b(import|export|require)\b\s*[({*'"]/)

    const { etag = '' } = plain.headers
    const again = await edge.call('/tag.js', { headers: { 'if-none-match': `"other", ${etag}` } })
    expect([again.status, again.text, again.headers.etag]).toEqual([304, '', etag])
    expect((await edge.call('/tag.js', { headers: { 'if-none-match': '"other"' } })).status).toBe(200)
    expect((await edge.call('/tag.js', { method: 'HEAD' })).status).toBe(200)
    expect((await edge.call('/tag.js', { method: 'POST' })).status).toBe(405)
    expect(edge.calls).toEqual([])
  },
)
