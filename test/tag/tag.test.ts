import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { consentString } from '../../src/collect/test-consent.conformance.ts'
import { chromiumPath, until } from '../clients/browser.mjs'
import { canRun, doc, loaded, open, openPage, pageOf, quiet } from './tag-page.ts'
import { startTagSite, type TagSite } from './tag-site.ts'

/** The page tag in Chromium against the real edge: what docs/tag.md promises. */
const EXAMPLES = [...doc.matchAll(/```js\n([\s\S]*?)```\n\n(?:sends\n\n)?```text\n([\s\S]*?)```/g)].map(
  ([, code = '', sends = '']) => [code, sends] as const,
)
/** What every call carries. */
const ALWAYS = /^(d_rtbd|d_jsonv|d_uuid|d_first|h_referer)=/

let site: TagSite
beforeAll(async () => {
  if (canRun) site = await startTagSite()
})
afterAll(() => site?.[Symbol.asyncDispose]())

describe.skipIf(!canRun)(`the page tag in ${chromiumPath()}`, () => {
  test('a call made before the tag has loaded reaches the edge; the ID is kept and comes back [COL-93]', async () => {
    await using visit = await open(site, { after: `usher('event', { category: 'shoes' })` })
    const first = await visit.nthCall(1)
    const { uuid } = JSON.parse(first.text) as { uuid: string }
    expect(first.post).not.toContain('d_uuid')
    await expect.poll(async () => (await visit.ownCookie())?.value).toBe(uuid)
    const cookie = await until(visit.ownCookie, 'the cookie')
    expect(cookie).toMatchObject({ sameSite: 'Lax', path: '/', domain: '127.0.0.1' })
    const days = (cookie.expires - Date.now() / 1000) / 86_400
    expect(days).toBeGreaterThan(119)
    expect(days).toBeLessThan(121)

    await visit.page.reload()
    expect((await visit.nthCall(2)).post).toContain(`d_uuid=${uuid}`)
    await expect.poll(() => site.countOf(uuid)).toBe(2)
    expect(visit.errors).toEqual([])
  })

  test('the second call waits for the ID of the first, so a new visitor is one visitor', async () => {
    await using visit = await open(site, {
      after: `for (var i = 0; i < 3; i++) usher('event', { category: 'shoes', i: i })`,
    })
    const last = await visit.nthCall(3)
    const uuids = visit.calls().map(({ text }) => (JSON.parse(text) as { uuid: string }).uuid)
    expect(new Set(uuids).size).toBe(1)
    expect(last.post).toContain(`d_uuid=${uuids[0]}`)
    expect(decodeURIComponent(last.post)).toContain(`h_referer=${site.siteUrl}/shoes`)
    expect(decodeURIComponent(last.post)).not.toContain('ada@example.com')
  })

  test('there are examples to check', () => expect(EXAMPLES.length).toBeGreaterThanOrEqual(6))

  test.each(EXAMPLES)('docs/tag.md: %s', async (code, sends) => {
    await using visit = await open(site, {})
    await visit.page.waitForFunction(loaded)
    await visit.page.evaluate(code)
    if (sends.trim() === 'nothing') {
      await quiet()
      expect(visit.calls()).toEqual([])
      return
    }
    const { post, text } = await visit.nthCall(1)
    const sent = post.split('&').filter((pair: string) => !ALWAYS.test(pair))
    expect(sent).toEqual(sends.trim().split('\n'))
    if (code.includes("'on'")) expect(await visit.page.title()).toBe('answered 38')
    const codes = ((JSON.parse(text) as { errors?: { code: number }[] }).errors ?? []).map(({ code }) => code)
    expect(codes).toEqual([])
  })

  test('ID syncs of the answer are loaded once, without a referrer; not again before they are due [COL-171] [CLI-5]', async () => {
    await using visit = await open(site, { after: `usher('event', {})` })
    const { uuid } = JSON.parse((await visit.nthCall(1)).text) as { uuid: string }
    const syncs = () => site.asked.filter((path) => path.startsWith('/sync'))
    await expect.poll(syncs).toEqual([`/sync?did=${uuid}`])
    await visit.page.reload()
    await visit.nthCall(2)
    await quiet()
    expect(syncs()).toHaveLength(1)
    const sync = visit.exchanges.find(({ url }) => url.pathname === '/sync')
    expect(sync?.sent['referer']).toBeUndefined()
  })

  test('an ID sync that had not arrived when the visitor left is loaded on the next page [COL-171]', async () => {
    site.setPage(pageOf(site, { after: `usher('event', {})` }))
    await using visit = await openPage()
    const stalled: unknown[] = []
    await visit.page.route('**/sync?*', (route: unknown) => void stalled.push(route))
    await visit.page.goto(site.siteUrl)
    await until(() => stalled.length === 1, 'the first sync')
    await visit.page.unrouteAll({ behavior: 'ignoreErrors' })
    await visit.page.reload()
    await expect.poll(() => site.asked.filter((path) => path.startsWith('/sync'))).toHaveLength(1)
  })

  test('with Global Privacy Control no ID sync is loaded [SEC-78]', async () => {
    const before = `Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })`
    await using visit = await open(site, { before, after: `usher('event', {})` })
    expect((await visit.nthCall(1)).text).toContain('"ibs"')
    await quiet()
    expect(site.asked.filter((path) => path.startsWith('/sync'))).toEqual([])
  })

  test('without consent nothing is stored or sent, and a withdrawal removes what was stored [SEC-73~]', async () => {
    await using visit = await open(site, { attributes: 'data-consent="required"', after: `usher('event', { n: 1 })` })
    await visit.page.waitForFunction(loaded)
    await quiet()
    expect([visit.calls(), await visit.cookies()]).toEqual([[], []])

    await visit.page.evaluate(`usher('consent', true)`)
    expect((await visit.nthCall(1)).post).toContain('c_n=1')
    await until(visit.ownCookie, 'the cookie')

    await visit.page.evaluate(`usher('consent', false); usher('event', { n: 2 })`)
    await quiet()
    expect(visit.calls()).toHaveLength(1)
    expect(await visit.ownCookie()).toBeUndefined()
    expect(await visit.page.evaluate('localStorage.length')).toBe(0)
  })

  const cmp = (state: object) => `
    var listener, state = ${JSON.stringify(state)}
    window.__tcfapi = function (command, version, callback) { listener = callback; callback(state, true) }
    usherTest = { set: function (next) { Object.assign(state, next); listener(state, true) } }`
  const purposes = (on: boolean) => ({ consents: { 1: on, 10: on } })

  test('a consent platform is asked: nothing before the choice, the string after it, nothing after a refusal [SEC-75~] [COL-240]', async () => {
    const tcString = consentString({})
    await using visit = await open(site, {
      before: cmp({ gdprApplies: true, eventStatus: 'cmpuishown', tcString, purpose: purposes(false) }),
      after: `usher('event', { n: 1 })`,
    })
    await visit.page.waitForFunction(loaded)
    await quiet()
    expect(visit.calls()).toEqual([])

    await visit.page.evaluate(
      `usherTest.set(${JSON.stringify({ eventStatus: 'useractioncomplete', purpose: purposes(true) })})`,
    )
    const { post, text } = await visit.nthCall(1)
    expect(post).toContain(`gdpr=1&gdpr_consent=${tcString}`)
    expect(JSON.parse(text)).toHaveProperty('uuid')
    await until(visit.ownCookie, 'the cookie')

    await visit.page.evaluate(
      `usherTest.set(${JSON.stringify({ purpose: purposes(false) })}); usher('event', { n: 2 })`,
    )
    await quiet()
    expect(visit.calls()).toHaveLength(1)
    expect(await visit.ownCookie()).toBeUndefined()
  })

  test('a string the edge does not accept leaves no cookie behind [SEC-76~]', async () => {
    await using visit = await open(site, {
      before: `document.cookie = 'usher_id=12345678901234567890123456789012345679';${cmp({
        gdprApplies: true,
        eventStatus: 'tcloaded',
        tcString: 'not-a-string',
        purpose: purposes(true),
      })}`,
      after: `usher('event', {})`,
    })
    expect((await visit.nthCall(1)).text).toContain('315')
    await expect.poll(visit.ownCookie).toBeUndefined()
  })

  test('what still waits when the visitor leaves arrives all the same', async () => {
    await using visit = await open(site, { after: `usher('event', { category: 'shoes' })` })
    const { uuid } = JSON.parse((await visit.nthCall(1)).text) as { uuid: string }
    await until(visit.ownCookie, 'the cookie')
    await visit.page.evaluate(`
      for (var i = 0; i < 3; i++) usher('event', { category: 'shoes' })
      location.href = 'about:blank'`)
    await expect.poll(() => site.countOf(uuid)).toBe(4)
  })

  test('an opt-out reaches the edge, and the page is quiet afterwards [SEC-79]', async () => {
    await using visit = await open(site, { after: `usher('event', { category: 'shoes' })` })
    const { uuid } = JSON.parse((await visit.nthCall(1)).text) as { uuid: string }
    await until(visit.ownCookie, 'the cookie')
    await visit.page.evaluate(`usher('optout'); usher('event', {}); usher('consent', true); usher('event', {})`)
    const answer = async () => (await fetch(`${site.edgeUrl}/event?d_uuid=${uuid}&d_rtbd=json`)).text()
    await expect.poll(answer).toContain('171')
    // On the next page, too: the mark that is left names nobody.
    await visit.page.reload()
    await visit.page.waitForFunction(loaded)
    await quiet()
    expect(visit.calls()).toHaveLength(1)
    expect((await visit.ownCookie())?.value).toBe('optout')
  })

  test('an opt-out counts where consent was never given [SEC-79]', async () => {
    const attributes = 'data-consent="required"'
    await using visit = await open(site, { attributes, after: `usher('event', {}); usher('optout')` })
    await until(() => visit.exchanges.some(({ url }) => url.pathname === '/demoptout.jpg'), 'the opt-out')
    expect(visit.calls()).toEqual([])
  })

  test('a consent platform that does not know yet whether the GDPR applies is waited for [SEC-73~]', async () => {
    await using visit = await open(site, {
      before: cmp({ eventStatus: 'tcloaded' }),
      after: `usher('event', { n: 1 })`,
    })
    await visit.page.waitForFunction(loaded)
    await quiet()
    expect([visit.calls(), await visit.cookies()]).toEqual([[], []])
    await visit.page.evaluate(`usherTest.set({ gdprApplies: false })`)
    expect((await visit.nthCall(1)).post).toContain('c_n=1')
  })

  test('in a sandboxed frame, where cookies and storage throw, every event reaches the edge', async () => {
    const frame = pageOf(site, { after: `usher('event', { n: 1 }); usher('event', { n: 2 })` })
    site.setPage(`<!doctype html><title>page</title><link rel="icon" href="data:,"><iframe id="box" sandbox="allow-scripts"></iframe>
      <script>document.getElementById('box').srcdoc = ${JSON.stringify(frame).replaceAll('</', '<\\/')}</script>`)
    await using visit = await openPage()
    await visit.page.goto(site.siteUrl)
    const numbers = () => site.posts.map((post) => /c_n=(\d)/.exec(post)?.[1])
    // The frame has a process of its own, which starts slowly on a busy machine.
    await expect.poll(numbers).toEqual(['1', '2'])
    for (const post of site.posts) expect(post).not.toContain('h_referer')
    expect(visit.errors).toEqual([])
  })

  test('on a page opened from a file the event is sent without the path of the file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'usher-file-'))
    writeFileSync(join(folder, 'page.html'), pageOf(site, { after: `usher('event', { n: 1 })` }))
    await using visit = await openPage()
    const before = site.posts.length
    await visit.page.goto(`file://${folder}/page.html`)
    const post = await until(() => site.posts[before], 'the call')
    expect(decodeURIComponent(post)).not.toContain(folder)
    expect(visit.errors).toEqual([])
    rmSync(folder, { recursive: true })
  })

  test('loaded twice the tag counts once; blocked it leaves the page alone', async () => {
    await using visit = await open(site, { after: `usher('event', { n: 1 })` })
    await visit.nthCall(1)
    await visit.page.addScriptTag({ url: `${site.edgeUrl}/tag.js?again` })
    await visit.page.evaluate(`usher('event', { n: 2 })`)
    await visit.nthCall(2)
    await quiet()
    expect(visit.calls()).toHaveLength(2)

    await using blocked = await openPage()
    await blocked.page.route('**/tag.js', (route: { abort(): Promise<void> }) => route.abort())
    await blocked.page.goto(site.siteUrl)
    await blocked.page.evaluate(`usher('event', { n: 3 })`)
    expect(await blocked.page.evaluate('usher.q.length')).toBe(2)
    expect(blocked.errors).toEqual([])
  })

  test('signals that are no object are not sent letter by letter: the console says what is wanted', async () => {
    await using visit = await open(site, {})
    await visit.page.waitForFunction(loaded)
    const said = visit.page.waitForEvent('console')
    await visit.page.evaluate(`usher('event', 'order', { value: 5 }); usher('event', { last: 1 })`)
    expect((await said).text()).toContain("usher('event', { name: value })")
    expect((await visit.nthCall(1)).post).toContain('c_last=1')
    expect(visit.calls()).toHaveLength(1)
  })

  test.each([
    `usher()`,
    `usher('nope')`,
    `usher('constructor')`,
    `usher('__proto__', {})`,
    `usher('event', null)`,
    `usher('event', { get a() { throw new Error('no') } })`,
    `usher('event', { a: { b: 1 }, c: Symbol('x'), d: function () {}, e: '\\ud800' })`,
    `usher('identify')`,
    `usher('identify', {}, {})`,
    `usher('identify', 1, 'a', 'half')`,
    `usher('on', 7)`,
    `usher('on', function () { throw new Error('listener') }); usher('event', {})`,
    `window.fetch = function () { throw new Error('patched') }; usher('event', {})`,
    `document.cookie = 'usher_id=%E0%A4%A'; usher('event', {})`,
    `localStorage.setItem('usher.syncs', '{'); usher('event', {})`,
  ])('%s never throws into the page, and the next event goes out', async (code) => {
    await using visit = await open(site, {})
    await visit.page.waitForFunction(loaded)
    await visit.page.evaluate(`var real = window.fetch; ${code}`)
    await visit.page.evaluate(`setTimeout(function () { window.fetch = real; usher('event', { last: 1 }) }, 50)`)
    await until(() => visit.calls().some(({ post }) => post.includes('c_last=1')), 'the next event')
    expect(visit.errors).toEqual([])
  })
})
