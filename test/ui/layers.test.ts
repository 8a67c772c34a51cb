import { expect, test } from 'vitest'
import { DEAD, DEVICE } from './recorded-answers.ts'
import { startRecordedServer } from './recorded-server.ts'
import { describeOnStage, showsText } from './stage.ts'

/** Which layer hears a key, where the focus goes, and what an address may ask for. */

describeOnStage('layers and addresses', (stage) => {
  const DIALOGUES = [
    ['r', 'Replay messages'],
    ['?', 'Keyboard'],
    ['Control+k', 'Find'],
  ] as const

  test.each(DIALOGUES)('Escape closes what %s opened over a message, and not the message', async (key, title) => {
    const { page } = await stage.browsing.open(`${stage.servers.full.url}/messages/${DEAD}`)
    await page.getByRole('button', { name: 'Replay…' }).waitFor()
    await page.keyboard.press(key)
    await page.getByRole('dialog', { name: title }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    expect(new URL(page.url()).pathname).toBe(`/messages/${DEAD}`)
    await page.keyboard.press('Escape')
    await expect.poll(() => new URL(page.url()).pathname).toBe('/messages')
    await page.context().close()
  })

  test('no key of the page is heard behind a dialogue or the menu of the user', async () => {
    const { page } = await stage.browsing.open(`${stage.servers.full.url}/messages/${DEAD}`)
    await page.getByRole('button', { name: 'Replay…' }).waitFor()
    for (const open of [
      () => page.keyboard.press('?'),
      () => page.getByRole('button', { name: /account of/ }).press('Enter'),
    ]) {
      await open()
      await page.getByRole('dialog').waitFor()
      for (const key of ['r', '?', 'Control+k', 'ArrowDown']) await page.keyboard.press(key)
      await page.waitForTimeout(100)
      expect(await page.getByRole('dialog').count()).toBe(1)
      expect(new URL(page.url()).pathname).toBe(`/messages/${DEAD}`)
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'hidden' })
    }
    await page.context().close()
  })

  test('the focus goes to the page that a search result opens, and so it does where a link has gone', async () => {
    const { page } = await stage.browsing.open(stage.servers.full.url)
    await page.getByRole('heading', { name: 'Flow' }).waitFor()
    const focused = () => page.evaluate('document.activeElement?.id')
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Part of a name' }).fill('boots')
    await page.getByRole('option').first().waitFor()
    await page.keyboard.press('Enter')
    await expect.poll(() => page.url()).toContain('/messages?segmentId=100101')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    await expect.poll(focused).toBe('page')
    await page.goto(`${stage.servers.full.url}/messages/${DEAD}`)
    await page.getByRole('link', { name: 'Why Winter boots intenders?' }).first().press('Enter')
    await expect.poll(() => page.url()).toContain('/profiles/')
    await expect.poll(focused).toBe('page')
    await page.context().close()
  })

  test('Enter goes from the list into the open message, Escape back to the list', async () => {
    const { page } = await stage.browsing.open(`${stage.servers.full.url}/messages/${DEAD}`)
    await page.getByRole('button', { name: 'Replay…' }).waitFor()
    const focused = () => page.evaluate('document.activeElement?.id')
    await page.locator(`#d-${DEAD}`).press('Enter')
    expect(await focused()).toBe('inspector')
    await page.keyboard.press('Escape')
    expect(await focused()).toBe(`d-${DEAD}`)
    await page.context().close()
  })

  test.each([1440, 1024, 959, 768, 720, 400])('at %d pixels the header says the zone of all times', async (width) => {
    const { page } = await stage.browsing.open(stage.servers.full.url, { width })
    const clock = page.locator('.clock')
    await clock.waitFor()
    const box = await clock.boundingBox()
    expect(await clock.innerText()).toMatch(/14:32:07 UTC/)
    expect(box?.width).toBeGreaterThan(60)
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(width)
    const cut = `(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)(document.querySelector('.search-opener .words'))`
    if (width >= 600) expect(await page.evaluate(cut)).toBe(false)
    await page.context().close()
  })

  test.each([
    ['/messages?status=foo', 'status=foo'],
    ['/messages?from=abc&status=dead', 'from=abc'],
    ['/?window=7d', 'window=7d'],
    ['/profiles?q=1', 'q=1'],
    [`/profiles/${DEVICE}?segmentId=x`, 'segmentId=x'],
  ])('what %s asks for in vain is told', async (path, parts) => {
    const { page } = await stage.browsing.open(stage.servers.full.url + path)
    await page.locator('.unread').waitFor()
    expect(await page.locator('.unread').innerText()).toMatch(new RegExp(`left out: ${parts.replace('?', '')}$`))
    await page.context().close()
  })

  test('an address that is read is not complained of', async () => {
    const { page } = await stage.browsing.open(
      `${stage.servers.full.url}/messages?status=dead&q=123&from=2026-11-20T00:00:00.000Z`,
    )
    await page.getByRole('heading', { level: 1 }).waitFor()
    expect(await page.locator('.unread').count()).toBe(0)
    await page.context().close()
  })

  test('a page that does not exist says so in the title of the window, too', async () => {
    const { page } = await stage.browsing.open(`${stage.servers.full.url}/nowhere`)
    await showsText(page, 'There is no such page')
    await expect.poll(() => page.title()).toBe('There is no such page · Usher')
    await page.context().close()
  })

  test('what can be no ID of a profile is told in the language of the reader, with a field to write another', async () => {
    const { page } = await stage.browsing.open(`${stage.servers.full.url}/profiles/abc`, { locale: 'fr-FR' })
    await showsText(page, 'Ce n’est pas l’identifiant d’un profil')
    await page.getByRole('button', { name: 'Trouver le profil' }).waitFor()
    expect(await page.getByRole('alert').count()).toBe(0)
    await page.context().close()
  })

  test('a filter whose end is before its beginning says that nothing can match', async () => {
    const query = 'status=superseded&from=2026-11-20T15:00:00.000Z&to=2026-11-20T14:00:00.000Z'
    const { page } = await stage.browsing.open(`${stage.servers.full.url}/messages?${query}`)
    await showsText(page, 'From is not before Until, so nothing can match.')
    expect(await page.locator('body').innerText()).not.toContain('Choose a message')
    expect(await page.locator('body').innerText()).not.toContain('Up and down')
    await page.context().close()
  })

  test('the window of the overview is kept on the way to the messages and back', async () => {
    const { page } = await stage.browsing.open(stage.servers.full.url)
    await page.getByText('1 hour').click()
    await expect.poll(() => page.url()).toContain('window=1h')
    await page.getByRole('link', { name: 'Messages' }).first().click()
    await page.getByRole('heading', { name: 'Messages', level: 1 }).waitFor()
    await page.getByRole('link', { name: 'Overview', exact: true }).first().click()
    await showsText(page, 'Last hour.')
    await page.context().close()
  })

  test('what the time line is narrowed to stands in the address, beside the segment that is asked about', async () => {
    const { page } = await stage.browsing.open(
      `${stage.servers.full.url}/profiles/${DEVICE}?segmentId=100101&show=changes`,
    )
    await page.locator('.story-row').first().waitFor()
    expect(await page.locator('.story-row').filter({ hasText: 'Realized' }).count()).toBe(0)
    await page.getByText('Traits', { exact: true }).click()
    await expect.poll(() => new URL(page.url()).search).toBe('?segmentId=100101&show=traits')
    await page.context().close()
  })

  test('twenty results are said to be the first, and an ID to be found only whole', async () => {
    const { page } = await stage.browsing.open(stage.servers.big.url)
    await page.getByRole('heading', { name: 'Flow' }).waitFor()
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Part of a name, or a whole ID' }).fill('segment')
    await showsText(page, 'The first 20 are shown.')
    await page.context().close()
  })

  test('who is signed in stays so with a link that was used [OPS-22]', async () => {
    const server = await startRecordedServer()
    const { page } = await stage.browsing.open(`${server.url}/#setup=used`)
    await page.getByRole('heading', { name: 'Needs attention' }).waitFor()
    expect(page.url()).not.toContain('setup')
    await server.close()
    const stranger = await stage.browsing.open(`${stage.servers['signed-out'].url}/#setup=used`)
    await showsText(stranger.page, 'This link was used already')
    expect(await stranger.page.getByRole('button', { name: 'Try again' }).count()).toBe(0)
    await page.context().close()
  })

  test('an installation without anything says what to set up, with a way to how', async () => {
    const { page } = await stage.browsing.open(stage.servers.empty.url)
    await showsText(page, 'Nothing is set up yet')
    expect(await page.locator('body').innerText()).not.toContain('Nothing waits for you')
    expect(await page.locator('main a[href="/docs"]').count()).toBe(2)
    expect(await page.locator('main a[href="/destinations/new"]').count()).toBe(1)
    await page.goto(`${stage.servers.empty.url}/messages`)
    await showsText(page, 'No message yet')
    expect(await page.locator('body').innerText()).not.toContain('Choose a message')
    await page.context().close()
  })
})
