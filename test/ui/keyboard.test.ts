import { expect, test } from 'vitest'
import { toTheStart, walk } from './keyboard-walk.ts'
import { PAGES } from './pages.ts'
import { DEAD } from './recorded-answers.ts'
import { describeOnStage, showsText } from './stage.ts'

/** Every page by keyboard alone: what can be reached, in how many presses, and whether one sees where one is. */

describeOnStage('the keyboard', (stage) => {
  /** What must be among the stops, and how many there may be. */
  const EXPECTED: Record<string, { readonly reaches: readonly string[]; readonly most: number }> = {
    overview: {
      reaches: ['Skip to the page', 'Winter boots intenders 620 k', 'Open queue', 'Delivery to Halden DSP'],
      most: 50,
    },
    'overview-table': { reaches: ['See as drawing', 'See messages'], most: 30 },
    messages: { reaches: ['Message, device or partner ID', 'State'], most: 16 },
    message: { reaches: ['Copy as curl', 'Replay…', 'Body', 'Why Winter boots intenders?'], most: 34 },
    'message-dead': { reaches: ['Replay…', 'Replay 1 message…'], most: 34 },
    profile: { reaches: ['77052:hd-9f21c07e44', 'Another segment', 'message'], most: 30 },
    'profile-partner': { reaches: ['0795 5261 6528 8603 2950 1437 0250 5894 2721 38', 'Another segment'], most: 30 },
    'no-page': { reaches: ['Skip to the page', 'Overview'], most: 10 },
  }

  test.each(PAGES.map((page) => [page.name, page] as const))(
    'walks %s: every stop is seen and marked, none is a trap',
    async (pageName, { path, server, act, shows }) => {
      const { page } = await stage.browsing.open(stage.servers[server ?? 'full'].url + path)
      await page.getByRole('main').first().waitFor()
      await act?.(page)
      await showsText(page, shows)
      await page.waitForLoadState('networkidle')
      const isDialogue = (await page.getByRole('dialog').count()) > 0
      if (!isDialogue) await toTheStart(page)
      const stops = await walk(page)
      expect(stops.filter(({ isMarked }) => !isMarked).map((stop) => stop.name)).toEqual([])
      expect(stops.filter(({ isSeen }) => !isSeen).map((stop) => stop.name)).toEqual([])
      expect(stops.length).toBeGreaterThan(0)
      // What lies behind a dialogue is out of reach while it is open.
      if (isDialogue) expect(stops.filter(({ isInDialogue }) => !isInDialogue)).toEqual([])
      const { reaches = [], most = 50 } = EXPECTED[pageName] ?? {}
      expect(stops.map((stop) => stop.name)).toEqual(expect.arrayContaining([...reaches]))
      expect(stops.length).toBeLessThanOrEqual(most)
      await page.context().close()
    },
  )

  test('the list of messages is one stop: arrows, Home and End move in it, Tab leaves it', async () => {
    const { page } = await stage.browsing.open(`${stage.servers.full.url}/messages`)
    await page.getByRole('link', { name: /Dead letter/ }).waitFor()
    const focused = () => page.evaluate('document.activeElement?.id ?? ""')
    await page.getByRole('combobox', { name: 'State' }).focus()
    await page.keyboard.press('Tab') // Time
    await page.keyboard.press('Tab')
    expect(await focused()).toMatch(/^d-dl_01KAH7Q2/)
    await page.keyboard.press('Tab')
    expect(await focused()).not.toMatch(/^d-dl/)
    await page.keyboard.press('Shift+Tab')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowDown')
    await expect.poll(focused).toBe(`d-${DEAD}`)
    await page.keyboard.press('End')
    await expect.poll(focused).toBe('d-dl_01KAH6T13C5K8M2N6P0R4S7V9X')
    await page.keyboard.press('ArrowDown')
    await expect.poll(focused).toBe('d-dl_01KAH6T13C5K8M2N6P0R4S7V9X')
    await page.keyboard.press('Home')
    await expect.poll(focused).toMatch(/^d-dl_01KAH7Q2/)
    await expect.poll(() => page.url()).toContain('/messages/dl_01KAH7Q2')
    await page.context().close()
  })

  test('the replay dialogue is entered, used and left by keyboard, and the keyboard never falls out of it', async () => {
    const { page } = await stage.browsing.open(`${stage.servers.full.url}/messages/${DEAD}`)
    await page.getByRole('button', { name: 'Replay…' }).waitFor()
    await page.locator(`#d-${DEAD}`).focus()
    const inDialogue = () => page.evaluate(`document.activeElement?.closest('[role="dialog"]') !== null`)
    await page.keyboard.press('r')
    await expect.poll(inDialogue).toBe(true)
    await page.getByRole('button', { name: 'Replay 1', exact: true }).waitFor()
    for (let press = 0; press < 12; press++) {
      await page.keyboard.press('Tab')
      expect(await inDialogue()).toBe(true)
      if ((await page.evaluate('document.activeElement?.innerText')) === 'Replay 1') break
    }
    await page.keyboard.press('Enter')
    await page.getByText('3 messages: all done.').waitFor()
    await expect.poll(inDialogue).toBe(true)
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    await expect.poll(() => page.evaluate('document.activeElement?.id')).toBe(`d-${DEAD}`)
    await page.context().close()
  })
})
