import { spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from '../src/testkit/free-port.ts'

/** The README's five minutes, literally, in a copy of the built checkout, on free ports. */
const root = join(import.meta.dirname, '..')
const blocks = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)].map(
  (match) => match[1] as string,
)
const has = (program: string) => spawnSync(program, ['--version']).status === 0
const canRun =
  process.platform !== 'win32' && has('bash') && has('curl') && existsSync(join(root, 'dist', 'cli', 'main.js'))

const running: ReturnType<typeof spawn>[] = []
let folder = ''
let ports = ''
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'usher-readme-'))
  for (const name of ['bin', 'dist', 'package.json']) cpSync(join(root, name), join(folder, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const [edge, admin, partner] = [await freePort(), await freePort(), await freePort()]
  ports = `s/8080/${edge}/g;s/8081/${admin}/g;s/8090/${partner}/g`
})
afterAll(async () => {
  for (const child of running) {
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await gone
  }
  rmSync(folder, { recursive: true, force: true })
})

/** The commands with the ports of this run. */
function onFreePorts(commands: string): string {
  return ports.split(';').reduce((text, rule) => {
    const [, from = '', to = ''] = rule.split('/')
    return text.replaceAll(from, to)
  }, commands)
}

/** A terminal that stays open; resolves with what it has said once that contains `sign`. */
function openTerminal(command: string, sign: string): Promise<() => string> {
  const env = { PATH: process.env['PATH'], ...portSettings() }
  // `exec` keeps one process, so that it can be stopped.
  const child = spawn('bash', ['--norc', '-c', command.replace('bin/usher', 'exec bin/usher')], { cwd: folder, env })
  running.push(child)
  let said = ''
  return new Promise((resolve, reject) => {
    child.once('exit', (status) => reject(new Error(`ended with ${status}: ${said}`)))
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (part) => {
        said += String(part)
        if (said.includes(sign)) resolve(() => said)
      })
    }
  })
}

function portSettings(): Record<string, string> {
  const [edge = '', admin = ''] = ports.split(';').map((rule) => rule.split('/')[2] as string)
  return { USHER_EDGE_PORT: edge, USHER_ADMIN_PORT: admin }
}

test.skipIf(!canRun && process.env['CI'] !== 'true')(
  'the first five minutes of the README work as they are written',
  async () => {
    const [server, partner, ...typed] = blocks.filter((block) => !block.startsWith('npm '))
    await openTerminal(onFreePorts(server as string), '"msg":"ready"')
    const heard = await openTerminal(onFreePorts(partner as string), 'Waiting for messages')
    const script = onFreePorts(`set -e\n${typed.join('\n')}`)
    const result = spawnSync('bash', ['--norc', '-c', script], {
      cwd: folder,
      env: { PATH: process.env['PATH'], ...portSettings() },
      encoding: 'utf8',
    })
    expect(result.status, `${result.stdout}\n${result.stderr}`).toBe(0)
    expect(result.stdout).toContain('200002  Shoe lovers  in since')
    await expect.poll(heard).toContain('visitor ada joined 200002  (signature verified)')
  },
)
