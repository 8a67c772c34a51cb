import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { type LiveFeed, openLiveFeed } from '../lib/live-feed.ts'
import { startTestAdmin, TEST_TOKEN, type TestAdmin } from '../testkit/start-test-admin.ts'

const IDLE_MS = 30 * 60_000

const BEARER = { authorization: `Bearer ${TEST_TOKEN}` }
const rates = () => ({ eventsPerSecond: 3 })
let feed: LiveFeed
afterEach(() => feed.close())

function start(readersMax?: number): Promise<TestAdmin> {
  feed = openLiveFeed({ rates, ...(readersMax !== undefined && { readersMax }) })
  return startTestAdmin({ live: feed })
}

async function open(server: TestAdmin, headers: Record<string, string> = BEARER) {
  const response = await fetch(`${server.admin.url}/v1/live`, { headers })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  return {
    response,
    /** Reads until `text` came, or the stream ended. */
    async until(text: string | undefined): Promise<string> {
      let all = ''
      for (;;) {
        const part = await reader?.read()
        all += part?.value ?? ''
        if (part === undefined || part.done || (text !== undefined && all.includes(text))) return all
      }
    },
    close: () => reader?.cancel(),
  }
}

describe('GET /v1/live [OPS-45~]', () => {
  test('tells the rates each second, and items as they come; it needs a token or a session', async () => {
    await using server = await start()
    expect((await fetch(`${server.admin.url}/v1/live`)).status).toBe(401)
    const stream = await open(server)
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream')
    expect(stream.response.headers.get('cache-control')).toBe('no-store')
    await expect.poll(() => feed.wants('delivery')).toBe(true)
    feed.send('delivery', { deliveryId: 'dl_1' })
    const text = await stream.until('event: rates')
    expect(text).toContain('event: delivery\ndata: {"deliveryId":"dl_1"}\n\n')
    await stream.close()
    await expect.poll(() => feed.wants('delivery')).toBe(false)
  })

  test('the count of streams is limited, and one that is closed gives its place to the next', async () => {
    await using server = await start(1)
    const first = await open(server)
    const second = await server.call('GET', '/v1/live')
    expect([second.status, second.body.code, second.headers.get('retry-after')]).toEqual([
      503,
      'too_many_streams',
      '10',
    ])
    await first.close()
    await expect.poll(() => feed.wants('event')).toBe(false)
    const third = await open(server)
    expect(third.response.status).toBe(200)
    await third.close()
  })

  test('a reader that takes nothing misses items; memory does not grow, and others miss nothing', async () => {
    await using server = await start()
    const slow = await openAndNeverRead(server)
    const other = await open(server)
    const item = { text: 'x'.repeat(60_000) }
    let sent = 0
    const before = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed
    const seen: number[] = []
    const reading = (async () => {
      for (let at = 0; at < 40; at++) seen.push((await other.until('\n\n')).length)
    })()
    for (; sent < 600; sent++) {
      feed.send('delivery', item)
      await pause(1)
    }
    await reading
    expect(seen.reduce((sum, length) => sum + length, 0)).toBeGreaterThan(1_000_000)
    // 36 MB were offered to the slow one. What its kernel took is not ours.
    const grown = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed - before
    expect(grown).toBeLessThan(20_000_000)
    slow.destroy()
    await other.close()
  })

  test('it ends when the server stops', async () => {
    const server = await start()
    const stream = await open(server)
    const ended = stream.until(undefined)
    await server[Symbol.asyncDispose]()
    expect(await ended).not.toContain('event: error')
  })

  test('it ends with its session: by sign-out, and by rest, which an open stream does not interrupt [SEC-66~]', async () => {
    await using server = await start()
    const signIn = async () => {
      const { setupToken } = (await server.call('POST', '/v1/session/links')).body
      const opened = await server.call('POST', '/v1/session', { setupToken }, { authorization: '' })
      return (opened.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
    }
    const [cookie, resting] = [await signIn(), await signIn()]
    const stream = await open(server, { cookie })
    const other = await open(server, { cookie: resting })
    expect(stream.response.status).toBe(200)
    const own = { authorization: '', cookie, 'x-usher-csrf': '1', 'sec-fetch-site': 'same-origin' }
    expect((await server.call('DELETE', '/v1/session', undefined, own)).status).toBe(204)
    await stream.until(undefined)
    expect(feed.wants('event')).toBe(true)
    await server.call('POST', '/v1/test/clock', { advanceMs: IDLE_MS - 60_000 })
    await pause(2_500)
    expect(feed.wants('event')).toBe(true)
    await server.call('POST', '/v1/test/clock', { advanceMs: 60_000 })
    await other.until(undefined)
  })
})

function openAndNeverRead(server: TestAdmin): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(server.admin.port, '127.0.0.1', () => {
      socket.write(`GET /v1/live HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TEST_TOKEN}\r\n\r\n`)
      socket.once('data', () => {
        socket.pause()
        resolve(socket)
      })
    })
  })
}
