import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Partner, startPartner } from '../../src/partner/partner.ts'
import { defineOverApi } from '../../src/testkit/define-over-api.ts'
import { freePort } from '../../src/testkit/free-port.ts'
import { type SpawnedUsher, spawnUsher } from '../../src/testkit/spawn-usher.ts'
import { startBrowser, type Visit } from '../demo/demo-site.ts'
import { axeFindings } from '../ui/axe-findings.ts'
import { canBrowse, HOW_TO_BROWSE } from '../ui/open-page.ts'

/** People at the real server with the real UI in Chromium; nothing is recorded. Needs the build, which `npm test` makes. */
const root = join(import.meta.dirname, '..', '..')
const canRun = canBrowse && (existsSync(join(root, 'dist', 'web', 'index.html')) || process.env['CI'] === 'true')
const name = canRun ? 'the admin UI and its server' : `the admin UI and its server (to run: ${HOW_TO_BROWSE})`
const KEY = 'sample_partner_private_key'
const DEVICE = '12345678901234567890123456789012345678'

describe.skipIf(!canRun)(name, () => {
  let browser: Awaited<ReturnType<typeof startBrowser>>
  const cleanups: (() => unknown)[] = []
  beforeAll(async () => {
    browser = await startBrowser()
  })
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  })
  afterAll(() => browser?.close())

  const folder = () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'usher-e2e-'))
    cleanups.push(() => rmSync(dataDir, { recursive: true, force: true }))
    return dataDir
  }

  test('from a fresh start, by the link in the terminal, to the first message seen: within a minute [OPS-2~] [OPS-22] [OPS-45~]', async () => {
    const ports = { USHER_SHOP_PORT: String(await freePort()), USHER_PARTNER_PORT: String(await freePort()) }
    const usher = await spawnUsher({
      dataDir: folder(),
      program: [join(root, 'bin', 'usher'), 'demo'],
      env: { USHER_ALLOW_PRIVATE_DESTINATIONS: undefined, USHER_ADMIN_TOKEN: undefined, ...ports },
    })
    cleanups.push(() => usher.stop())
    const link = await expect.poll(() => /Open (\S+#setup=\S+)/.exec(usher.log.join('\n'))?.[1])
    await link.toBeDefined()
    const address = /Open (\S+#setup=\S+)/.exec(usher.log.join('\n'))?.[1] as string

    const visit = await browser.visit()
    const { page } = visit
    await page.goto(address)
    // The token does not stay in the address.
    await page.waitForURL((url) => url.hash === '')
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()
    // Live: nobody reloads the page.
    await page.getByText('no dead letters').waitFor({ timeout: 60_000 })
    await page.getByRole('link', { name: 'Demo partner' }).first().waitFor({ timeout: 60_000 })
    await page.getByRole('link', { name: 'Messages' }).first().click()
    const message = page.getByRole('region', { name: 'List of messages' }).getByRole('link').first()
    await message.waitFor({ timeout: 60_000 })
    await message.click()
    await page.getByText('Acknowledged on attempt 1').waitFor()
    await page.getByText('Matches').first().waitFor()
    await page.getByRole('link', { name: /^Why / }).first().click()
    await page
      .getByText(/In since|Not in/)
      .first()
      .waitFor()
    expect(visit.complaints).toEqual([])

    // Used once, the link is worth nothing to whoever finds it.
    const stranger = await browser.visit()
    await stranger.page.goto(address)
    await stranger.page.getByText('This link was used already').waitFor()
  })

  describe('with a partner that failed', () => {
    let usher: SpawnedUsher
    let partner: Partner
    let visit: Visit
    let dataSourceId: number

    const start = async () => {
      partner = await startPartner({ port: await freePort(), nowMs: Date.now, signing: { keys: [KEY] } })
      cleanups.push(() => partner.close())
      usher = await spawnUsher({ dataDir: folder() })
      cleanups.push(() => usher.stop())
      const { destinationId, ...defined } = await defineOverApi(usher, {
        traits: [{ name: 'look' }, { name: 'order' }],
        segments: [{ name: 'Lookers', rule: ({ look, order }) => `FREQUENCY([${look}T]<=7D)>=2 AND NOT ${order}T` }],
        url: `${partner.url}/aam`,
        auth: { type: 'hmac', header: 'X-Signature', algorithm: 'sha256', keys: [{ key: KEY }] },
      })
      dataSourceId = defined.dataSourceId
      const path = `/v1/destinations/${destinationId}`
      const destination = await usher.api<{ s2s: object }>('GET', path)
      await usher.api('PUT', path, { ...destination, name: 'Halden DSP', s2s: { ...destination.s2s, mode: 'compat' } })
      await new Promise((resolve) => setTimeout(resolve, 1_500))
      const event = `${usher.edgeUrl}/event?d_rtbd=json&d_uuid=${DEVICE}&d_cid=${dataSourceId}%01hd-9f21&c_do=look`
      partner.setBehaviour({ answer: 500 })
      for (let look = 0; look < 2; look++) expect((await fetch(event)).status).toBe(200)
      await expect
        .poll(async () => (await usher.api<{ total: number }>('GET', '/v1/deliveries?status=dead')).total)
        .toBe(1)

      const { setupToken } = await usher.api<{ setupToken: string }>('POST', '/v1/session/links')
      visit = await browser.visit({ viewport: { width: 1280, height: 900 } })
      await visit.page.goto(`${usher.adminUrl}/#setup=${setupToken}`)
      await visit.page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()
    }

    test('somebody finds the failed message, reads why, replays it, and sees it acknowledged [OPS-51] [SEC-48]', async () => {
      await start()
      const { page } = visit
      await page.getByText('Nobody waits. 1 dead letter. Last: the partner answered 500.').waitFor()
      await page.getByRole('button', { name: 'See messages' }).click()
      await page.getByRole('region', { name: 'List of messages' }).getByRole('link').first().click()
      await page.getByText('Given up: the partner answered 500').first().waitFor()
      await page.getByText('Audience Manager would have dropped it here.').waitFor()
      await page.getByText('Answered 500').first().waitFor()
      await page.getByText('hd-9f21').first().waitFor()

      partner.setBehaviour({})
      await page.getByRole('button', { name: 'Replay…' }).click()
      await page.getByText('1 message goes out again.').waitFor()
      await page.getByRole('button', { name: 'Replay 1', exact: true }).click()
      await page.getByText('1 message: done.').waitFor()
      await page.getByText('Acknowledged, the same bytes').waitFor()
      await page.getByRole('button', { name: 'Close' }).last().click()
      await page.getByText(/Acknowledged on attempt 3/).waitFor()
      await page.getByText('Matches').first().waitFor()
      expect(await axeFindings(page)).toEqual([])
      await page.getByRole('link', { name: 'Overview' }).first().click()
      await page.getByText('no dead letters').waitFor()
      expect(await page.getByText('1 dead letter.').count()).toBe(0)
      // The same bytes came again, and they verify.
      const bodies = new Set(partner.records.map(({ body }) => body))
      expect(bodies.size).toBe(1)
      expect(partner.records.at(-1)).toMatchObject({ answer: 200, signature: { status: 'verified' } })
      expect(visit.complaints).toEqual([])
    })

    test('somebody pauses a destination, sees that a user waits, resumes it, and the message arrives [SEC-47]', async () => {
      await start()
      const { page } = visit
      partner.setBehaviour({})
      const heard = partner.records.length
      await page.getByRole('button', { name: 'Delivery to Halden DSP' }).click()
      // Its last attempt was refused, though nothing waits for another one.
      await page.getByRole('dialog').getByText('Not taking messages: the partner answered 500.').waitFor()
      await page.getByRole('button', { name: 'Pause', exact: true }).click()
      await page.getByText(/^Paused since .*, by hand\.$/).waitFor()
      await page.keyboard.press('Escape')
      await page.getByText('Halden DSP is paused').waitFor()

      const event = `${usher.edgeUrl}/event?d_rtbd=json&d_uuid=${'7'.repeat(38)}&d_cid=${dataSourceId}%01hd-7777&c_do=look`
      for (let look = 0; look < 2; look++) expect((await fetch(event)).status).toBe(200)
      // The Overview looks every 15 s.
      await page.getByText('1 user waits; no message is built yet.').first().waitFor({ timeout: 60_000 })
      expect(await axeFindings(page)).toEqual([])
      expect(partner.records.length).toBe(heard)

      await page.getByRole('button', { name: 'Resume …' }).click()
      await page.getByText('What waits goes out at once').waitFor()
      await page.getByRole('button', { name: 'Resume', exact: true }).click()
      await page.getByText('Messages go out.').waitFor()
      await expect.poll(() => partner.records.at(-1)?.body).toContain('hd-7777')
      await page.keyboard.press('Escape')
      await page.getByText('Halden DSP is paused').waitFor({ state: 'hidden' })
      expect(visit.complaints).toEqual([])
    })

    test('somebody finds out by a partner’s ID why a profile is in a segment, and who was told [OPS-52]', async () => {
      await start()
      const { page } = visit
      await page.getByRole('link', { name: 'Profiles' }).first().click()
      await page.getByRole('textbox', { name: /Device ID, partner ID/ }).fill('hd-9f21')
      await page.keyboard.press('Enter')
      // The ID leads to its device, and what the device did decides.
      await page
        .getByRole('link', { name: /^12345678/ })
        .first()
        .click()
      await page.getByText('Why in Lookers?').waitFor()
      await page.getByText('In since').waitFor()
      // The name of a trait that the profile does not have comes a moment later.
      const rule = async () => (await page.locator('.rule').innerText()).replace(/\s+/g, ' ')
      await expect.poll(rule).toMatch(/look 2 of 2 .* order never/)
      await page.getByText('Halden DSP').first().waitFor()
      expect(await axeFindings(page)).toEqual([])
      expect(visit.complaints).toEqual([])

      // Looking around changes nothing: an order does, and the same page says so.
      const { traits } = await usher.api<{ traits: { name: string }[] }>('GET', `/v1/profiles/${DEVICE}`)
      expect(traits.map((one) => one.name)).toEqual(['look'])
      expect((await fetch(`${usher.edgeUrl}/event?d_rtbd=json&d_uuid=${DEVICE}&c_do=order`)).status).toBe(200)
      await page.reload()
      await page.getByText('Left Lookers').first().waitFor()
    })
  })
})
