import { createServer } from 'node:http'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestEdge, type TestEdge } from '../../src/collect/test-edge.conformance.ts'
import { freePort } from '../../src/testkit/free-port.ts'
import { chromiumPath, hasBrowser } from './browser.mjs'

/** What a browser itself makes of our answers: which cookies it keeps, and which calls it sends. Needs a Chromium. */
const canRun = hasBrowser() || process.env['CI'] === 'true'
const PAGE = 'http://shop.test/'

/** Sends one value in every kind of body; tells which a browser would not send. */
const script = `(async () => {
  const url = 'http://collect.shop.test/event?d_rtbd=json'
  const fields = (value) => {
    const form = new FormData()
    form.append('c_sent', value)
    return form
  }
  const json = (value) => new Blob(['{"c_sent":"' + value + '"}'], { type: 'application/json' })
  const bodies = {
    text: 'c_sent=text',
    json: json('json'),
    multipart: fields('multipart'),
    untyped: new Blob(['c_sent=untyped']),
    form: new URLSearchParams({ c_sent: 'form' }),
  }
  const wrong = []
  for (const [name, body] of Object.entries(bodies)) {
    const headers = { traceparent: '00-1-1-01', tracestate: 'a=1', baggage: 'a=b', 'x-datadog-trace-id': '1' }
    const answer = await fetch(url, { method: 'POST', credentials: 'include', headers, body }).catch(() => undefined)
    if (answer?.ok !== true) wrong.push(name)
  }
  const beacons = ['c_sent=beacon text', json('beacon json'), fields('beacon multipart')]
  return [...wrong, ...beacons.filter((body) => !navigator.sendBeacon(url, body)).map(() => 'beacon')]
})()`

let edge: TestEdge
let browser: Browser
const site = createServer((_request, response) => response.setHeader('Content-Type', 'text/html').end('<h1>shop</h1>'))

beforeAll(async () => {
  if (!canRun) return
  edge = await startTestEdge()
  const port = await freePort()
  await new Promise<void>((resolve) => site.listen(port, '127.0.0.1', resolve))
  const rules = `MAP shop.test:80 127.0.0.1:${port}, MAP *:80 127.0.0.1:${edge.port}`
  browser = await chromium.launch({
    executablePath: chromiumPath(),
    args: ['--no-sandbox', '--disable-gpu', `--host-resolver-rules=${rules}`],
  })
})
afterAll(async () => {
  await browser?.close()
  site.close()
  await edge?.close()
})

test.skipIf(!canRun).each([
  ['app.herokuapp.com', '.app.herokuapp.com'],
  ['usher.app.herokuapp.com', '.app.herokuapp.com'],
  ['example.co.uk', '.example.co.uk'],
  ['collect.example.co.uk', '.example.co.uk'],
  ['somebody.github.io', '.somebody.github.io'],
  ['github.io', 'github.io'],
  ['my_domain.demdex.net', '.demdex.net'],
  ['usher.corp', '.usher.corp'],
  ['usher', 'usher'],
  ['app.example.com.', 'app.example.com.'],
])('a browser keeps the visitor cookie of %s, for %s [COL-124]', async (host, domain) => {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(`http://${host}/event?d_rtbd=json`)
  const cookies = await context.cookies()
  expect(cookies.map((cookie) => [cookie.name, cookie.domain])).toEqual([['demdex', domain]])
  await context.close()
})

test.skipIf(!canRun)(
  'whatever body a page gives to fetch or sendBeacon, and whatever headers its scripts add, the event arrives [COL-10] [COL-14]',
  async () => {
    const page = await browser.newPage()
    await page.goto(PAGE)
    const failed = await page.evaluate(script)
    expect(failed).toEqual([])
    const sent = () => edge.calls.flatMap((call) => call.signals.all('c_sent')).sort()
    await expect
      .poll(sent)
      .toEqual(['beacon json', 'beacon multipart', 'beacon text', 'form', 'json', 'multipart', 'text', 'untyped'])
    await page.close()
  },
)
