// `node scripts/pictures.mjs`: the pictures of the README, from the real demo: it is started in an empty data directory,
// somebody shops, the partner is down for a moment, and the pages are taken as they then are. Needs Chromium.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { chromium } from 'playwright-core'
import { chromiumPath } from '../test/clients/browser.mjs'
import { root, setUp } from './setup.mjs'

const PORTS = { EDGE: 21_951, ADMIN: 21_952, PARTNER: 21_953, SHOP: 21_954 }
const folder = process.argv[2] ?? join(root, 'docs', 'pictures')

setUp()
mkdirSync(folder, { recursive: true })
const dataDir = mkdtempSync(join(tmpdir(), 'usher-pictures-'))
const demo = spawn(process.execPath, [join(root, 'bin', 'usher'), 'demo', '--rate', '20', '--data-dir', dataDir], {
  env: {
    ...process.env,
    ...Object.fromEntries(Object.entries(PORTS).map(([name, port]) => [`USHER_${name}_PORT`, port])),
  },
  stdio: ['ignore', 'pipe', 'inherit'],
})
const browser = await chromium.launch({ executablePath: chromiumPath(), args: ['--no-sandbox', '--disable-gpu'] })
try {
  const link = await new Promise((resolve, reject) => {
    demo.once('exit', (code) => reject(new Error(`the demo ended with ${code}`)))
    createInterface({ input: demo.stdout }).on('line', (line) => {
      const found = /Open (\S+#setup=\S+)/.exec(line)?.[1]
      if (found !== undefined) resolve(found)
    })
  })
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' })
  const page = await context.newPage()
  const shop = `http://127.0.0.1:${PORTS.SHOP}`
  const take = async (name) => {
    await page.waitForTimeout(1_500)
    await page.screenshot({ path: join(folder, `${name}.png`) })
  }
  await page.goto(shop)
  await page.getByRole('button', { name: 'Accept' }).click()
  for (const product of ['Brook Sandal', 'Harrow City Boot']) {
    await page.goto(`${shop}/shoes`)
    await page.getByRole('link', { name: product }).click()
    await page.waitForTimeout(1_500)
  }
  await take('shop')
  const deviceId = (await context.cookies()).find(({ name }) => name === 'usher_id')?.value
  await page.waitForTimeout(30_000)
  await page.goto(link)
  await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()

  const partner = await context.newPage()
  await partner.goto(`http://127.0.0.1:${PORTS.PARTNER}/`)
  await partner.getByRole('button', { name: 'Down, 503' }).click()
  await partner.waitForTimeout(12_000)
  await partner.screenshot({ path: join(folder, 'partner.png') })
  await page.goto(`http://127.0.0.1:${PORTS.ADMIN}/`)
  await page.getByText('Demo partner is not taking messages').waitFor()
  await take('overview')
  await partner.getByRole('button', { name: 'Answer at once' }).click()
  await partner.waitForTimeout(20_000)

  // One that the outage held up.
  const retried = await page.evaluate(async () => {
    const { list } = await (await fetch('/v1/deliveries?status=acknowledged&pageSize=1000')).json()
    return list.find(({ attempts }) => attempts.length > 1)?.deliveryId
  })
  await page.goto(`http://127.0.0.1:${PORTS.ADMIN}/messages/${retried}`)
  await take('message')
  await page.goto(`http://127.0.0.1:${PORTS.ADMIN}/profiles/${deviceId}`)
  await take('profile')
} finally {
  await browser.close()
  demo.removeAllListeners('exit')
  const gone = new Promise((resolve) => demo.once('exit', resolve))
  demo.kill('SIGTERM')
  await gone
  rmSync(dataDir, { recursive: true, force: true })
}
