// What the scripts that need a running server share: `bin/usher serve` as a child on free ports with data of its own.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './setup.mjs'

const READY_MS = 15_000
let nextPort = 20_000 + ((process.pid * 101) % 12_000)

/** A port free on loopback now, below the ephemeral range. */
export async function freePort() {
  for (let tries = 0; tries < 200; tries++) {
    nextPort = 20_000 + ((nextPort - 20_000 + 1) % 12_000)
    if (await isFree(nextPort)) return nextPort
  }
  throw new Error('no free port between 20000 and 32000')
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** A module of the build. */
export const built = (path) => import(`file://${join(root, 'dist', path)}`)

/**
 * Starts the server and waits until it is ready.
 * @param env further settings, as USHER_* variables
 * @param certificate PEM of the server's own, when `env` names it
 * @returns addresses, the token, a REST client, and `stop()`, which says the exit status
 */
export async function startServer(env = {}, certificate) {
  const dataDir = mkdtempSync(join(tmpdir(), 'usher-script-'))
  const token = randomBytes(24).toString('base64url')
  // A setting of the caller's shell must not change what is checked.
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('USHER_'))
  const settings = {
    USHER_DATA_DIR: dataDir,
    USHER_ADMIN_TOKEN: token,
    USHER_EDGE_PORT: String(await freePort()),
    USHER_ADMIN_PORT: String(await freePort()),
    USHER_LOG_LEVEL: 'warn',
    ...env,
  }
  const child = spawn(process.execPath, [join(root, 'bin', 'usher'), 'serve'], {
    env: { ...Object.fromEntries(inherited), ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise((resolve) => child.once('exit', (status) => resolve(status)))
  const output = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => output.push(String(part)))
  try {
    const ready = await waitForReady(child, ended, output)
    const { createHttpClient } = await built('lib/http-client.js')
    const { createRestClient } = await built('lib/rest-client.js')
    const http = createHttpClient(certificate)
    return {
      ...ready,
      token,
      dataDir,
      http,
      api: createRestClient(http, ready.adminUrl, token),
      output: () => output.join(''),
      async stop() {
        http.close()
        child.kill('SIGTERM')
        const status = await ended
        rmSync(dataDir, { recursive: true, force: true })
        return status
      },
    }
  } catch (error) {
    child.kill('SIGKILL')
    rmSync(dataDir, { recursive: true, force: true })
    throw error
  }
}

function waitForReady(child, ended, output) {
  return new Promise((resolve, reject) => {
    const fail = (why) => reject(new Error(`${why}. It said:\n${output.join('')}`))
    const timer = setTimeout(() => fail(`the server was not ready after ${READY_MS} ms`), READY_MS)
    ended.then((status) => {
      clearTimeout(timer)
      fail(`the server ended with status ${status} before it was ready`)
    })
    child.stdout.on('data', () => {
      const line = output
        .join('')
        .split('\n')
        .find((one) => one.includes('"msg":"ready"') && one.endsWith('}'))
      if (line === undefined) return
      clearTimeout(timer)
      resolve(JSON.parse(line))
    })
  })
}
