import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { loadConfig } from '../../src/config.ts'
import { startDemo, startDemoPartner } from '../../src/demo/demo.ts'
import { startUsher } from '../../src/main.ts'
import type { Partner } from '../../src/partner/partner.ts'
import { freePort } from '../../src/testkit/free-port.ts'
import { chromiumPath } from '../clients/browser.mjs'

const TOKEN = 'a-test-token-of-enough-characters'
export const PARTNER_KEY = 'the demo partner signs with this'

/** The demo workspace as `usher demo` puts it together, on free ports, without visitors until they are let in. */
export interface DemoSite extends AsyncDisposable {
  readonly shopUrl: string
  readonly edgeUrl: string
  readonly partner: Partner
  /** GET of the REST API. */
  api<T>(path: string): Promise<T>
}

export async function startDemoSite(): Promise<DemoSite> {
  const dataDir = mkdtempSync(join(tmpdir(), 'usher-demo-'))
  const partner = await startDemoPartner(await freePort(), PARTNER_KEY, Date.now)
  const env = {
    USHER_DATA_DIR: dataDir,
    USHER_EDGE_PORT: String(await freePort()),
    USHER_ADMIN_PORT: String(await freePort()),
    USHER_ADMIN_TOKEN: TOKEN,
    USHER_LOG_LEVEL: 'silent',
  }
  const usher = await startUsher(loadConfig({ env }), { allowedTargets: [`127.0.0.1:${partner.port}`] })
  const { edgeUrl, adminUrl } = usher
  const addresses = { edgeUrl, adminUrl, adminToken: TOKEN, partner, partnerKey: PARTNER_KEY }
  const demo = await startDemo({ ...addresses, shopPort: await freePort(), rate: 0 }, () => undefined)
  const api = async <T>(path: string): Promise<T> => {
    const answer = await fetch(adminUrl + path, { headers: { authorization: `Bearer ${TOKEN}` } })
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`)
    return (await answer.json()) as T
  }
  await untilInForce(edgeUrl)
  return {
    shopUrl: demo.shopUrl,
    edgeUrl,
    partner,
    api,
    async [Symbol.asyncDispose]() {
      await demo.stop()
      await usher.close()
      await partner.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/** Definitions take effect within 5 s. */
async function untilInForce(edgeUrl: string): Promise<void> {
  for (let i = 0; i < 100; i++) {
    const answer = await fetch(`${edgeUrl}/event?d_rtbd=json&d_jsonv=1&d_cts=1&c_page=product`)
    const { traits = [] } = (await answer.json()) as { traits?: number[] }
    if (traits.length > 0) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('the definitions were not in force after 10 s')
}

export interface Visit {
  readonly context: BrowserContext
  readonly page: Page
  /** Every address that the browser asked for. */
  readonly asked: URL[]
  /** Errors of the pages and of their policy. */
  readonly complaints: string[]
}

export async function startBrowser() {
  const browser = await chromium.launch({
    executablePath: chromiumPath(),
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  })
  return {
    /** A browser that nobody has used, unless it is given another's `storageState`. */
    async visit(options: BrowserContextOptions = {}): Promise<Visit> {
      const context = await browser.newContext(options)
      const page = await context.newPage()
      page.setDefaultTimeout(30_000)
      const asked: URL[] = []
      const complaints: string[] = []
      context.on('request', (request) => asked.push(new URL(request.url())))
      page.on('pageerror', (error) => complaints.push(error.message))
      page.on('console', (message) => {
        if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
          complaints.push(message.text())
      })
      return { context, page, asked, complaints }
    },
    close: () => browser.close(),
  }
}
