import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasBrowser, newVisit, until } from '../clients/browser.mjs'
import type { TagSite } from './tag-site.ts'

/**
 * Pages with the tag in a real browser, for the tests of the tag. They need the build, which `npm test` makes, and a
 * browser: `apt-get install -y --no-install-recommends chromium-headless-shell`, or USHER_CHROMIUM.
 */
export const canRun = hasBrowser() || process.env['CI'] === 'true'
export const doc = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'tag.md'), 'utf8')
const SNIPPET = /```html\n([\s\S]*?)```/.exec(doc)?.[1] as string

export interface Opening {
  /** Runs before the snippet. */
  readonly before?: string
  /** Runs after it, in the page. */
  readonly after?: string
  readonly attributes?: string
}

export function pageOf(site: TagSite, { before = '', after = '', attributes = '' }: Opening): string {
  const snippet = SNIPPET.replace('https://collect.example.com', site.edgeUrl).replace('async', `async ${attributes}`)
  return `<!doctype html><title>page</title><link rel="icon" href="data:,"><script>${before}</script>${snippet}<script>${after}</script>`
}

/** A new visitor on a page of the site. @param origin another name of the site, by which it is not the edge's own */
export async function open(site: TagSite, opening: Opening, origin = site.siteUrl) {
  site.setPage(pageOf(site, opening))
  const visit = await openPage()
  await visit.page.goto(`${origin}/shoes?mail=ada@example.com#x`)
  return visit
}

export async function openPage() {
  const visit = await newVisit({})
  const errors: string[] = []
  visit.page.on('pageerror', (error: Error) => errors.push(error.message))
  const calls = () => visit.exchanges.filter(({ url }) => url.pathname === '/event')
  const cookieOf = async (name: string) => (await visit.cookies()).find((cookie) => cookie.name === name)
  return {
    ...visit,
    errors,
    calls,
    nthCall: (n: number) => until(() => calls()[n - 1], `call ${n}`),
    ownCookie: () => cookieOf('usher_id'),
    /** The one that scripts cannot see, of the edge. */
    edgeCookie: () => cookieOf('demdex'),
    [Symbol.asyncDispose]: () => visit.close(),
  }
}

export const loaded = `usher.loaded === true`
/** Long enough for a call that must not come. */
export const quiet = () => new Promise((resolve) => setTimeout(resolve, 700))
