import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { drawHabits } from '../../src/demo/crowd.ts'
import { createVisitor } from '../../src/demo/visitor.ts'
import { createHttpClient } from '../../src/lib/http-client.ts'
import { seededRandom } from '../../src/testkit/seeded-random.ts'
import { axeFindings } from '../ui/axe-findings.ts'
import { canBrowse, HOW_TO_BROWSE } from '../ui/open-page.ts'
import { type DemoSite, startBrowser, startDemoSite, type Visit } from './demo-site.ts'

/** The demo workspace in Chromium, as somebody meets it who has just started it. Needs the build, for `/tag.js`. */
const name = canBrowse ? 'the demo in Chromium' : `the demo in Chromium (to run: ${HOW_TO_BROWSE})`

describe.skipIf(!canBrowse)(name, () => {
  let site: DemoSite
  let browser: Awaited<ReturnType<typeof startBrowser>>
  beforeAll(async () => {
    site = await startDemoSite()
    browser = await startBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    await site?.[Symbol.asyncDispose]()
  })

  const accept = async ({ page }: Visit) => {
    await page.goto(site.shopUrl)
    await page.getByRole('button', { name: 'Accept' }).click()
    await page.getByText('You accepted.').waitFor()
  }
  const lookAt = async ({ page }: Visit, product: string) => {
    await page.goto(`${site.shopUrl}/shoes`)
    await page.getByRole('link', { name: product }).click()
    await page.getByRole('heading', { name: product, level: 1 }).waitFor()
    // Where the page has no script its images tell Usher, and leaving would stop them.
    await page.waitForLoadState('load')
  }
  /** What the partner's page says of the browser that opens it. */
  const seesMeAsShoeLover = async (page: Page) => {
    await page.goto(site.partner.url)
    const audience = page.getByRole('region', { name: 'Who is in which audience' }).locator('div', { hasText: '(you)' })
    await audience
      .filter({ has: page.getByRole('heading', { name: /Shoe Lovers/ }) })
      .first()
      .waitFor()
    const message = page.getByRole('listitem').filter({ hasText: '(you)' }).filter({ hasText: 'joined Shoe Lovers' })
    await expect.poll(() => message.first().textContent()).toMatch(/✓ signature verified.*✓ 200/)
  }

  test('who accepts and looks at two pairs of shoes is shown by the partner as a Shoe Lover, signature verified [OPS-2~]', async () => {
    const visit = await browser.visit()
    await accept(visit)
    await lookAt(visit, 'Brook Sandal')
    await visit.page.getByText('You looked at the Brook Sandal').waitFor()
    await lookAt(visit, 'Harrow City Boot')
    await visit.page.getByText('→ You joined Shoe Lovers').waitFor()
    await seesMeAsShoeLover(visit.page)
    expect(visit.complaints).toEqual([])
  })

  test('the same without JavaScript [OPS-2~]', async () => {
    const visit = await browser.visit({ javaScriptEnabled: false })
    await accept(visit)
    await lookAt(visit, 'Brook Sandal')
    await lookAt(visit, 'Harrow City Boot')
    const scripted = await browser.visit({ storageState: await visit.context.storageState() })
    await seesMeAsShoeLover(scripted.page)
    expect(visit.complaints).toEqual([])
  })

  test.each([true, false])(
    'before the choice and after a refusal there is no call and no cookie of Usher, JavaScript %s [SEC-73~]',
    async (javaScriptEnabled) => {
      const visit = await browser.visit({ javaScriptEnabled })
      const before = site.partner.records.length
      await visit.page.goto(`${site.shopUrl}/products/sandal`)
      await visit.page.goto(`${site.shopUrl}/products/city-boot`)
      expect(await visit.context.cookies()).toEqual([])
      await visit.page.getByRole('button', { name: 'Decline' }).click()
      await visit.page.getByText('You declined').waitFor()
      await lookAt(visit, 'Brook Sandal')
      await lookAt(visit, 'Harrow City Boot')
      await visit.page.waitForTimeout(300)
      expect((await visit.context.cookies()).map((one) => `${one.name}=${one.value}`)).toEqual(['shop_consent=no'])
      const elsewhere = visit.asked.filter(({ origin }) => origin !== site.shopUrl).map(({ pathname }) => pathname)
      expect([...new Set(elsewhere)]).toEqual(javaScriptEnabled ? ['/tag.js'] : [])
      expect(site.partner.records).toHaveLength(before)
    },
  )

  test('a partner that is down loses nothing: afterwards both sides agree on every visitor [OPS-2~] [SEC-40]', async () => {
    const visit = await browser.visit()
    await visit.page.goto(site.partner.url)
    await visit.page.getByRole('button', { name: 'Down, 503' }).click()
    await visit.page.getByText('The partner is down').waitFor()

    const http = createHttpClient()
    const random = seededRandom(7)
    const visitors = Array.from({ length: 25 }, (_, i) => {
      const habits = { ...drawHabits(random), refusesConsent: false, optsOut: false }
      return createVisitor(http, site.edgeUrl, `outage-${i}`, habits, random)
    })
    await Promise.all(
      visitors.map(async (one) => {
        while ((await one.step()) !== undefined);
      }),
    )
    http.close()
    await expect.poll(() => figure(visit.page, 'owed')).toBeGreaterThan(0)

    await visit.page.getByRole('button', { name: 'Answer at once' }).click()
    const open = async (status: string) => (await site.api<{ total: number }>(`/v1/deliveries?status=${status}`)).total
    const disagreeing = async () => {
      const wrong: string[] = []
      const deviceOf = new Map(site.partner.state.entries().map(({ partnerId, deviceId }) => [partnerId, deviceId]))
      for (const { partnerId } of visitors) {
        if (!deviceOf.has(partnerId)) return [`${partnerId} has not arrived`]
        const { segments } = await site.api<{ segments: { sid: number; status: string }[] }>(
          `/v1/profiles/${deviceOf.get(partnerId)}`,
        )
        const ours = segments.filter(({ status }) => status === 'in').map(({ sid }) => String(sid))
        const theirs = [...site.partner.state.sizes().keys()].filter((sid) => site.partner.state.isIn(sid, partnerId))
        if (ours.toSorted().join() !== theirs.toSorted().join()) wrong.push(`${partnerId}: ${ours} and ${theirs}`)
        if (ours.length === 0) wrong.push(`${partnerId} is nowhere`)
      }
      return wrong
    }
    await expect.poll(disagreeing, { interval: 250 }).toEqual([])
    await expect.poll(() => figure(visit.page, 'owed')).toBe(0)
    expect(await figure(visit.page, 'recovered')).toBeGreaterThan(0)
    await visit.page.getByText('Everything that was refused has arrived since.').waitFor()
    expect([await open('retrying'), await open('dead')]).toEqual([0, 0])
  })

  test('generated visitors are let in and paused by a button of the shop [OPS-2~]', async () => {
    const { page } = await browser.visit()
    await page.goto(site.shopUrl)
    const before = site.partner.records.length
    await page.getByRole('button', { name: 'Let them walk' }).click()
    await page.getByText('Generated visitors are walking').waitFor()
    await expect.poll(() => site.partner.records.length).toBeGreaterThan(before + 1)
    await page.getByRole('button', { name: 'Pause them' }).click()
    await page.getByText('Generated visitors are paused').waitFor()
    await page.waitForTimeout(500)
    const after = site.partner.records.length
    await page.waitForTimeout(2000)
    expect(site.partner.records).toHaveLength(after)
  })

  test.each(['light', 'dark'] as const)(
    'axe finds nothing on the pages of shop and partner in %s',
    async (colorScheme) => {
      const visit = await browser.visit({ colorScheme, reducedMotion: 'reduce' })
      const { page } = visit
      await page.goto(site.shopUrl)
      expect(await axeFindings(page), 'with the banner').toEqual([])
      await accept(visit)
      await lookAt(visit, 'Brook Sandal')
      await page.getByText('→ You joined Here Today').waitFor()
      expect(await axeFindings(page), 'a product').toEqual([])
      await page.getByRole('button', { name: 'Put into the basket' }).click()
      await page.getByText('→ You joined Basket Leavers').waitFor()
      expect(await axeFindings(page), 'the basket').toEqual([])
      await page.getByRole('button', { name: /^Order/ }).click()
      await page.getByText('← You left Basket Leavers').waitFor()
      expect(await axeFindings(page), 'the end').toEqual([])
      await page.goto(`${site.shopUrl}/nowhere`)
      expect(await axeFindings(page), 'a missing page').toEqual([])
      await page.goto(site.partner.url)
      await page.getByText('● Live').waitFor()
      await page.getByText('(you)').first().waitFor()
      expect(await axeFindings(page), 'the partner').toEqual([])
      expect(visit.complaints).toEqual([])
    },
  )

  test('no page is wider than its window', async () => {
    const visit = await browser.visit()
    await accept(visit)
    for (const url of [
      `${site.shopUrl}/`,
      `${site.shopUrl}/products/sandal`,
      `${site.shopUrl}/basket`,
      site.partner.url,
    ]) {
      await visit.page.goto(url)
      for (const width of [1440, 1280, 1024, 640, 360]) {
        await visit.page.setViewportSize({ width, height: 800 })
        expect(await visit.page.evaluate('document.documentElement.scrollWidth'), `${url} at ${width}`).toBe(width)
      }
    }
  })
})

async function figure(page: Page, id: string): Promise<number> {
  return Number((await page.locator(`#${id}`).textContent())?.replace(/\D/g, ''))
}
