// What `npm start` and `npm test` share [OPS-1]: dependencies from the lockfile when they are missing or older than it,
// and the build when a source is newer than what was built. Node's own modules only: nothing is installed yet.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, lstatSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const stamp = join(root, 'node_modules', '.usher-installed')
const built = join(root, 'dist', '.built')
const builtWeb = join(root, 'dist', '.built-web')

const modifiedMs = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0)

/** Runs a program to its end; a failure ends this process with the same status. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  if (result.error) throw result.error
  if (result.status !== 0) process.exit(result.status ?? 1)
}

/** A locally installed program, run by this Node, so that no PATH and no shell is needed (Windows included). */
export function runTool(path, args, options) {
  run(process.execPath, [join(root, 'node_modules', path), ...args], options)
}

export function install() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) {
    console.error(`Usher needs Node.js 20.19 or later; this is ${process.versions.node}.`)
    process.exit(2)
  }
  if (modifiedMs(stamp) >= modifiedMs(join(root, 'package-lock.json'))) return
  if (lstatSync(join(root, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) {
    console.error(
      'node_modules is a symbolic link, and does not match the lockfile. Installing would empty the folder it points to, ' +
        'which others may use. Remove the link, or install there.',
    )
    process.exit(2)
  }
  console.log('Installing dependencies from the lockfile (once) ...')
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  // No package of ours needs its install script, so none runs.
  run(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    shell: process.platform === 'win32',
  })
  writeFileSync(stamp, new Date().toISOString())
}

function newestSourceMs(folder) {
  let newest = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    newest = Math.max(newest, entry.isDirectory() ? newestSourceMs(path) : statSync(path).mtimeMs)
  }
  return newest
}

/**
 * Writes over what is there, because a server may be running from it (the admin UI is swapped as a whole). `clean` removes it first, and with it what is left
 * of sources that are gone.
 */
export function build({ force = false, clean = false } = {}) {
  buildServer(force, clean)
  buildWeb(force || clean)
}

/** The admin UI, to dist/web; only when one of its own sources changed. */
function buildWeb(force) {
  const lockfileMs = modifiedMs(join(root, 'package-lock.json'))
  if (!force && modifiedMs(builtWeb) >= Math.max(newestSourceMs(join(root, 'web')), lockfileMs)) return
  console.log('Building the admin UI ...')
  runTool('vite/bin/vite.js', ['build', 'web', '--config', join('web', 'vite.config.ts')])
  writeFileSync(builtWeb, new Date().toISOString())
}

function buildServer(force, clean) {
  const folders = ['src', 'tag'].map((folder) => newestSourceMs(join(root, folder)))
  const sourcesMs = Math.max(...folders, modifiedMs(join(root, 'tsconfig.json')))
  if (!force && !clean && modifiedMs(built) >= sourcesMs) return
  console.log('Building ...')
  if (clean) rmSync(join(root, 'dist'), { recursive: true, force: true })
  // Without its notes the compiler writes every file, also one that was damaged or deleted in dist.
  if (force) rmSync(join(root, 'dist', '.tsbuildinfo'), { force: true })
  runTool('typescript/bin/tsc', ['-p', 'tsconfig.json'])
  runTool('vite/bin/vite.js', ['build', 'tag', '--config', join('tag', 'vite.config.ts')])
  copyPages()
  writeFileSync(built, new Date().toISOString())
}

/** Pages of the demo: what browsers get is served as it is written. */
function copyPages() {
  for (const folder of ['partner/page', 'demo/shop/pages'])
    cpSync(join(root, 'src', folder), join(root, 'dist', folder), { recursive: true })
}

export function setUp() {
  install()
  build()
}
