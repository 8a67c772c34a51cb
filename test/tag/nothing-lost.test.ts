import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath, until } from '../clients/browser.mjs'
import { canRun, loaded, open, quiet } from './tag-page.ts'
import { startTagSite, type TagSite } from './tag-site.ts'

/** Nothing a page says is dropped in silence: it is kept and sent later, or the console and the listeners hear why not. */
let site: TagSite
beforeAll(async () => {
  if (canRun) site = await startTagSite()
})
afterEach(() => site?.answers('through'))
afterAll(() => site?.[Symbol.asyncDispose]())

const numbers = () => site.posts.map((post) => Number(/c_i=(\d+)/.exec(post)?.[1]))
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

/** A page with the tag, what its console says, and what its listeners hear. */
async function openListening(attributes = '') {
  const visit = await open(site, { attributes, before: 'reports = []' })
  const said: string[] = []
  visit.page.on('console', (message: { text(): string }) => said.push(message.text()))
  await visit.page.waitForFunction(loaded)
  await visit.page.evaluate(`usher('on', function (report) { reports.push(report) })`)
  const reports = async () =>
    (await visit.page.evaluate(`reports.map(function (r) { return [r.status, r.reason] })`)) as [string, string?][]
  return { ...visit, said, reports }
}
const run = (count: number, more = '') => `for (var i = 0; i < ${count}; i++) usher('event', { i: i${more} })`

describe.skipIf(!canRun)(`what a page says, in ${chromiumPath()},`, () => {
  test('of 115 events of one moment 100 go at once and the rest a minute later, in order, so that the edge blocks nobody [COL-146~]', async () => {
    await using visit = await openListening()
    await visit.page.clock.install()
    await visit.page.reload()
    await visit.page.waitForFunction(loaded)
    site.answers('wait')
    await visit.page.evaluate(run(115))
    await expect.poll(numbers).toEqual([0])
    site.answers('through')
    await until(() => site.posts.length === 100, 'the last event before the pause')
    await quiet()
    expect(site.posts.length).toBe(100)
    await visit.page.clock.fastForward(61_000)
    await until(() => site.posts.length === 115, 'the last event')
    expect(numbers()).toEqual(upTo(115))
    expect(visit.said).toEqual([])
  })

  test('beyond 1,000 waiting events the newest are refused, and the console says how many and why', async () => {
    await using visit = await openListening('data-consent="required"')
    await visit.page.evaluate(run(1005))
    expect(await visit.reports()).toEqual(new Array(5).fill(['refused', '1000 wait already']))
    await expect
      .poll(() => visit.said)
      .toEqual([expect.stringMatching(/^usher: 5 event\(s\) not sent: 1000 wait already/)])
    await visit.page.evaluate(`usher('consent', true)`)
    await until(() => numbers().length >= 3, 'the first events')
    expect(numbers().slice(0, 3)).toEqual([0, 1, 2])
  })

  test('what does not fit into 64 KB of beacons is sent later while the page is only out of sight', async () => {
    await using visit = await openListening()
    site.answers('wait')
    await visit.page.evaluate(run(40, `, big: 'x'.repeat(3900)`))
    await expect.poll(numbers).toEqual([0])
    await visit.page.evaluate(`
      Object.defineProperty(document, 'visibilityState', { value: 'hidden' })
      dispatchEvent(new Event('visibilitychange'))`)
    await until(async () => (await visit.reports()).length > 0, 'beacons')
    const left = (await visit.reports()).length
    expect(left).toBeGreaterThan(10)
    expect(left).toBeLessThan(39)
    site.answers('through')
    await expect.poll(() => numbers().sort((a, b) => a - b), { timeout: 20_000 }).toEqual(upTo(40))
    await until(async () => (await visit.reports()).length === 40, 'the reports')
    expect((await visit.reports()).filter(([status]) => status !== 'left' && status !== 'answered')).toEqual([])
  })

  test('what does not fit when the page ends is told in the console: the newest, as the oldest are sent first', async () => {
    await using visit = await openListening()
    site.answers('wait')
    await visit.page.evaluate(run(40, `, big: 'x'.repeat(3900)`))
    await expect.poll(numbers).toEqual([0])
    // By hand, because the lines of a page that is really gone reach no test.
    await visit.page.evaluate(`dispatchEvent(new PageTransitionEvent('pagehide'))`)
    const line = await until(() => visit.said.find((one) => one.includes('64 KB')), 'the line')
    const lost = Number(/(\d+) event\(s\) not sent/.exec(line)?.[1])
    expect(lost).toBeGreaterThan(0)
    // The first is under way by itself; the oldest of the others went as beacons.
    const left = await visit.page.evaluate(`reports.map(function (r) { return r.status + r.signals[0][1] })`)
    expect(left).toEqual(
      upTo(40 - lost)
        .slice(1)
        .map((i) => `left${i}`),
    )
    // It was no end after all.
    site.answers('through')
    await expect.poll(() => numbers().sort((a, b) => a - b), { timeout: 20_000 }).toEqual(upTo(40))
  })

  test('an event beyond 32 KB or 1,000 values is refused before it is sent, and the next goes out [COL-15~]', async () => {
    await using visit = await openListening()
    await visit.page.evaluate(`
      usher('event', { i: 1, big: new Array(9).fill('x'.repeat(4000)) })
      usher('event', { i: 2, big: new Array(2).fill('\\u00e9'.repeat(4000)) })
      usher('event', { i: 3, many: new Array(1001).fill(1) })
      usher('event', { i: 4 })`)
    await expect.poll(numbers).toEqual([4])
    await until(async () => (await visit.reports()).length === 4, 'the reports')
    expect(await visit.reports()).toEqual([
      ...new Array(3).fill(['refused', 'more than 32 KB or 1000 values']),
      ['answered', undefined],
    ])
    const lines = visit.said.filter((line) => line.includes('not sent: more than 32 KB'))
    const told = lines.map((line) => Number(/(\d+) event/.exec(line)?.[1]))
    expect(told.reduce((sum, count) => sum + count, 0)).toBe(3)
  })

  test('the largest event that the tag sends is processed by the edge [COL-15~] [SEC-01~]', async () => {
    await using visit = await openListening()
    await visit.page.evaluate(`usher('event', { category: 'shoes', big: new Array(8).fill('x'.repeat(4060)) })`)
    const { text, post } = await visit.nthCall(1)
    expect(post.length).toBeGreaterThan(32_500)
    expect(JSON.parse(text)).not.toHaveProperty('errors')
    await expect.poll(() => site.countOf((JSON.parse(text) as { uuid: string }).uuid)).toBe(1)
  })

  test('what cannot be sent of an event is left out and named once; the rest goes', async () => {
    await using visit = await openListening()
    const event = `usher('event', { ok: 1, e: NaN, f: 1 / 0, n: null, u: undefined, o: { b: 1 }, list: [1, {}, 2],
      long: 'x'.repeat(4097), d_uuid: '1', big: BigInt(12) })`
    await visit.page.evaluate(`${event}; ${event}`)
    const { post } = await visit.nthCall(2)
    expect(post.match(/c_\w+=[^&]*|d_uuid=1\b/g)).toEqual(['c_ok=1', 'c_list=1', 'c_list=2', 'c_big=12'])
    expect(visit.said).toEqual([
      'usher: left out of an event: e is NaN, f is Infinity, n is null, u is undefined, o is object, list is object, ' +
        'long has more than 4096 characters, d_uuid is set by the tag',
    ])
  })

  test.each([`usher('event')`, `usher('event', undefined)`, `usher('event', null)`, `usher('event', ['a'])`])(
    '%s is no event: the console says what is wanted',
    async (code) => {
      await using visit = await openListening()
      await visit.page.evaluate(code)
      await until(() => visit.said.some((line) => line.includes("usher('event', { name: value })")), 'the line')
      await quiet()
      expect(site.posts).toEqual([])
    },
  )

  test('a data-cookie-domain that the browser does not take is told, and the cookie is of this host', async () => {
    await using visit = await openListening('data-cookie-domain=".example.com"')
    await visit.page.evaluate(`usher('event', { i: 1 }); usher('event', { i: 2 })`)
    await visit.nthCall(2)
    expect(visit.said).toEqual([
      'usher: the browser keeps no cookie of data-cookie-domain=".example.com" on 127.0.0.1: this host alone has it',
    ])
    const { uuid } = JSON.parse((await visit.nthCall(1)).text) as { uuid: string }
    await visit.page.reload()
    await visit.page.waitForFunction(loaded)
    await visit.page.evaluate(`usher('event', { i: 3 })`)
    expect((await visit.nthCall(3)).post).toContain(`d_uuid=${uuid}`)
    await visit.page.evaluate(`usher('consent', false)`)
    await expect.poll(visit.ownCookie).toBeUndefined()
  })

  test('what the edge did not take stands in the console, once', async () => {
    await using visit = await openListening()
    await visit.page.evaluate(`usher('identify', 987654, 'ada'); usher('event', { i: 1 }); usher('event', { i: 2 })`)
    expect((await visit.nthCall(2)).text).toContain('"code":302')
    await until(async () => (await visit.reports()).length === 2, 'the reports')
    expect(visit.said.filter((line) => line.startsWith('usher: the edge answers 302: Unauthorized'))).toHaveLength(1)
  })

  test('an event without an answer is told as failed', async () => {
    await using visit = await openListening()
    await visit.page.route('**/event', (route: { abort(): Promise<void> }) => route.abort())
    await visit.page.evaluate(`usher('event', { i: 1 })`)
    await until(() => visit.said.some((line) => line.startsWith('usher: 1 event(s) not sent: no answer')), 'the line')
    expect(await visit.reports()).toEqual([['failed', 'no answer']])
  })

  test('a browser that opted out at the edge is answered 171 for the events of other sites, and nothing of them is stored [COL-226~]', async () => {
    await using visit = await openListening()
    await visit.page.evaluate(`usher('optout')`)
    await until(async () => (await visit.edgeCookie())?.value === 'NOTARGET', 'the opt-out')
    // Another site has a cookie of its own, or none as here.
    await visit.page.context().clearCookies({ name: 'usher_id' })
    const known = await site.visitors()
    await visit.page.reload()
    await visit.page.waitForFunction(loaded)
    await visit.page.evaluate(`usher('event', { category: 'shoes' })`)
    const { text } = await visit.nthCall(1)
    expect(JSON.parse(text)).toMatchObject({ errors: [{ code: 171 }] })
    expect(text).not.toContain('uuid')
    expect(await site.visitors()).toBe(known)
  })
})
