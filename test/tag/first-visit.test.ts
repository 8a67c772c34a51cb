import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath, until } from '../clients/browser.mjs'
import { canRun, loaded, open, openPage, pageOf } from './tag-page.ts'
import { startTagSite, type TagSite } from './tag-site.ts'

/**
 * A first visit is one visitor, whatever comes before the first answer. The edge is real and behind a proxy that holds
 * its answers; what counts is how many device profiles it has made in the end.
 */
let site: TagSite
beforeAll(async () => {
  if (canRun) site = await startTagSite()
})
afterEach(() => site?.answers('through'))
afterAll(() => site?.[Symbol.asyncDispose]())

const threeEvents = `for (var i = 0; i < 3; i++) usher('event', { category: 'shoes', i: i })`
const numbers = () => site.posts.map((post) => /c_i=(\d)/.exec(post)?.[1])
/** Calls of different connections may overtake each other. */
async function allThree() {
  await expect.poll(() => numbers().sort()).toEqual(['0', '1', '2'])
  await expect.poll(() => site.answered()).toBe(3)
}
/** As where a person blocks all cookies: nothing is kept, and nothing says so. */
const noCookies = `Object.defineProperty(document, 'cookie', { get: function () { return '' }, set: function () {} })`

describe.skipIf(!canRun)(`a first visit in ${chromiumPath()}`, () => {
  test.each([
    ['', ''],
    [', with cookies blocked', noCookies],
  ])('of three events and a leaving page before the first answer is one visitor%s', async (_, before) => {
    const known = await site.visitors()
    site.answers('wait')
    await using visit = await open(site, { before, after: threeEvents })
    await expect.poll(numbers).toEqual(['0'])
    await visit.page.evaluate(`location.href = 'about:blank'`)
    await allThree()
    site.answers('through')
    expect(await site.visitors()).toBe(known + 1)
    expect(site.posts.filter((post) => /d_(uuid|first)=\d/.test(post))).toHaveLength(3)
  })

  test('on a page of another site than the edge, where its cookie is not sent, is one visitor', async () => {
    const known = await site.visitors()
    site.answers('wait')
    const other = site.siteUrl.replace('127.0.0.1', 'localhost')
    await using visit = await open(site, { before: noCookies, after: threeEvents }, other)
    await expect.poll(numbers).toEqual(['0'])
    await visit.page.evaluate(`location.href = 'about:blank'`)
    await allThree()
    site.answers('through')
    expect(await site.visitors()).toBe(known + 1)
    expect(await visit.edgeCookie()).toBeUndefined()
  })

  test('in a frame of another site, and in a sandboxed one, is one visitor', async () => {
    for (const sandbox of ['', 'sandbox="allow-scripts"']) {
      const known = await site.visitors()
      const other = site.siteUrl.replace('127.0.0.1', 'localhost')
      site.setPage(
        `<!doctype html><iframe ${sandbox} src="${other}/frame"></iframe>`,
        pageOf(site, { after: threeEvents }),
      )
      await using visit = await openPage()
      await visit.page.goto(site.siteUrl)
      await allThree()
      expect(await site.visitors()).toBe(known + 1)
    }
  })

  test('whose answers are all lost is one visitor, also on the next page [SEC-11~]', async () => {
    const known = await site.visitors()
    site.answers('lost')
    await using visit = await open(site, { after: threeEvents })
    await allThree()
    await visit.page.reload()
    await expect.poll(() => site.answered()).toBe(6)
    site.answers('through')
    expect(await site.visitors()).toBe(known + 1)

    await visit.page.reload()
    await until(() => site.posts.length === 9, 'the third page')
    const knownId = async () => /^\d{38}$/.exec((await visit.ownCookie())?.value ?? '')?.[0]
    const uuid = await until(knownId, 'an answer')
    await expect.poll(() => site.countOf(uuid)).toBe(9)
    expect(await site.visitors()).toBe(known + 1)
  })

  test('in several tabs at once is one visitor', async () => {
    const known = await site.visitors()
    site.answers('wait')
    await using visit = await open(site, { after: threeEvents })
    await expect.poll(numbers).toEqual(['0'])
    const tabs = await Promise.all([0, 1].map(() => visit.page.context().newPage()))
    for (const tab of tabs) await tab.goto(site.siteUrl)
    // A tab in the background sends what waits as on leaving; the others leave now. Six connections is all a browser opens.
    for (const tab of [visit.page, ...tabs]) await tab.evaluate(`location.href = 'about:blank'`)
    await expect.poll(() => site.posts.length).toBeGreaterThanOrEqual(6)
    site.answers('through')
    await expect.poll(() => site.answered()).toBe(9)
    expect(await site.visitors()).toBe(known + 1)
  })

  test('of a browser that the edge knows from another site stays the visitor it was [COL-259]', async () => {
    await using visit = await open(site, { after: threeEvents })
    const { uuid } = JSON.parse((await visit.nthCall(3)).text) as { uuid: string }
    const known = await site.visitors()
    // Another page with a cookie of its own, where nothing was kept yet: the cookie of the edge is all there is.
    await visit.page.context().clearCookies({ name: 'usher_id' })
    site.answers('wait')
    await visit.page.reload()
    await expect.poll(() => site.posts.length).toBe(4)
    await visit.page.evaluate(`location.href = 'about:blank'`)
    await expect.poll(() => site.posts.length).toBe(6)
    site.answers('through')
    await expect.poll(() => site.countOf(uuid)).toBe(6)
    expect(await site.visitors()).toBe(known)
    expect((await visit.edgeCookie())?.value).toBe(uuid)
  })

  test('that ends in an opt-out or a refusal before the first answer leaves no ID in the browser [SEC-79] [SEC-74]', async () => {
    for (const word of [`usher('optout')`, `usher('consent', false)`]) {
      site.answers('wait')
      await using visit = await open(site, { after: threeEvents })
      await expect.poll(numbers).toEqual(['0'])
      await visit.page.waitForFunction(loaded)
      await visit.page.evaluate(word)
      site.answers('through')
      const mark = word.includes('optout') ? ['optout', 'NOTARGET'] : [undefined, undefined]
      await expect.poll(async () => [(await visit.ownCookie())?.value, (await visit.edgeCookie())?.value]).toEqual(mark)
      expect(numbers().filter((number) => number !== undefined)).toEqual(['0'])
    }
  })
})
