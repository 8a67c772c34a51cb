// `npm run dev`: the demo, built again and restarted whenever a source changes, and the admin UI with reload at port 5173,
// which asks the admin listener at USHER_ADMIN_URL (http://127.0.0.1:8081) [OPS-4].
import { spawn } from 'node:child_process'
import { watch } from 'node:fs'
import { join } from 'node:path'
import { root, setUp } from './setup.mjs'

setUp()
const tsc = spawn(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-w', '--preserveWatchOutput'], {
  cwd: root,
  stdio: 'inherit',
})
const vite = spawn(
  process.execPath,
  [join(root, 'node_modules/vite/bin/vite.js'), 'web', '--config', join('web', 'vite.config.ts')],
  { cwd: root, stdio: 'inherit' },
)
console.log('Admin UI with reload: http://127.0.0.1:5173/')
let server
let timer
const restart = () => {
  const start = () => {
    server = spawn(process.execPath, [join(root, 'bin', 'usher'), 'demo'], { cwd: root, stdio: 'inherit' })
  }
  if (server === undefined || server.exitCode !== null) return start()
  server.once('exit', start)
  server.kill('SIGTERM')
}
watch(join(root, 'dist'), { recursive: true }, (_, name) => {
  if (String(name).startsWith('web')) return
  clearTimeout(timer)
  timer = setTimeout(restart, 500)
})
restart()
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    tsc.kill()
    vite.kill()
    server?.kill('SIGTERM')
    server?.once('exit', () => process.exit(0))
  })
