// `npm test [-- PATH ...]`: set-up, then every test, or those of one room [OPS-1], [OPS-3]. `npm test -- --fast`: what finds most
// mistakes within a minute, for every change; it needs no build, no browser and no server.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, runTool, setUp } from './setup.mjs'

setUp()
if (process.argv.includes('--fast')) {
  runTool('vitest/vitest.mjs', ['run', ...fastTests()])
  process.exit()
}
// After the set-up: the first is built on an installed package.
const { hasBrowser } = await import('../test/clients/browser.mjs')
const { hasNginx } = await import('../test/proxy/nginx.mjs')
const { hasPostgres } = await import('../src/testkit/postgres-programs.mjs')
/** Those of a folder, of all above it, or all tests. */
const asksFor = (folder) =>
  process.argv.length === 2 || process.argv.slice(2).some((path) => path.startsWith(folder) || folder.startsWith(path))
if (asksFor('src/store/catalog'))
  need('PostgreSQL', 'the tests of definitions in PostgreSQL', hasPostgres, ['postgresql'])
if (asksFor('test')) {
  need('Chromium', 'the tests in a browser', hasBrowser, [
    'chromium-headless-shell fonts-liberation',
    'chromium fonts-liberation', // Older Debian has no shell of its own.
  ])
  need('nginx', 'the tests behind a proxy', hasNginx, ['nginx'])
}
runTool('vitest/vitest.mjs', ['run', ...process.argv.slice(2)])

/** A program of the operating system: root on Debian gets it here, others are told how [OPS-3]. @param choices packages, the best first */
function need(name, tests, isThere, choices) {
  if (isThere()) return
  const install = (packages) => `apt-get install -y --no-install-recommends ${packages}`
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    console.log(`Installing ${name} for ${tests} (once) ...`)
    const tryAll = () => choices.some((packages) => run(install(packages)))
    // A fresh machine has no lists of packages yet.
    withoutServices(() => run(install(choices[0])) || (run('apt-get update') && tryAll()))
    if (isThere()) return
  }
  const verdict = process.env.CI === 'true' ? 'will fail' : 'are skipped'
  console.log(`No ${name} here: ${tests} ${verdict}. To run them: sudo ${install(choices[0])}`)
}

function run(command) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  return spawnSync(command, { shell: true, stdio: ['ignore', 'ignore', 'inherit'], env }).status === 0
}

/** A test run must not leave a web server running on port 80: Debian asks this file whether a service may start. */
function withoutServices(work) {
  const policy = '/usr/sbin/policy-rc.d'
  const isOurs = !existsSync(policy)
  if (isOurs) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    work()
  } finally {
    if (isOurs) rmSync(policy, { force: true })
  }
}

/** Tests of the rooms that start no whole server and do not say of themselves that they are slow. */
function fastTests() {
  const slow = /testkit\/(?:start-whole-server|spawn-usher|start-test-admin)\.ts|'bin', 'usher'|^\/\/ Slow: /m
  const within = (folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name))
  const all = [...within('src'), ...within(join('web', 'src'))].filter((path) => path.endsWith('.test.ts'))
  return [join('test', 'tidy.test.ts'), ...all.filter((path) => !slow.test(readFileSync(join(root, path), 'utf8')))]
}
