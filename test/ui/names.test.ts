import { expect, test } from 'vitest'
import { brokenWords } from './broken-words.ts'
import { PAGES } from './pages.ts'
import { DEAD, DEVICE, PARTNER_ID, RETRIED } from './recorded-answers.ts'
import { describeOnStage, showsText } from './stage.ts'

/** That things stand under their names, with their units, and can be read in every window. */

describeOnStage('names and room', (stage) => {
  test('an ID of a partner shows the segments of the device it names, and each message that told of it [AUD-355~]', async () => {
    const { page } = await stage.browsing.open(`${stage.servers.full.url}/profiles/${encodeURIComponent(PARTNER_ID)}`)
    await page.getByRole('heading', { name: 'Why in Winter boots intenders?' }).waitFor()
    await showsText(page, 'Nothing is kept under this ID itself. Shown is the device it named last')
    expect(await page.locator('body').innerText()).not.toContain('In no segment')
    await page.getByRole('link', { name: '0795 5261 6528 8603' }).waitFor()
    const rows = page.locator('.story-row')
    const told = await rows.filter({ hasText: 'Message to' }).allInnerTexts()
    const lines = told.map((text) => text.replace(/\s+/g, ' ').trim())
    expect(lines).toContain(
      '13:52:09 Message to Halden DSP about 2 users: dead letter message In Winter boots intenders In Cart abandoners, 3 d',
    )
    expect(lines).toContain(
      '13:51:40 Message to Corvid Social about this user alone: acknowledged message In Winter boots intenders Out of Cart abandoners, 3 d In High-value members',
    )
    expect(lines).toHaveLength(4)
    await rows.filter({ hasText: 'that day' }).filter({ hasText: 'Realized Viewed winter boots' }).first().waitFor()
    await rows.filter({ hasText: 'dead letter' }).getByRole('link', { name: 'message', exact: true }).click()
    await expect.poll(() => page.url()).toContain(`/messages/${DEAD}?q=${DEVICE}`)
    await page.context().close()
  })

  test('each message of the list names destination, segments and what was said of them [OPS-51]', async () => {
    const { page } = await stage.browsing.open(`${stage.servers.full.url}/messages?segmentId=100101`)
    const row = page.locator(`#d-${DEAD}`)
    await row.waitFor()
    expect((await row.innerText()).replace(/\s+/g, ' ')).toBe(
      'Dead letter Halden DSP Answered 400 In Winter boots intenders In Cart abandoners, 3 d and 10 others 13:52:09.447, 2 users',
    )
    await showsText(page, 'Only of segment Winter boots intenders.')
    await page.context().close()
  })

  test('a user of a message was told of segments by their names, codes beside them [OPS-51]', async () => {
    const { page } = await stage.browsing.open(`${stage.servers.full.url}/messages/${RETRIED}`)
    const told = page.locator('.users tr').nth(1).locator('.told-line')
    await told.first().waitFor()
    expect((await told.allInnerTexts()).map((text) => text.replace(/\s+/g, ' '))).toEqual([
      'In Winter boots intenders WB-INT Why',
      'Out Cart abandoners, 3 d CARE-GD Why',
    ])
    await page.context().close()
  })

  test('every column of the flow names its unit, and so does each line of its table', async () => {
    const { page } = await stage.browsing.open(stage.servers.full.url)
    await page.locator('.flow-head').nth(3).waitFor()
    expect(await page.locator('.flow-head').allInnerTexts()).toEqual([
      'Sources 4, events with a trait',
      'Traits 8, times realized',
      'Segments 4, entries',
      'Destinations 3, messages',
    ])
    await page.getByRole('button', { name: 'See as table' }).click()
    await page.getByRole('cell', { name: '912,252 times' }).waitFor()
    await page.getByRole('button', { name: /more paths$/ }).press('Enter')
    await page.getByRole('cell', { name: '110,000 times told' }).waitFor()
    await page.context().close()
  })

  test('a narrow window shows the list or the message, with a way back', async () => {
    const { page } = await stage.browsing.open(`${stage.servers.full.url}/messages`, { width: 400 })
    await page.locator(`#d-${DEAD}`).click()
    await showsText(page, 'Given up: the partner answered 400.')
    expect(await page.locator(`#d-${DEAD}`).isVisible()).toBe(false)
    await page.getByRole('link', { name: 'All messages' }).click()
    await page.locator(`#d-${DEAD}`).waitFor()
    await page.context().close()
  })

  test('whom no partner may be told of says so, and why [SEC-74]', async () => {
    const { page } = await stage.browsing.open(`${stage.servers.hard.url}/profiles/${DEVICE}`)
    await showsText(page, 'Nothing to any partner')
    await showsText(page, 'Consent was withdrawn on the page.')
    await page.context().close()
  })

  const stillPages = PAGES.filter(({ act }) => act === undefined)
  test.each(stillPages)(
    'in French, which is longer, $name fits into every window, and no word is broken',
    async ({ path, server, shows }) => {
      for (const locale of ['fr-FR', 'en-GB']) {
        const { page } = await stage.browsing.open(stage.servers[server ?? 'full'].url + path, { locale })
        await page.getByRole('heading', { level: 1 }).first().waitFor()
        if (locale === 'en-GB') await showsText(page, shows)
        await page.waitForLoadState('networkidle')
        // 720 is a window of 1440 enlarged to 200 %.
        for (const width of [1440, 1280, 1024, 768, 720, 400]) {
          await page.setViewportSize({ width, height: 900 })
          await page.waitForTimeout(60)
          const wide = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth')
          expect(wide, `at ${width} in ${locale}`).toBeLessThanOrEqual(0)
          expect(await brokenWords(page), `at ${width} in ${locale}`).toEqual([])
        }
        await page.context().close()
      }
    },
  )

  test('a broken word is found', async () => {
    const { page } = await stage.browsing.open(stage.servers.full.url)
    await page.getByRole('heading', { level: 1 }).waitFor()
    expect(await brokenWords(page)).toEqual([])
    await page.evaluate(`document.querySelector('h1').style.cssText = 'width: 30px; overflow-wrap: anywhere'`)
    expect(await brokenWords(page)).toEqual(['Overview in: Overview'])
    await page.context().close()
  })
})
