// The system's Chromium, with host names mapped to loopback and a note of every exchange with the edge.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

/** The shell is the same engine without the windows around it: half the time for a page, and a fraction of the processes. */
const USUAL = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium']

/** Looks each time it is asked: `npm test` installs one and goes on. @param usual where it may be; only tests say otherwise */
export function chromiumPath(usual = USUAL) {
  return process.env.USHER_CHROMIUM ?? usual.find((path) => existsSync(path)) ?? '/usr/bin/chromium'
}

export function hasBrowser() {
  return existsSync(chromiumPath())
}

/**
 * @param hosts `{ '*.demdex.net': 8443 }`: where each host name (port 443) is really answered
 * @returns `newVisit()`: a page in a browser nobody has used, with `exchanges` ({ method, url, post, status, headers, text, frame })
 */
export async function newVisit(hosts) {
  const profile = mkdtempSync(join(tmpdir(), 'usher-browser-'))
  const rules = Object.entries(hosts).map(([host, port]) => `MAP ${host}:443 127.0.0.1:${port}`)
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath(),
    ignoreHTTPSErrors: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--host-resolver-rules=${rules.join(', ')}`,
    ],
  })
  const page = await context.newPage()
  const exchanges = []
  page.on('requestfinished', async (request) => {
    const response = await request.response().catch(() => null)
    const entry = {
      method: request.method(),
      url: new URL(request.url()),
      post: request.postData() ?? '',
      sent: await request.allHeaders().catch(() => ({})),
      status: response?.status() ?? 0,
      headers: (await response?.allHeaders().catch(() => ({}))) ?? {},
      text: (await response?.text().catch(() => '')) ?? '',
      isMainFrame: request.frame() === page.mainFrame(),
    }
    exchanges.push(entry)
  })
  return {
    page,
    exchanges,
    cookies: () => context.cookies(),
    async close() {
      await context.close()
      rmSync(profile, { recursive: true, force: true })
    },
  }
}

/** Waits until `find` gives something; fails with `what` after half a minute. */
export async function until(find, what, timeoutMs = 30_000) {
  const endMs = Date.now() + timeoutMs
  for (;;) {
    const found = await find()
    if (found) return found
    if (Date.now() > endMs) throw new Error(`${what} did not happen within ${timeoutMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
