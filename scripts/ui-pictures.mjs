// `node scripts/ui-pictures.mjs FOLDER [NAME [WIDTHS]]`: every page of the built UI with recorded answers, at five widths and
// in both schemes, for eyes; NAME is how the names of the pages begin, WIDTHS are joined by commas. A page with much of
// everything comes again as `hard-…` and `big-…`. The helpers are TypeScript and go through Vite's own loader.
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createServer } from 'vite'
import { root, setUp } from './setup.mjs'

const folder = resolve(process.argv[2] ?? 'ui-pictures')
const only = process.argv[3]
const widths = (process.argv[4] ?? '1440,1280,1024,768,400').split(',').map(Number)
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
const { HARD } = await load('hard-answers.ts')
const { BIG } = await load('big-answers.ts')
const { startRecordedServer } = await load('recorded-server.ts')
const servers = {
  full: await startRecordedServer(),
  empty: await startRecordedServer(true, EMPTY),
  'signed-out': await startRecordedServer(false),
  hard: await startRecordedServer(true, HARD),
  big: await startRecordedServer(true, BIG),
}
const hard = PAGES.filter(({ server, act }) => server === undefined && act === undefined)
const pages = [
  ...PAGES,
  ...['hard', 'big'].flatMap((server) => hard.map((page) => ({ ...page, name: `${server}-${page.name}`, server }))),
]
const browsing = await startBrowsing()
for (const { name, path, server = 'full', act } of pages) {
  if (only !== undefined && !name.startsWith(only)) continue
  for (const colorScheme of ['light', 'dark']) {
    for (const width of widths) {
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
