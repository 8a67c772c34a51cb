// `node scripts/ui-pictures.mjs FOLDER`: every page of the built UI with recorded answers, at three widths and in both
// schemes, for eyes. The helpers are TypeScript and go through Vite's own loader.
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createServer } from 'vite'
import { root, setUp } from './setup.mjs'

const folder = resolve(process.argv[2] ?? 'ui-pictures')
const only = process.argv[3]
setUp()
mkdirSync(folder, { recursive: true })
const vite = await createServer({
  root,
  configFile: false,
  logLevel: 'error',
  server: { middlewareMode: true, hmr: false },
})
const load = (path) => vite.ssrLoadModule(join(root, 'test', 'ui', path))
const { startBrowsing } = await load('open-page.ts')
const { PAGES } = await load('pages.ts')
const { EMPTY } = await load('recorded-answers.ts')
const { startRecordedServer } = await load('recorded-server.ts')
const servers = {
  full: await startRecordedServer(),
  empty: await startRecordedServer(true, EMPTY),
  'signed-out': await startRecordedServer(false),
}
const browsing = await startBrowsing()
for (const { name, path, server = 'full', act } of PAGES) {
  if (only !== undefined && !name.startsWith(only)) continue
  for (const colorScheme of ['light', 'dark']) {
    for (const width of [1440, 1280, 1024]) {
      const { page, complaints } = await browsing.open(servers[server].url + path, { colorScheme, width })
      await page.waitForLoadState('load')
      await page.waitForTimeout(400)
      await act?.(page)
      await page.waitForTimeout(250)
      await page.screenshot({ path: join(folder, `${name}-${colorScheme}-${width}.png`), fullPage: true })
      if (complaints.length > 0) console.log(name, colorScheme, width, complaints)
      await page.context().close()
    }
  }
}
await browsing.close()
for (const server of Object.values(servers)) await server.close()
await vite.close()
