import { createHash } from 'node:crypto'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { startTestEdge } from './test-edge.conformance.ts'

/** Runs the page's own script, as it was served, in a page that writes down what is fired. */
class FakePage {
  readonly fired: { readonly tag: string; readonly src: string }[] = []
  readonly posted: unknown[] = []
  nowMs = 1_000_000
  private listener: ((event: { data: unknown }) => void) | undefined

  constructor(script: string, storage: Map<string, string> | undefined) {
    const page = this
    runInNewContext(script, {
      window: {
        addEventListener(_type: string, listener: (event: { data: unknown }) => void) {
          page.listener = listener
        },
        postMessage: (message: unknown) => page.posted.push(message),
      },
      location: { protocol: 'https:' },
      Date: { now: () => page.nowMs },
      get localStorage() {
        if (storage === undefined) throw new Error('SecurityError')
        return {
          getItem: (key: string) => storage.get(key) ?? null,
          setItem: (key: string, value: string) => storage.set(key, value),
        }
      },
      document: {
        createElement: (tag: string) => ({ tag, src: '', setAttribute: () => undefined }),
        body: { appendChild: ({ tag, src }: { tag: string; src: string }) => page.fired.push({ tag, src }) },
      },
    })
  }

  receive(data: unknown): void {
    this.listener?.({ data })
  }

  urls(): string[] {
    return this.fired.splice(0).map(({ src }) => src)
  }
}

async function servedScript(): Promise<string> {
  await using edge = await startTestEdge()
  const { text } = await edge.call('/dest5.html?d_nsid=0')
  return /<script>([\s\S]*)<\/script>/.exec(text)?.[1] ?? ''
}

const entry = (id: string, urls: string[], ttl: string, tag = 'img') =>
  ['ibs', id, tag, urls.map(encodeURIComponent).join(','), ttl, '', '', 'true'].join('|')

test('the page is static, cacheable, without cookies, and may be framed [COL-260] [CLI-6] [SEC-21]', async () => {
  await using edge = await startTestEdge()
  const reply = await edge.call('/dest5.html?d_nsid=0', { headers: { cookie: 'demdex=12' } })
  expect([reply.status, reply.headers['content-type'], reply.cookies]).toEqual([200, 'text/html;charset=utf-8', []])
  expect(reply.headers['cache-control']).toMatch(/^public, max-age=[0-9]+$/)
  expect(reply.headers['x-frame-options']).toBeUndefined()
  expect(reply.headers['referrer-policy']).toBe('no-referrer')
  expect(reply.headers['x-content-type-options']).toBe('nosniff')
  const policy = String(reply.headers['content-security-policy'])
  expect(policy).not.toMatch(/unsafe-|frame-ancestors 'none'/)
  const script = /<script>([\s\S]*)<\/script>/.exec(reply.text)?.[1] ?? ''
  expect(policy).toContain(`'sha256-${createHash('sha256').update(script).digest('base64')}'`)
  expect(edge.calls).toEqual([])
})

test('it fires the addresses of combined messages, and answers nothing [CLI-6]', async () => {
  const page = new FakePage(await servedScript(), new Map())
  page.receive(
    `---destpub-combined---${entry('411', ['//a.example/x?b=1,2', 'https://b.example/'], '10')}%01${entry('420', ['http://c.example/'], '10', 'iframe')}`,
  )
  expect(page.fired).toEqual([
    { tag: 'img', src: 'https://a.example/x?b=1,2' },
    { tag: 'img', src: 'https://b.example/' },
    { tag: 'iframe', src: 'http://c.example/' },
  ])
  expect(page.posted).toEqual([])
})

test('it respects the ttl in minutes, also after it was loaded again [CLI-6]', async () => {
  const script = await servedScript()
  const storage = new Map<string, string>()
  const message = `---destpub-combined---${entry('411', ['https://a.example/'], '10')}`
  const page = new FakePage(script, storage)
  page.receive(message)
  page.nowMs += 10 * 60_000 - 1
  page.receive(message)
  expect(page.urls()).toHaveLength(1)
  const reloaded = new FakePage(script, storage)
  reloaded.nowMs = page.nowMs
  reloaded.receive(message)
  expect(reloaded.urls()).toEqual([])
  reloaded.nowMs += 1
  reloaded.receive(message)
  expect(reloaded.urls()).toHaveLength(1)
})

test('where storage is closed to it, it remembers on its own', async () => {
  const page = new FakePage(await servedScript(), undefined)
  for (let i = 0; i < 3; i++) page.receive(`---destpub-combined---${entry('411', ['https://a.example/'], '10')}`)
  expect(page.urls()).toHaveLength(1)
})

test('other messages and other schemes do nothing', async () => {
  const page = new FakePage(await servedScript(), new Map())
  for (const message of [
    1,
    null,
    {},
    'hello',
    entry('1', ['https://a.example/'], '1'),
    '---destpub-combined---other|1|img|https%3A%2F%2Fa.example',
    '---destpub-combined---%E0%A4%A|',
  ]) {
    page.receive(message)
  }
  page.receive(`---destpub-combined---${entry('2', ['javascript:alert(1)', 'data:text/html,x'], '1')}`)
  expect(page.fired).toEqual([])
})
