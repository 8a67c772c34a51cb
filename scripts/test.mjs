// `npm test [-- PATH ...]`: set-up, then every test, or those of one room [OPS-1], [OPS-3].
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { runTool, setUp } from './setup.mjs'

setUp()
needBrowser()
runTool('vitest/vitest.mjs', ['run', ...process.argv.slice(2)])

/** The tests of the admin UI need Chromium: root on Debian or Ubuntu gets it here, others are told how [OPS-3]. */
function needBrowser() {
  const isAsked = process.argv.length === 2 || process.argv.some((path) => path.startsWith('test'))
  if (!isAsked || existsSync(process.env.USHER_CHROMIUM ?? '/usr/bin/chromium')) return
  const command = ['apt-get', 'install', '-y', '--no-install-recommends', 'chromium', 'fonts-liberation']
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    console.log('Installing Chromium for the tests of the admin UI (once) ...')
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const install = () =>
      spawnSync(command[0], ['-qq', ...command.slice(1)], { stdio: ['ignore', 'ignore', 'inherit'], env })
    // A fresh machine has no lists of packages yet.
    if (install().status === 0) return
    spawnSync('apt-get', ['update', '-qq'], { stdio: ['ignore', 'ignore', 'inherit'], env })
    if (install().status === 0) return
  }
  const verdict = process.env.CI === 'true' ? 'will fail' : 'are skipped'
  console.log(`No Chromium here: the tests of the admin UI ${verdict}. To run them: sudo ${command.join(' ')}`)
}
