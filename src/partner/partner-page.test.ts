import { request } from 'undici'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startReceiver } from '../testkit/receiver.ts'
import type { Partner } from './partner.ts'
import { addPartnerPage } from './partner-page.ts'
import type { PartnerView } from './partner-view.ts'

let partner: Partner
let origin = ''
beforeEach(async () => {
  partner = await startReceiver({})
  origin = `http://127.0.0.1:${partner.port}`
  addPartnerPage(partner)
})
afterEach(() => partner.close())

async function call(method: 'GET' | 'POST', path: string, headers: Record<string, string> = {}, body?: string) {
  const { statusCode, body: answer } = await request(`${origin}${path}`, { method, headers, body: body ?? null })
  return { status: statusCode, text: await answer.text() }
}
const behave = (body: string, headers: Record<string, string> = { origin }) =>
  call('POST', '/page/behaviour', headers, body)

/** The pictures that a page is sent, one after the other. */
async function watch(cookie = '') {
  const { statusCode, body } = await request(`${origin}/page/live`, { headers: { cookie } })
  const chunks = body[Symbol.asyncIterator]()
  let text = ''
  return {
    status: statusCode,
    async next(): Promise<PartnerView> {
      for (;;) {
        const end = text.indexOf('\n\n')
        if (end >= 0) {
          const event = text.slice(0, end)
          text = text.slice(end + 2)
          return JSON.parse(event.replace('data: ', '')) as PartnerView
        }
        const { value, done } = await chunks.next()
        if (done === true) throw new Error('the stream ended')
        text += String(value)
      }
    },
    close: () => body.destroy(),
  }
}

test('the page stands at the root, and what is posted there is a message all the same', async () => {
  expect(await call('GET', '/')).toMatchObject({ status: 200, text: expect.stringContaining('Partner sandbox') })
  expect((await call('POST', '/', {}, '{}')).status).toBe(400)
  expect(partner.records).toHaveLength(1)
  expect((await call('GET', '/page/nothing')).status).toBe(404)
})

test('each open page hears of a message and of a change of behaviour, as the visitor it belongs to', async () => {
  const page = await watch('partner_id=ada')
  expect(await page.next()).toMatchObject({ behaviour: 'fine', received: 0, you: 'ada' })
  expect((await behave('down')).status).toBe(200)
  expect(await page.next()).toMatchObject({ behaviour: 'down', received: 0 })
  expect((await call('POST', '/', {}, '{}')).status).toBe(503)
  expect(await page.next()).toMatchObject({ behaviour: 'down', received: 1, refused: 1 })
  page.close()
})

describe('the buttons', () => {
  test('know the five behaviours only', async () => {
    for (const name of ['fine', 'slow', 'flaky', 'down', 'reset']) expect((await behave(name)).status).toBe(200)
    expect(await behave('asleep')).toEqual({ status: 400, text: 'send one of fine, slow, flaky, down, reset\n' })
    expect((await behave('x'.repeat(1_001))).status).toBe(413)
    expect(partner.behaviour).toEqual({ resetRate: 1 })
  })

  test('are for the page itself: another site’s form changes nothing, and another name of this server is refused', async () => {
    expect((await behave('down', { origin: 'https://shop.example.com' })).status).toBe(403)
    expect((await call('GET', '/', { host: 'evil.example.com' })).status).toBe(421)
    expect(partner.behaviour).toEqual({})
  })
})

test('the twenty-first page that is open at a time is refused', async () => {
  const pages = []
  for (let n = 0; n < 20; n++) pages.push(await watch())
  expect(pages.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200))
  const refused = await watch()
  expect(refused.status).toBe(503)
  for (const page of pages) page.close()
})
