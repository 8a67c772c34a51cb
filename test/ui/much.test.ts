import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { DEVICE, RETRIED } from './recorded-answers.ts'
import { describeOnStage, showsText } from './stage.ts'

/** 60 partners, 520 segments, a person who is in 500 of them, names of one long word: what a page does with so much. */
/** 720 is a window of 1440 enlarged to 200 %. */
const WIDTHS = [1440, 1280, 1024, 768, 720, 400] as const

describeOnStage('with much data', (stage) => {
  const press = (page: Page, button: string | RegExp) =>
    page.getByRole('button', { name: button }).first().press('Enter')
  const nothing = async () => {}
  /** Each with how high it may be at 1440 and at 400 pixels. */
  const PAGES: readonly [string, string, number, number, (page: Page) => Promise<void>][] = [
    ['the overview', '/', 1_900, 4_800, nothing],
    ['the flow as a table', '/', 2_400, 4_800, (page) => press(page, 'See as table')],
    ['the messages', '/messages', 1_000, 2_000, nothing],
    ['a message that tells a person of 500 segments', `/messages/${RETRIED}`, 2_400, 4_000, nothing],
    ['a person in 500 segments', `/profiles/${DEVICE}`, 2_800, 5_200, nothing],
  ]

  test.each(PAGES)('%s is nowhere wider than the window, and bounded in height', async (_, path, high, narrow, act) => {
    const { page, complaints } = await stage.browsing.open(stage.servers.big.url + path)
    await page.getByRole('heading', { level: 1 }).waitFor()
    await page.waitForLoadState('networkidle')
    await act(page)
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 1_000 })
      await page.waitForTimeout(80)
      const wide = await page.evaluate(
        `[...document.querySelectorAll('html, .card, .card li, .card i')].filter((one) => one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0 || one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.className + ' ' + one.innerText?.slice(0, 60))`,
      )
      expect(wide, `at ${width}`).toEqual([])
      const height = await page.evaluate('document.documentElement.scrollHeight')
      if (width === 1440) expect(height).toBeLessThanOrEqual(high)
      if (width === 400) expect(height).toBeLessThanOrEqual(narrow)
    }
    expect(complaints).toEqual([])
    await page.context().close()
  })

  test('the list of messages stays in the window with its foot, also with the times open', async () => {
    const { page } = await stage.browsing.open(`${stage.servers.big.url}/messages`)
    await page.locator('.delivery').first().waitFor()
    for (const isOpen of [false, true]) {
      if (isOpen) await page.getByText('Time', { exact: true }).click()
      for (const [width, height] of [
        [1440, 900],
        [1280, 900],
        [1024, 768],
      ] as const) {
        await page.setViewportSize({ width, height })
        const foot = await page.getByText('Up and down choose').boundingBox()
        expect((foot?.y ?? height) + (foot?.height ?? 0), `at ${width}`).toBeLessThanOrEqual(height)
        expect(await page.evaluate('document.documentElement.scrollHeight'), `at ${width}`).toBe(height)
      }
    }
    await page.context().close()
  })

  test('request and signature of a message end together, and no card has an empty half', async () => {
    const { page } = await stage.browsing.open(`${stage.servers.full.url}/messages/${RETRIED}`)
    const bottom = async (heading: string) => {
      const box = await page
        .locator('.card')
        .filter({ has: page.getByRole('heading', { name: heading }) })
        .boundingBox()
      return Math.round((box?.y ?? 0) + (box?.height ?? 0))
    }
    await page.getByRole('heading', { name: 'Signature' }).waitFor()
    expect(Math.abs((await bottom('Request')) - (await bottom('Signature')))).toBeLessThanOrEqual(1)
    const empty = await page.evaluate(
      `(() => { const card = [...document.querySelectorAll('.card')].find((one) => one.innerText.startsWith('Signature')); return card.getBoundingClientRect().bottom - card.querySelector('.facts').getBoundingClientRect().bottom })()`,
    )
    expect(empty).toBeLessThan(120)
    await page.context().close()
  })

  test('the flow says that there are more names than it has, draws what it knows of them, and opens its others', async () => {
    const { page } = await stage.browsing.open(stage.servers.big.url)
    await page.locator('.flow-head').nth(3).waitFor()
    expect(await page.locator('.flow-head').allInnerTexts()).toEqual([
      'Sources 1, events with a trait',
      'Traits more than 50, times realized',
      'Segments more than 50, entries',
      'Destinations 60, messages',
    ])
    await showsText(page, 'Only the largest paths are shown.')
    const others = page.getByRole('list', { name: 'Traits' }).getByRole('button', { name: 'More than 44 other traits' })
    await others.press('Enter')
    const list = page.getByRole('region', { name: 'Traits' })
    await list.getByText('Viewed category 20', { exact: true }).waitFor()
    await list.getByText('The rest, 5,170 times realized, is counted without names here.').waitFor()
    // A path leads on from the others to the segments.
    expect(await page.locator('.flow-drawing .link.sent:not(.faded)').count()).toBeGreaterThan(1)
    for (const node of await page.locator('.node-label').all()) {
      const label = await node.boundingBox()
      const middles = (await page.evaluate(
        `[...document.querySelectorAll('.flow-drawing rect')].map((one) => one.getBoundingClientRect()).map(({ top, height }) => top + height / 2)`,
      )) as number[]
      const middle = (label?.y ?? 0) + (label?.height ?? 0) / 2
      expect(Math.min(...middles.map((one) => Math.abs(one - middle)))).toBeLessThan(4)
    }
    await page.context().close()
  })

  test('of 60 destinations the ledger shows eight and has a way to all, with the legend above them', async () => {
    const { page } = await stage.browsing.open(stage.servers.big.url)
    const rows = page.locator('.ledger-row')
    await expect.poll(() => rows.count()).toBe(8)
    await press(page, '52 more destinations')
    await expect.poll(() => rows.count()).toBe(60)
    const legend = await page.locator('.card-body > .legend').boundingBox()
    expect(legend?.y).toBeLessThan((await rows.first().boundingBox())?.y ?? 0)
    await press(page, 'Show fewer')
    await expect.poll(() => rows.count()).toBe(8)
    await page.context().close()
  })

  test('a lane is as high as its name, and ends below it', async () => {
    const { page } = await stage.browsing.open(`${stage.servers.big.url}/profiles/${DEVICE}`)
    await page.locator('li.lane').first().waitFor()
    const overlaps = await page.evaluate(
      `[...document.querySelectorAll('li.lane')].filter((lane) => lane.querySelector('.label').getBoundingClientRect().bottom > lane.getBoundingClientRect().bottom || Math.abs(lane.querySelector('.track').getBoundingClientRect().height - lane.clientHeight) > 1).length`,
    )
    expect(overlaps).toBe(0)
    await page.context().close()
  })

  test('a name is picked by a part of it: what is typed replaces the chosen one, and the list is bounded', async () => {
    const { page } = await stage.browsing.open(`${stage.servers.big.url}/profiles/${DEVICE}`)
    const picker = page.getByRole('combobox', { name: 'Another segment' })
    // A new page takes the focus once, when it is there.
    await page.waitForLoadState('networkidle')
    await picker.focus()
    // Opens the list, or goes on in it where the focus has opened it already.
    await page.keyboard.press('ArrowDown')
    const options = page.getByRole('option')
    await options.nth(50).waitFor()
    expect(await options.count()).toBe(51)
    expect(await options.nth(50).innerText()).toMatch(/^\d+ more\. Write a part of the name\.$/)
    await page.keyboard.type('Segment 519')
    await expect.poll(() => options.allInnerTexts()).toEqual(['Segment 519'])
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.url()).toContain('segmentId=300519')
    const cut = `[...document.querySelectorAll('[role="option"], [role="option"] > span')].filter((one) => one.scrollWidth > one.clientWidth && one.clientWidth > 0 || one.getBoundingClientRect().right > one.closest('[role="listbox"]').parentElement.getBoundingClientRect().right).length`
    for (const [typed, whole] of [
      ['likely to buy', 'within the next ninety days, number 5'],
      ['retargeting', 'Programmatic_Second_Try_Final 3'],
    ] as const) {
      await picker.selectText()
      await page.keyboard.type(typed)
      await expect.poll(() => options.first().innerText()).toContain(whole)
      expect(await page.evaluate(cut), typed).toBe(0)
    }
    await page.context().close()
  })
})
