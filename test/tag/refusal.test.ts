import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { consentString } from '../../src/collect/test-consent.conformance.ts'
import { chromiumPath, until } from '../clients/browser.mjs'
import { canRun, loaded, open, quiet } from './tag-page.ts'
import { startTagSite, type TagSite } from './tag-site.ts'

/** What is left of a visitor who says no after all: in the browser, at the edge, and with partners. */
let site: TagSite
beforeAll(async () => {
  if (canRun) site = await startTagSite()
})
afterAll(() => site?.[Symbol.asyncDispose]())

const shoes = `usher('event', { category: 'shoes' })`

describe.skipIf(!canRun)(`a refusal in ${chromiumPath()}`, () => {
  /** A visitor whom both cookies know. */
  async function openKnown(before = '') {
    const visit = await open(site, { before, after: shoes })
    const { uuid } = JSON.parse((await visit.nthCall(1)).text) as { uuid: string }
    await until(async () => (await visit.ownCookie())?.value === uuid, 'the cookie')
    expect(await visit.edgeCookie()).toMatchObject({ value: uuid, httpOnly: true })
    return { visit, uuid }
  }
  const cookiesOf = async (visit: Awaited<ReturnType<typeof open>>) => [
    (await visit.ownCookie())?.value,
    (await visit.edgeCookie())?.value,
  ]

  test('a decline after all reaches Usher, and both cookies go; a later yes is a new visitor [SEC-74] [SEC-18]', async () => {
    const { visit, uuid } = await openKnown()
    await using _ = visit
    expect(await site.consentOf(uuid)).toBe('none_applies')
    await visit.page.evaluate(`usher('consent', false); ${shoes}`)
    await expect.poll(() => site.consentOf(uuid)).toBe('page_withdrawn')
    await expect.poll(() => cookiesOf(visit)).toEqual([undefined, undefined])
    expect(await site.countOf(uuid)).toBe(1)

    await visit.page.evaluate(`usher('consent', true); ${shoes}`)
    const newId = await until(async () => /^\d{38}$/.exec((await visit.ownCookie())?.value ?? '')?.[0], 'an ID')
    expect(newId).not.toBe(uuid)
    await expect.poll(() => site.countOf(newId)).toBeGreaterThan(0)
    expect(await site.consentOf(uuid)).toBe('page_withdrawn')
  })

  test('a decline that comes with the end of the page reaches Usher all the same [SEC-74]', async () => {
    const { visit, uuid } = await openKnown()
    await using _ = visit
    await visit.page.evaluate(`usher('consent', false); location.href = 'about:blank'`)
    await expect.poll(() => site.consentOf(uuid)).toBe('page_withdrawn')
    await expect.poll(() => cookiesOf(visit)).toEqual([undefined, undefined])
  })

  test('a choice that the consent platform takes back is told as well, and not as an opt-out [SEC-74] [SEC-75~]', async () => {
    const granted = { gdprApplies: true, eventStatus: 'tcloaded', tcString: consentString({}) }
    const before = `
      var listener, state = ${JSON.stringify({ ...granted, purpose: { consents: { 1: true, 10: true } } })}
      window.__tcfapi = function (command, version, callback) { listener = callback; callback(state, true) }`
    const { visit, uuid } = await openKnown(before)
    await using _ = visit
    await visit.page.evaluate(`state.purpose = { consents: {} }; listener(state, true)`)
    await expect.poll(() => site.consentOf(uuid)).toBe('page_withdrawn')
    await expect.poll(() => cookiesOf(visit)).toEqual([undefined, undefined])
    // It is no opt-out: who consents under that ID is heard again.
    const again = await fetch(`${site.edgeUrl}/event?d_uuid=${uuid}&d_consent=1&d_rtbd=json`)
    expect(await again.text()).not.toContain('171')
    await expect.poll(() => site.consentOf(uuid)).toBe('page_consent')
  })

  test('who never said yes, or is not known, is not told to anybody [SEC-73~]', async () => {
    for (const attributes of ['', 'data-consent="required"']) {
      await using visit = await open(site, { attributes, before: '', after: `usher('consent', false); ${shoes}` })
      await visit.page.waitForFunction(loaded)
      await quiet()
      expect([site.posts, await visit.cookies()]).toEqual([[], []])
    }
  })

  test('an opt-out leaves marks that name nobody: of the site, and of the edge [COL-226~] [SEC-79]', async () => {
    const { visit, uuid } = await openKnown()
    await using _ = visit
    await visit.page.evaluate(`usher('optout'); ${shoes}`)
    await expect.poll(() => cookiesOf(visit)).toEqual(['optout', 'NOTARGET'])
    const answer = async () => (await fetch(`${site.edgeUrl}/event?d_uuid=${uuid}&d_rtbd=json`)).text()
    expect(await answer()).toContain('171')
    const days = ((await visit.edgeCookie())?.expires ?? 0) / 86_400 - Date.now() / 86_400_000
    // Ten years, of which this browser keeps 400 days.
    expect(days).toBeGreaterThan(399)
    expect(site.posts.filter((post) => post.includes('c_category'))).toHaveLength(1)
  })

  test('an opt-out reaches Usher where the page allows connections to the edge and nothing else [SEC-79]', async () => {
    const policy = `connect-src ${site.edgeUrl}; img-src 'none'`
    const before = `
      var meta = document.createElement('meta')
      meta.httpEquiv = 'Content-Security-Policy'
      meta.content = ${JSON.stringify(policy)}
      document.head.appendChild(meta)`
    const { visit, uuid } = await openKnown(before)
    await using _ = visit
    await visit.page.evaluate(`usher('optout')`)
    const answer = async () => (await fetch(`${site.edgeUrl}/event?d_uuid=${uuid}&d_rtbd=json`)).text()
    await expect.poll(answer).toContain('171')
  })
})
