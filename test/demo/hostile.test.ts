import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { signatureOf } from '../../src/partner/verify-signature.ts'
import { canBrowse } from '../ui/open-page.ts'
import { type DemoSite, PARTNER_KEY, startBrowser, startDemoSite } from './demo-site.ts'

let site: DemoSite
beforeAll(async () => {
  site = await startDemoSite()
})
afterAll(() => site?.[Symbol.asyncDispose]())

interface Sent {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

/** A call with any header, `Host` among them, which `fetch` would not send. */
function call(url: string, { method = 'GET', headers = {}, body = '' }: Sent = {}) {
  return new Promise<{ status: number; text: string; location: string | undefined }>((resolve, reject) => {
    const outgoing = request(url, { method, headers, agent: false }, (response) => {
      let text = ''
      response.on('data', (part: Buffer) => {
        text += part.toString('utf8')
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text, location: response.headers.location }))
      response.on('error', reject)
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

const places = () => [
  `${site.shopUrl}/`,
  `${site.shopUrl}/names.json`,
  `${site.partner.url}/`,
  `${site.partner.url}/page/live`,
]
const changes = () =>
  [
    [`${site.shopUrl}/consent`, 'choice=yes'],
    [`${site.shopUrl}/visitors`, 'running=true'],
    [`${site.shopUrl}/basket`, 'product=sandal'],
    [`${site.partner.url}/page/behaviour`, 'down'],
  ] as const

describe('the demo against strangers', () => {
  test('a name that was made to point here is not answered: DNS rebinding reads nothing', async () => {
    for (const url of places()) {
      for (const host of ['evil.example', `evil.example:${new URL(url).port}`, 'localhost.evil.example'])
        expect((await call(url, { headers: { host } })).status, `${url} as ${host}`).toBe(421)
    }
    for (const [url, body] of changes())
      expect((await call(url, { method: 'POST', body, headers: { host: 'evil.example' } })).status, url).toBe(421)
  })

  test('a page elsewhere changes nothing, whether it names itself or hides', async () => {
    for (const [url, body] of changes()) {
      for (const headers of [
        { origin: 'https://evil.example' },
        { origin: 'null' },
        { origin: `http://127.0.0.1:${Number(new URL(url).port) + 1}` },
        { 'sec-fetch-site': 'cross-site' },
      ])
        expect((await call(url, { method: 'POST', body, headers })).status, `${url} ${JSON.stringify(headers)}`).toBe(
          403,
        )
    }
    expect(site.partner.behaviour).toEqual({})
    expect((await call(site.shopUrl)).text).toContain('Generated visitors are paused')
  })

  test('a body that is too long is answered 413 and changes nothing', async () => {
    for (const [url, body] of changes()) {
      const long = await call(url, { method: 'POST', body: `${body}&x=${'x'.repeat(100_000)}` })
      expect([long.status, long.text], url).toEqual([413, expect.stringMatching(/^a body has at most \d+ bytes\n$/)])
    }
    const before = site.partner.records.length
    expect(
      (await call(`${site.partner.url}/aam`, { method: 'POST', body: 'x'.repeat(4 * 1024 * 1024 + 1) })).status,
    ).toBe(413)
    expect(site.partner.records).toHaveLength(before)
    expect(site.partner.behaviour).toEqual({})
  })

  test('a redirect stays in the shop, whatever the form asks for', async () => {
    for (const back of ['https://evil.example/', '//evil.example', '/\\evil.example', '/a\r\nx-y: z', 'javascript:1']) {
      const body = new URLSearchParams({ choice: 'no', back }).toString()
      expect((await call(`${site.shopUrl}/consent`, { method: 'POST', body })).location).toBe('/')
    }
    expect((await call(`${site.shopUrl}//evil.example/`)).text).toContain('name="back" value="/"')
  })

  test('under the name localhost the shop sends on to its address, where edge and partner know the browser', async () => {
    const { port } = new URL(site.shopUrl)
    const answer = await call(`${site.shopUrl}/shoes?a=1`, { headers: { host: `localhost:${port}` } })
    expect([answer.status, answer.location]).toEqual([303, `${site.shopUrl}/shoes?a=1`])
  })

  test('the picture of a hostile message is small, however large the message', async () => {
    const users = Array.from({ length: 5000 }, () => ({ a: 'x'.repeat(500) }))
    const body = JSON.stringify({ Users: users })
    expect((await call(`${site.partner.url}/aam`, { method: 'POST', body })).status).toBe(401)
    expect((await firstPicture()).length).toBeLessThan(20_000)
  })

  test.skipIf(!canBrowse)('HTML in IDs and segments is shown as text by the partner [SEC-71]', async () => {
    const evil = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
    const body = messageOf(evil)
    const headers = { 'content-type': 'application/json', 'X-Signature': signatureOf(body, PARTNER_KEY, 'sha256') }
    expect((await call(`${site.partner.url}/aam`, { method: 'POST', body, headers })).status).toBe(200)
    const unreadable = JSON.stringify({ ...JSON.parse(body), [evil]: 1 })
    expect((await call(`${site.partner.url}/${encodeURI(evil)}`, { method: 'POST', body: unreadable })).status).toBe(
      401,
    )
    const browser = await startBrowser()
    try {
      const { page, complaints } = await browser.visit()
      await page.goto(site.partner.url)
      await page
        .getByRole('listitem')
        .filter({ hasText: `${evil} joined` })
        .first()
        .waitFor()
      await page.getByRole('heading', { name: `segment ${evil}` }).waitFor()
      await page.getByText(`${evil} is not a documented key`).waitFor()
      expect(await page.locator('main img, main script').count()).toBe(0)
      expect(await page.title()).toBe('Partner sandbox')
      expect(complaints).toEqual([])
    } finally {
      await browser.close()
    }
  })
})

/** The first event that `/page/live` sends. */
async function firstPicture(): Promise<string> {
  const response = await fetch(`${site.partner.url}/page/live`)
  let text = ''
  for await (const part of response.body as ReadableStream<Uint8Array>) {
    text += new TextDecoder().decode(part)
    if (text.includes('\n\n')) break
  }
  return text
}

function messageOf(text: string): string {
  const DateTime = 'Wed Jul 27 16:17:42 UTC 2016'
  const user = {
    AAM_UUID: '1'.repeat(38),
    DataPartner_UUID: text,
    AAM_Regions: ['7'],
    Segments: [{ Segment_ID: text, Status: '1', DateTime }],
  }
  const head = { ProcessTime: DateTime, User_DPID: '77052', Client_ID: '1', AAM_Destination_Id: '1' }
  return JSON.stringify({ ...head, User_count: '1', Users: [user] })
}
