import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { chromiumPath, hasBrowser } from '../clients/browser.mjs'
import { RECORDED_AT } from './recorded-answers.ts'

/** Where Chromium is missing the tests are skipped by name; with CI they fail instead [OPS-3]. */
export const canBrowse: boolean = hasBrowser() || process.env['CI'] === 'true'
export const HOW_TO_BROWSE =
  'apt-get install -y --no-install-recommends chromium-headless-shell, or USHER_CHROMIUM=/path/to/it'

export interface Look {
  readonly colorScheme?: 'light' | 'dark'
  readonly width?: number
  readonly height?: number
  readonly locale?: string
}

export interface Browsing {
  /** A page of a new visitor, at the moment of the recorded answers. `complaints` fills with errors of page and policy. */
  open(url: string, look?: Look): Promise<{ page: Page; complaints: string[] }>
  close(): Promise<void>
}

export async function startBrowsing(): Promise<Browsing> {
  const browser = await chromium.launch({
    executablePath: chromiumPath() as string,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-component-update',
    ],
  })
  const contexts: BrowserContext[] = []
  return {
    async open(url, { colorScheme = 'light', width = 1440, height = 1000, locale = 'en-GB' } = {}) {
      const context = await browser.newContext({
        colorScheme,
        locale,
        viewport: { width, height },
        reducedMotion: 'reduce',
        permissions: ['clipboard-read', 'clipboard-write'],
      })
      contexts.push(context)
      const page = await context.newPage()
      const complaints: string[] = []
      page.on('pageerror', (error) => complaints.push(error.message))
      page.on('console', (message) => {
        // The tests ask for things that do not exist on purpose.
        const isStatus = message.text().startsWith('Failed to load resource')
        if (message.type() === 'error' && !isStatus) complaints.push(message.text())
      })
      await page.clock.setFixedTime(RECORDED_AT)
      await page.goto(url)
      return { page, complaints }
    },
    async close() {
      for (const context of contexts) await context.close()
      await browser.close()
    },
  }
}
