import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath, until } from '../clients/browser.mjs'
import { canRun, loaded, open, quiet } from './tag-page.ts'
import { startTagSite, type TagSite } from './tag-site.ts'

/** What a page may say of consent, in which words, and who hears of it: Usher, and the other tabs of the visitor. */
let site: TagSite
beforeAll(async () => {
  if (canRun) site = await startTagSite()
})
afterAll(() => site?.[Symbol.asyncDispose]())

const shoes = `usher('event', { category: 'shoes' })`
type Visit = Awaited<ReturnType<typeof open>>
type Page = Visit['page']

const knownId = async (visit: Visit) => /^\d{38}$/.exec((await visit.ownCookie())?.value ?? '')?.[0]

describe.skipIf(!canRun)(`consent in ${chromiumPath()}`, () => {
  test('whatever is not exactly yes is a refusal that reaches Usher, and the console names what is no documented word [SEC-74] [COL-275~]', async () => {
    await using visit = await open(site, { after: shoes })
    const said: string[] = []
    visit.page.on('console', (message: { text(): string }) => said.push(message.text()))
    for (const [words, told] of [
      [`'consent', false`, undefined],
      [`'consent', 0`, undefined],
      [`'consent', '0'`, undefined],
      [`'consent', 'denied'`, '"denied"'],
      [`'consent', 'false'`, '"false"'],
      [`'consent', 'true'`, '"true"'],
      [`'consent', null`, 'null'],
      [`'consent', undefined`, 'undefined'],
      [`'consent'`, 'undefined'],
      [`'consent', 2`, '2'],
      [`'consent', [true]`, '[true]'],
      [`'consent', Symbol('yes')`, 'undefined'],
      [`'event', { category: 'shoes', d_consent: 0 }`, undefined],
      [`'event', { category: 'shoes', d_consent: 'no' }`, '"no"'],
    ] as const) {
      const uuid = await until(() => knownId(visit), `an ID before ${words}`)
      await until(async () => ((await site.countOf(uuid)) ?? 0) > 0, 'the visit')
      const sent = site.posts.filter((post) => post.includes('c_category')).length
      said.length = 0
      await visit.page.evaluate(`usher(${words}); usher(${words}); ${shoes}`)
      await until(async () => (await site.consentOf(uuid)) === 'page_withdrawn', `the withdrawal by ${words}`)
      expect(await visit.ownCookie(), words).toBeUndefined()
      const ofWord = said.filter((line) => line.includes('counts as no'))
      if (told === undefined) expect(ofWord, words).toEqual([])
      else if (told !== 'undefined') expect(ofWord, words).toEqual([expect.stringContaining(`consent ${told} counts`)])
      expect(site.posts.filter((post) => post.includes('c_category')).length, words).toBe(sent)
      await visit.page.evaluate(`usher('consent', true); ${shoes}`)
    }
    expect(visit.errors).toEqual([])
  })

  test('a word said once too often is one line in the console', async () => {
    await using visit = await open(site, {})
    await visit.page.waitForFunction(loaded)
    const said: string[] = []
    visit.page.on('console', (message: { text(): string }) => said.push(message.text()))
    await visit.page.evaluate(`for (var i = 0; i < 3; i++) usher('consent'); usher('on', 7)`)
    await until(() => said.some((line) => line.includes("usher('on'")), 'the line after it')
    expect(said.filter((line) => line.includes('consent undefined counts as no'))).toHaveLength(1)
  })

  test.each([
    ['', `usher('consent', 'denied'); ${shoes}`],
    ['', `usher.q.push(['consent']); ${shoes}`],
    ['', `usher('event', { category: 'shoes', d_consent: undefined })`],
    ['data-consent="Required"', shoes],
    ['data-consent=""', shoes],
    ['data-consent="granted"', shoes],
  ])(
    'a refusal before the tag has loaded, and one misspelt, sends and stores nothing: %s %s [SEC-73~]',
    async (attributes, after) => {
      await using visit = await open(site, { attributes, after })
      await visit.page.waitForFunction(loaded)
      await quiet()
      expect([site.posts, await visit.cookies()]).toEqual([[], []])
    },
  )

  test('true, 1 and "1" are yes, also in an event', async () => {
    await using visit = await open(site, { attributes: 'data-consent="required"' })
    await visit.page.waitForFunction(loaded)
    for (const [at, words] of [
      `'consent', true`,
      `'consent', 1`,
      `'consent', '1'`,
      `'event', { d_consent: 1 }`,
    ].entries()) {
      await visit.page.evaluate(`usher(${words}); usher('event', { at: ${at} })`)
      const post = await until(() => site.posts.find((one) => one.includes(`c_at=${at}`)), words)
      expect(post.match(/d_consent=[^&]*/g)).toEqual(['d_consent=1'])
      await visit.page.evaluate(`usher('consent', false)`)
    }
  })

  /** Without the one or the other way by which tabs hear of each other. */
  const noStorage = `Object.defineProperty(window, 'localStorage', { get: function () { throw new Error('blocked') } })`
  const noCookies = `Object.defineProperty(document, 'cookie', { get: function () { return '' }, set: function () {} })`

  test.each([
    ['', ''],
    [', where storage is blocked', noStorage],
    [', where cookies are blocked', noCookies],
  ])(
    'a withdrawal reaches the other open tabs%s: they send and keep nothing until their page has a yes [SEC-73~] [SEC-74]',
    async (_, before) => {
      await using visit = await open(site, { before, after: `usher('consent', true); usher('event', { tab: 1 })` })
      const other: Page = await visit.page.context().newPage()
      const answers = (page: Page) => page.evaluate(`answers = 0; usher('on', function () { answers++ })`)
      await other.goto(site.siteUrl)
      for (const page of [visit.page, other]) {
        await page.waitForFunction(loaded)
        await answers(page)
        await page.evaluate(`usher('event', { tab: 2 })`)
        await page.waitForFunction(`answers >= 1`)
      }
      await visit.page.evaluate(`usher('consent', false)`)
      await until(() => site.posts.some((post) => !post.includes('c_tab')), 'the withdrawal')
      await quiet()
      const sent = () => site.posts.filter((post) => post.includes('c_tab')).length
      const before2 = sent()
      await other.evaluate(`answers = 0; usher('event', { tab: 3 })`)
      await other.waitForFunction(`answers === 1`)
      await quiet()
      expect(sent()).toBe(before2)
      expect(await visit.ownCookie()).toBeUndefined()

      await other.evaluate(`usher('consent', true); usher('event', { tab: 4 })`)
      await until(() => site.posts.some((post) => post.includes('c_tab=4')), 'the event after the yes')
      expect(visit.errors).toEqual([])
    },
  )

  test('a flag of privacy in an event is one at the edge, not a signal: what it forbids leaves no cookie [COL-275~] [SEC-76~]', async () => {
    await using visit = await open(site, { after: `usher('event', { us_privacy: '1---', gpp: '' })` })
    expect((await visit.nthCall(1)).post).toMatch(/&us_privacy=1---&gpp=/)
    await until(() => knownId(visit), 'an ID')
    await visit.page.evaluate(`usher('event', { gdpr: 1 })`)
    expect((await visit.nthCall(2)).text).toContain('315')
    await expect.poll(visit.ownCookie).toBeUndefined()
  })
})
