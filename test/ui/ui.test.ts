import { describe, expect, test } from 'vitest'
import { axeFindings } from './axe-findings.ts'
import { PAGES } from './pages.ts'
import { DEAD, DEVICE, RETRIED } from './recorded-answers.ts'
import { startRecordedServer } from './recorded-server.ts'
import { describeOnStage, showsText } from './stage.ts'

/** The built UI in Chromium, with recorded answers of the API under the policy of the real listener. */

describeOnStage('the admin UI in Chromium', (stage) => {
  describe.each(['light', 'dark'] as const)('axe finds nothing in %s', (colorScheme) => {
    test.each(PAGES.map((page) => [page.name, page] as const))('on %s', async (_, { path, server, act, shows }) => {
      const { page, complaints } = await stage.browsing.open(stage.servers[server ?? 'full'].url + path, {
        colorScheme,
      })
      await page.getByRole('main').first().waitFor()
      await act?.(page)
      await showsText(page, shows)
      // What floats opens with a movement; half-way its colours are not its own.
      await page.waitForTimeout(300)
      expect(await axeFindings(page)).toEqual([])
      expect(complaints, 'the page or its policy complained').toEqual([])
      await page.context().close()
    })
  })

  test('a failed message is found, understood and replayed, by keyboard alone', async () => {
    const { page } = await stage.browsing.open(stage.servers.full.url)
    await page.getByRole('button', { name: 'See messages' }).first().focus()
    await page.keyboard.press('Enter')
    await expect.poll(() => new URL(page.url()).search).toContain('status=dead')
    await page.getByRole('link', { name: /Dead letter/ }).waitFor()
    await page.evaluate('document.activeElement?.blur()')
    await page.keyboard.press('ArrowDown')
    await expect.poll(() => page.url()).toContain(DEAD)
    await showsText(page, 'Given up: the partner answered 400.')
    await showsText(page, 'unknown segment WB-2026')
    await showsText(page, 'Audience Manager would have dropped it here.')
    const before = stage.servers.full.changes.length
    await page.keyboard.press('r')
    await showsText(page, '1 message goes out again.')
    expect(stage.servers.full.changes.slice(before).map(({ body }) => (body as { dryRun: boolean }).dryRun)).toEqual([
      true,
    ])
    await page.getByRole('button', { name: 'Replay 1', exact: true }).focus()
    await page.keyboard.press('Enter')
    await showsText(page, '3 messages: all done.')
    await showsText(page, 'Acknowledged, told by newer messages: the stored message is outdated')
    await showsText(page, 'Not sent: the partner takes no Status 0')
    expect(stage.servers.full.changes.at(-1)).toEqual({
      path: '/v1/deliveries/replay',
      csrf: '1',
      body: { deliveryIds: [DEAD], as: 'same', dryRun: false },
    })
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    await page.keyboard.press('Escape')
    await expect.poll(() => new URL(page.url()).pathname).toBe('/messages')
  })

  test('what cannot be paused says why, and can be tried again [SEC-47]', async () => {
    const { page } = await stage.browsing.open(stage.servers.full.url)
    await page.getByRole('button', { name: 'Delivery to Halden DSP' }).press('Enter')
    const pause = page.getByRole('button', { name: 'Pause', exact: true })
    await expect.poll(() => pause.isEnabled()).toBe(true)
    await expect.poll(() => page.evaluate(`document.activeElement?.closest('[role="dialog"]') !== null`)).toBe(true)
    await pause.press('Enter')
    await page.getByRole('alert').getByText('Recorded: not_found.').waitFor()
    expect(stage.servers.full.changes.at(-1)).toEqual({ path: '/v1/destinations/423/pause', csrf: '1', body: {} })
    expect(await page.getByRole('button', { name: 'Pause', exact: true }).isEnabled()).toBe(true)
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    await expect.poll(() => page.evaluate('document.activeElement?.ariaLabel')).toBe('Delivery to Halden DSP')
  })

  test('of a partner that takes nothing card, ledger, flow and dialogue say the same, with the cause and the next try; the headline is not all [OPS-40] [SEC-47]', async () => {
    const { page } = await stage.browsing.open(stage.servers.full.url)
    const says = 'Not taking messages: the partner answered 503. Next try 14:36:40.'
    await page.locator('.ledger-row .standing').getByText(says).waitFor()
    expect(await page.locator('.ledger-row .standing').count()).toBe(1)
    expect(await page.locator('.flow-drawing button.waiting').getAttribute('title')).toContain(says)
    const owed = 'At least 43,180 users wait; 16 messages are built.'
    await showsText(page, `${owed} Nothing is lost. Last: the partner answered 503. Next try 14:36:40.`)
    await showsText(page, 'at least 43,180 users wait')
    await showsText(page, `${says} ${owed}`)
    await showsText(page, '95.8%')
    await page.getByRole('button', { name: 'Delivery to Halden DSP' }).press('Enter')
    await expect.poll(() => page.getByRole('dialog').getByRole('status').innerText()).toBe(says)
    await page.context().close()
  })

  test('why a profile is in a segment is found from the message that told a partner of it', async () => {
    const { page } = await stage.browsing.open(`${stage.servers.full.url}/messages/${RETRIED}`)
    await page.getByRole('link', { name: 'Why Winter boots intenders?' }).first().click()
    await expect.poll(() => page.url()).toContain(`/profiles/${DEVICE}?segmentId=100101`)
    await page.getByRole('heading', { name: 'Why in Winter boots intenders?' }).waitFor()
    await showsText(page, 'Leaves on 24 November at 00:00')
    await showsText(page, 'Within 7 UTC days. On 16 Nov, 18 Nov, 20 Nov.')
    await showsText(page, '3 of 3')
    // A trait the profile does not hold has its name all the same.
    await showsText(page, 'Country Norway')
    await page.getByRole('link', { name: 'messages', exact: true }).first().click()
    await expect.poll(() => page.url()).toContain('/messages?destinationId=423')
  })

  test('a profile is found by its device ID in groups of four, and anything else is answered with what to write', async () => {
    const { page } = await stage.browsing.open(`${stage.servers.full.url}/profiles`)
    const input = page.getByRole('textbox', { name: /Device ID/ })
    await input.waitFor()
    await page.keyboard.press('/')
    await expect.poll(() => page.evaluate('document.activeElement?.tagName')).toBe('INPUT')
    await page.keyboard.type('nobody')
    await page.keyboard.press('Enter')
    await showsText(page, 'No profile has this ID. Write 38 digits')
    await input.fill(DEVICE.replace(/(.{4})/g, '$1 '))
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Why in Winter boots intenders?' }).waitFor()
  })

  test('the keyboard reaches the page past the navigation, finds anything, and shows its keys', async () => {
    const { page } = await stage.browsing.open(stage.servers.full.url)
    await page.getByRole('heading', { name: 'Flow' }).waitFor()
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement?.textContent')).toBe('Skip to the page')
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.activeElement?.id')).toBe('page')
    await page.keyboard.press('?')
    await showsText(page, 'Replay the message (asks first)')
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Part of a name' }).waitFor()
    await page.keyboard.type('01KAH6VM')
    await page.getByRole('option').nth(2).waitFor()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    // A trait has no page yet; its ID is what one came for.
    await showsText(page, 'The ID 100001 of Viewed winter boots is copied.')
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe('100001')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.url()).toContain(`/messages/${DEAD}`)
  })

  test('filters stand in the address, and a filter without result offers to clear itself', async () => {
    const { page } = await stage.browsing.open(
      `${stage.servers.full.url}/messages?status=superseded&from=2026-11-20T00:00:00.000Z`,
    )
    await showsText(page, 'No message matches')
    await page.getByRole('button', { name: 'Clear the filter' }).click()
    await page.getByRole('link', { name: /Dead letter/ }).waitFor()
    expect(new URL(page.url()).search).toBe('')
  })

  test('the request is copied as curl', async () => {
    const { page } = await stage.browsing.open(`${stage.servers.full.url}/messages/${RETRIED}`)
    await page.getByRole('button', { name: 'Copy as curl' }).click()
    await page.getByRole('button', { name: 'Copied' }).waitFor()
    const text = await page.evaluate('navigator.clipboard.readText()')
    expect(text).toContain("curl -X 'POST' 'https://in.halden.example/v2/segments'")
    expect(text).toContain('"AAM_UUID"')
  })

  test('a set-up link signs in once and leaves the address; a used one says what to do [OPS-22]', async () => {
    const server = await startRecordedServer(false)
    const used = await stage.browsing.open(`${server.url}/#setup=used`)
    await showsText(used.page, 'This link was used already')
    await showsText(used.page, 'usher link')
    expect(used.page.url()).not.toContain('setup')
    const { page } = await stage.browsing.open(`${server.url}/#setup=once`)
    await page.getByRole('heading', { name: 'Needs attention' }).waitFor()
    expect(page.url()).not.toContain('setup')
    const sent = server.changes.filter(({ path }) => path === '/v1/session')
    expect(sent.map(({ body, csrf }) => [body, csrf])).toEqual([
      [{ setupToken: 'used' }, '1'],
      [{ setupToken: 'once' }, '1'],
    ])
    await page.getByRole('button', { name: /account of Maja Sand/ }).click()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await showsText(page, 'There is no password.')
    await server.close()
  })

  test('a lost connection is said in one line and goes away when it is back [OPS-45~]', async () => {
    const { page } = await stage.browsing.open(stage.servers.full.url)
    await page.getByText('Live', { exact: true }).waitFor()
    stage.servers.full.setLive(false)
    await showsText(page, 'The live connection is lost.')
    await showsText(page, 'As of 14:32:07')
    stage.servers.full.setLive(true)
    await page.getByText('Live', { exact: true }).waitFor()
    await page.getByText('The live connection is lost.').waitFor({ state: 'hidden' })
  })

  test('the language is the browser’s until another is chosen, and the choice is kept', async () => {
    const { page } = await stage.browsing.open(stage.servers.full.url, { locale: 'fr-FR' })
    await page.getByRole('heading', { name: 'Vue d’ensemble' }).waitFor()
    expect(await page.locator('html').getAttribute('lang')).toBe('fr')
    await page.getByRole('button', { name: /compte/ }).click()
    await page.getByRole('combobox', { name: 'Langue' }).click()
    await page.getByRole('option', { name: 'Svenska' }).click()
    await page.reload()
    await page.getByRole('heading', { name: 'Översikt' }).waitFor()
  })

  test('dark can be fixed against the system', async () => {
    const { page } = await stage.browsing.open(stage.servers.full.url, { colorScheme: 'light' })
    await page.getByRole('button', { name: /account of/ }).click()
    await page.getByRole('combobox', { name: 'Colours' }).click()
    await page.getByRole('option', { name: 'Dark' }).click()
    await page.reload()
    await page.getByRole('heading', { name: 'Flow' }).waitFor()
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(15, 18, 20)')
  })

  test.each(['/', `/messages/${RETRIED}`, `/profiles/${DEVICE}`])(
    'names of one long word stay in their cards on %s',
    async (path) => {
      const { page } = await stage.browsing.open(stage.servers.hard.url + path)
      await showsText(page, 'retargeting_')
      await page.waitForLoadState('networkidle')
      for (const width of [1440, 1280, 1024, 768, 720, 400]) {
        await page.setViewportSize({ width, height: 900 })
        await page.waitForTimeout(60)
        const wide = await page.evaluate(
          `[...document.querySelectorAll('html, .card')].filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.innerText.slice(0, 60))`,
        )
        expect(wide, `at ${width}`).toEqual([])
      }
      await page.context().close()
    },
  )

  test('of 200 traits twelve are drawn until the others are asked for, and of their days the last', async () => {
    const { page } = await stage.browsing.open(`${stage.servers.hard.url}/profiles/${DEVICE}`)
    const others = page.getByRole('button', { name: '188 more traits' })
    await others.waitFor()
    expect(await page.getByText('Trait 199', { exact: false }).count()).toBe(0)
    await others.press('Enter')
    await page.getByRole('button', { name: '88 more traits' }).press('Enter')
    await page.locator('.lane').getByText('Trait 199').waitFor()
    // The focus stays where the next press puts the rest away.
    await page.keyboard.press('Enter')
    await others.waitFor()
    const rows = page.locator('.story-row')
    expect(await rows.count()).toBe(40)
    await page.getByRole('button', { name: /^[\d,]+ more$/ }).press('Enter')
    await expect.poll(() => rows.count()).toBe(140)
    await page.context().close()
  })

  test('the flow is drawn before anything is measured', async () => {
    const { page } = await stage.browsing.open('about:blank')
    await page.addInitScript('ResizeObserver = class { observe() {} unobserve() {} disconnect() {} }')
    await page.goto(stage.servers.full.url)
    const node = page.getByRole('list', { name: 'Destinations' }).getByRole('button', { name: /Halden DSP/ })
    const box = await node.boundingBox()
    expect(box?.width).toBeGreaterThan(120)
    expect(box?.x).toBeGreaterThan(1000)
    await page.context().close()
  })

  test('what a replay would do is counted in groups of three digits on its button too', async () => {
    const { page } = await stage.browsing.open(`${stage.servers.hard.url}/messages/${RETRIED}`)
    await page.getByRole('button', { name: 'Replay…' }).click()
    const replay = page.getByRole('button', { name: 'Replay 1,234,567', exact: true })
    await replay.waitFor()
    expect(await replay.isEnabled()).toBe(true)
    await page.context().close()
  })

  test('one is told as one, and a sentence ends in one full stop, in every language', async () => {
    for (const [locale, figures, day] of [
      ['en-GB', ['1 time', '1 left'], '20 Nov. '],
      ['fr-FR', ['1 fois', '1 sortie'], '20 nov. '],
      ['sv-SE', ['1 gång', '1 utträde'], '20 nov. '],
    ] as const) {
      const overview = await stage.browsing.open(stage.servers.hard.url, { locale })
      await expect.poll(() => overview.page.locator('.figure').nth(2).innerText()).toMatch(/\s1\b/)
      const lines = (await overview.page.locator('.figure').nth(2).innerText()).split('\n')
      expect(
        lines
          .slice(1)
          .map((line) => line.replace(/\s+/g, ' ').trim())
          .filter(Boolean),
      ).toEqual(figures)
      await overview.page.context().close()
      const profile = await stage.browsing.open(`${stage.servers.hard.url}/profiles/${DEVICE}`, { locale })
      const evidence = profile.page.locator('.evidence').filter({ hasText: '18' }).first()
      await evidence.waitFor()
      expect(`${await evidence.innerText()} `).toContain(day)
      expect(await evidence.innerText()).not.toContain('..')
      await profile.page.context().close()
    }
  })

  test('the dates of the lanes stand apart, also in French', async () => {
    const { page } = await stage.browsing.open(`${stage.servers.full.url}/profiles/${DEVICE}`, {
      locale: 'fr-FR',
      width: 1280,
    })
    await page.locator('.lane .date').first().waitFor()
    const boxes = await Promise.all((await page.locator('.lane .date').all()).map((one) => one.boundingBox()))
    const touching = boxes.filter((one, at) =>
      boxes.some(
        (other, otherAt) =>
          at < otherAt &&
          one !== null &&
          other !== null &&
          one.x < other.x + other.width &&
          other.x < one.x + one.width &&
          one.y < other.y + other.height &&
          other.y < one.y + one.height,
      ),
    )
    expect(touching).toEqual([])
    await page.context().close()
  })

  test('a replay under way says how far it is and what it waits for, and is stopped; a stop that fails is said [API-165~]', async () => {
    const { page } = await stage.browsing.open(`${stage.servers.hard.url}/messages`)
    await page.getByRole('button', { name: '1 replay under way' }).press('Enter')
    await page.getByRole('button', { name: '1,234 of 1,234,567, under way' }).press('Enter')
    await showsText(page, '1,234 of 1,234,567 messages done.')
    await showsText(page, 'It waits, because a destination is stopped: the partner answered 410, gone.')
    await page.getByRole('button', { name: 'Stop' }).press('Enter')
    await page.getByRole('alert').getByText('Recorded: not_found.').waitFor()
    expect(stage.servers.hard.changes.at(-1)).toEqual({
      path: '/v1/deliveries/replays/rp_1/cancel',
      csrf: '1',
      body: {},
    })
    await page.context().close()
  })

  test('a paused destination needs attention with the reason why it was paused [SEC-47]', async () => {
    const { page } = await stage.browsing.open(stage.servers.hard.url)
    await showsText(page, '1 user waits; no message is built yet. Nothing is lost. It was paused by hand.')
    await showsText(page, 'Nobody waits. The partner answered 410, gone.')
    await page.context().close()
  })
})
