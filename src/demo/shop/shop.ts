import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { isOwnHost, isSameOrigin, readBody, readPageFiles, refuseBody, sendPage } from '../../lib/page-server.ts'
import { drawProduct, isCategory, PRODUCTS, type Product, productOf } from './products.ts'
import {
  basketPage,
  categoryPage,
  type Frame,
  homePage,
  missingPage,
  type Page,
  productPage,
  renderPage,
  thanksPage,
} from './shop-pages.ts'

/**
 * The sample shop of the demo [OPS-2]: a few plain pages with our page tag, a consent banner, and beside them what each
 * step told Usher. All state of a visitor is in two cookies of the shop, so pages and buttons work without JavaScript.
 */
export interface ShopOptions {
  readonly port: number
  readonly edgeUrl: string
  readonly adminUrl: string
  readonly partnerUrl: string
  /** Traits and segments by id, for the panel. */
  readonly names: { readonly traits: NamesById; readonly segments: NamesById }
  readonly visitors: VisitorSwitch
}

export type NamesById = Readonly<Record<string, { readonly name: string; readonly why: string }>>

/** The generated visitors, as a switch. */
export interface VisitorSwitch {
  isRunning(): boolean
  set(running: boolean): void
}

export interface Shop {
  readonly url: string
  close(): Promise<void>
}

const BASKET_MAX = 20
const BODY_BYTES_MAX = 4000
const YEAR_SECONDS = 31_536_000

/** @throws the listener's error when the port cannot be had */
export async function startShop(options: ShopOptions): Promise<Shop> {
  const files = readPageFiles(join(import.meta.dirname, 'pages'))
  const products = Object.fromEntries(PRODUCTS.map(({ slug, name }) => [slug, name]))
  const { edgeUrl, partnerUrl } = options
  const policy = {
    scripts: [edgeUrl],
    connections: [edgeUrl],
    // The ID sync goes from the partner on to the edge.
    images: [edgeUrl, partnerUrl],
  }

  const show = (request: IncomingMessage, response: ServerResponse, url: URL) => {
    const { pathname } = url
    const name = pathname.startsWith('/shop/') ? pathname.slice('/shop/'.length) : ''
    const picture = /^\/images\/([a-z0-9-]+)\.svg$/.exec(pathname)?.[1]
    const file = files.get(name) ?? pictureOf(picture)
    if (file !== undefined) return sendPage(response, file)
    if (pathname === '/names.json')
      return sendPage(response, {
        body: JSON.stringify({ ...options.names, products }),
        contentType: 'application/json',
      })
    const page = pageOf(url, request)
    const frame = frameOf(request, options)
    const html = renderPage(page ?? missingPage(), frame)
    if (frame.consent === 'yes') response.setHeader('set-cookie', cookie('met', 'yes', 86_400))
    sendPage(response, { body: html, contentType: 'text/html;charset=utf-8' }, policy, page === undefined ? 404 : 200)
  }

  const change = async (request: IncomingMessage, response: ServerResponse, url: URL) => {
    if (!isSameOrigin(request)) return sendStatus(response, 403)
    const body = await readBody(request, BODY_BYTES_MAX)
    if (body === undefined) return refuseBody(response, BODY_BYTES_MAX)
    const form = new URLSearchParams(body.toString('utf8'))
    const back = localPath(form.get('back'))
    if (url.pathname === '/consent') {
      goTo(response, back, cookie('consent', form.get('choice') === 'yes' ? 'yes' : 'no', YEAR_SECONDS))
    } else if (url.pathname === '/visitors') {
      options.visitors.set(form.get('running') === 'true')
      goTo(response, back)
    } else if (url.pathname === '/basket') {
      const product = productOf(form.get('product') ?? '')
      if (product === undefined) return sendStatus(response, 400)
      const slugs = [...basketOf(request), product].slice(-BASKET_MAX).map(({ slug }) => slug)
      goTo(response, `/basket?added=${product.slug}`, cookie('basket', slugs.join('.'), 86_400))
    } else if (url.pathname === '/order') goTo(response, '/thanks?order=placed', cookie('basket', '', 0))
    else sendStatus(response, 404)
  }

  const ownUrl = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const server = createServer((request, response) => {
    const url = URL.canParse(request.url ?? '', 'http://shop') ? new URL(request.url ?? '', 'http://shop') : undefined
    if (url === undefined) sendStatus(response, 400)
    else if (!isOwnHost(request, undefined)) sendStatus(response, 421)
    else if (isLocalhost(request)) goTo(response, ownUrl() + localPath(request.url ?? null))
    else if (request.method === 'POST') change(request, response, url).catch(() => response.destroy())
    else if (request.method === 'GET' || request.method === 'HEAD') show(request, response, url)
    else sendStatus(response, 405)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, '127.0.0.1', resolve)
  })
  return {
    url: ownUrl(),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function pageOf({ pathname, searchParams }: URL, request: IncomingMessage): Page | undefined {
  if (pathname === '/') return homePage()
  if (pathname === '/basket') return basketPage(basketOf(request), productOf(searchParams.get('added') ?? ''))
  if (pathname === '/thanks') return thanksPage(searchParams.get('order') === 'placed')
  const category = pathname.slice(1)
  if (isCategory(category)) return categoryPage(category)
  const product = productOf(/^\/products\/([a-z0-9-]+)$/.exec(pathname)?.[1] ?? '')
  return product === undefined ? undefined : productPage(product)
}

function frameOf(request: IncomingMessage, { edgeUrl, partnerUrl, adminUrl, visitors }: ShopOptions): Frame {
  const consent = cookieOf(request, 'consent')
  return {
    edgeUrl,
    partnerUrl,
    adminUrl,
    consent: consent === 'yes' || consent === 'no' ? consent : undefined,
    hasMet: cookieOf(request, 'met') === 'yes',
    basketSize: basketOf(request).length,
    visitorsWalk: visitors.isRunning(),
    here: localPath(request.url ?? null),
  }
}

/** Under that name edge and partner are other sites, and neither could know the browser again. */
function isLocalhost({ headers }: IncomingMessage): boolean {
  return /^localhost(:\d+)?$/i.test(headers.host ?? '')
}

function pictureOf(slug: string | undefined) {
  const product = productOf(slug ?? '')
  return product === undefined ? undefined : { body: drawProduct(product), contentType: 'image/svg+xml' }
}

function basketOf(request: IncomingMessage): Product[] {
  return cookieOf(request, 'basket')
    .split('.')
    .slice(0, BASKET_MAX)
    .map(productOf)
    .filter((product) => product !== undefined)
}

function cookieOf({ headers }: IncomingMessage, name: string): string {
  const pair = (headers.cookie ?? '').split(/; */).find((one) => one.startsWith(`shop_${name}=`))
  return pair?.slice(name.length + 6) ?? ''
}

function cookie(name: string, value: string, seconds: number): string {
  return `shop_${name}=${value}; Path=/; Max-Age=${seconds}; SameSite=Lax; HttpOnly`
}

/** A path of this shop, and nothing a browser would take for another host. */
function localPath(text: string | null): string {
  return text !== null && /^\/(?![/\\])[\x21-\x7e]{0,200}$/.test(text) && !text.includes('\\') ? text : '/'
}

function goTo(response: ServerResponse, location: string, setCookie?: string): void {
  response.writeHead(303, { location, ...(setCookie === undefined ? {} : { 'set-cookie': setCookie }) }).end()
}

function sendStatus(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-length': 0 }).end()
}
