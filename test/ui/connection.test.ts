import { expect, test } from 'vitest'
import { DEAD } from './recorded-answers.ts'
import { startRecordedServer } from './recorded-server.ts'
import { describeOnStage, showsText } from './stage.ts'

/** What a page does while it has no server, no session or no clipboard. */
describeOnStage('what a page does without', (stage) => {
  test('signing out in one tab brings the sign-in page in every other, and leaves no data there [SEC-63~]', async () => {
    const server = await startRecordedServer()
    const { page } = await stage.browsing.open(`${server.url}/messages`)
    await page.locator(`#d-${DEAD}`).waitFor()
    await fetch(`${server.url}/v1/session`, { method: 'DELETE' })
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    expect(await page.locator(`#d-${DEAD}`).count()).toBe(0)
    await server.close()
    expect(server.breaches).toEqual([])
  })

  test('what could not be asked while the server was down is asked when it is back, without a click [OPS-45~]', async () => {
    const server = await startRecordedServer()
    const { page } = await stage.browsing.open(server.url)
    await page.getByText('Live', { exact: true }).waitFor()
    server.setUp(false)
    await page.getByRole('link', { name: 'Messages' }).first().click()
    await showsText(page, 'Usher cannot be reached.')
    expect(await page.locator('body').innerText()).not.toContain('unreachable')
    server.setUp(true)
    await page.locator(`#d-${DEAD}`).waitFor()
    await page.getByText('The live connection is lost.').waitFor({ state: 'hidden' })
    await server.close()
    expect(server.breaches).toEqual([])
  })

  test('where the browser does not let the page copy it says so, and shows what was to be copied', async () => {
    const { page, complaints } = await stage.browsing.open(`${stage.servers.full.url}/messages/${DEAD}`)
    await page.getByRole('button', { name: 'Copy as curl' }).waitFor()
    // As on plain HTTP from another machine.
    await page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    await page.getByRole('button', { name: 'Copy as curl' }).press('Enter')
    await showsText(page, 'The browser does not let this page copy. Mark the text and copy it by hand.')
    expect(await page.locator('pre.curl').innerText()).toContain('curl ')
    await page.getByRole('heading', { level: 2 }).first().getByRole('button').press('Enter')
    await expect.poll(() => page.getByRole('alert').count()).toBe(2)
    expect(await page.getByRole('heading', { level: 2 }).first().innerText()).toContain(DEAD)
    for (const width of [1440, 768, 400]) {
      await page.setViewportSize({ width, height: 900 })
      expect(await page.evaluate('document.documentElement.scrollWidth'), `at ${width}`).toBeLessThanOrEqual(width)
    }
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Part of a name' }).fill('Winter')
    const trait = page.getByRole('option').filter({ hasText: 'Trait' }).first()
    await trait.click()
    await showsText(page, 'The browser does not let this page copy. The ID of')
    expect(complaints).toEqual([])
    await page.context().close()
  })
})
