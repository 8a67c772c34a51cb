// `npm test [-- PATH ...]`: set-up, then every test, or those of one room [OPS-1], [OPS-3].
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { runTool, setUp } from './setup.mjs'

setUp()
// After the set-up: it is built on an installed package.
const { hasBrowser } = await import('../test/clients/browser.mjs')
needBrowser()
runTool('vitest/vitest.mjs', ['run', ...process.argv.slice(2)])

/** The tests in a browser need Chromium: root on Debian gets it here, others are told how [OPS-3]. */
function needBrowser() {
  const isAsked = process.argv.length === 2 || process.argv.some((path) => path.startsWith('test'))
  if (!isAsked || hasBrowser()) return
  const install = 'apt-get install -y --no-install-recommends chromium-headless-shell fonts-liberation'
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    console.log('Installing Chromium for the tests in a browser (once) ...')
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const run = (command) =>
      spawnSync(command, { shell: true, stdio: ['ignore', 'ignore', 'inherit'], env }).status === 0
    // A fresh machine has no lists of packages yet; older Debian has no shell of its own.
    if (run(install) || (run('apt-get update') && (run(install) || run(install.replace('-headless-shell', ''))))) return
  }
  const verdict = process.env.CI === 'true' ? 'will fail' : 'are skipped'
  console.log(`No Chromium here: the tests in a browser ${verdict}. To run them: sudo ${install}`)
}
