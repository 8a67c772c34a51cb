// The real server, as a process of its own, for benchmarks.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = join(fileURLToPath(import.meta.url), '../../..')
export const ADMIN_TOKEN = 'a-bench-token-of-enough-characters'

/**
 * @param probe load `pause-probe.mjs` into it: `tell(message)` then resolves with its answer
 * @returns the ready line with `process`, `stop()` and `tell()`
 */
export async function startServer({ dataDir, edgePort, adminPort, env = {}, probe = false }) {
  // Directly, so that the switches in its first line count.
  const child = spawn(join(root, 'bin', 'usher'), ['serve'], {
    env: {
      ...process.env,
      USHER_DATA_DIR: dataDir,
      USHER_EDGE_PORT: String(edgePort),
      USHER_ADMIN_PORT: String(adminPort),
      USHER_ADMIN_TOKEN: ADMIN_TOKEN,
      USHER_ALLOW_PRIVATE_DESTINATIONS: '1',
      USHER_EDGE_DENY_LIST_ENABLED: 'false',
      USHER_LOG_LEVEL: 'warn',
      ...(probe && { NODE_OPTIONS: `--import ${new URL('pause-probe.mjs', import.meta.url).href}` }),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit', ...(probe ? ['ipc'] : [])],
  })
  const ready = await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the server ended with ${code} before it was ready`)))
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.includes('"msg":"ready"')) resolve(JSON.parse(line))
      else console.error(line)
    })
  })
  return {
    ...ready,
    process: child,
    tell(message) {
      const answer = new Promise((resolve) => child.once('message', resolve))
      child.send(message)
      return answer
    },
    async stop() {
      child.removeAllListeners('exit')
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await gone
    },
  }
}

/** Runs the generator in its own process. @returns its figures */
export async function generate(options) {
  const child = spawn(process.execPath, [join(root, 'bench/load/generator.mjs'), JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += chunk
  })
  await new Promise((resolve) => child.once('exit', resolve))
  return JSON.parse(text)
}

export async function startBare(port) {
  const child = spawn(process.execPath, [join(root, 'bench/load/bare-server.mjs'), String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise((resolve, reject) => {
    child.stdout.once('data', resolve)
    child.once('exit', (code) => reject(new Error(`the bare server ended with ${code}: is port ${port} taken?`)))
  })
  return {
    async stop() {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await gone
    },
  }
}

/** Calls of the REST API. @returns `api(method, path, body?)`, which resolves with the answer and throws when it is not 2xx */
export function adminApi(port) {
  return async (method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${ADMIN_TOKEN}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return text.startsWith('{') ? JSON.parse(text) : text
  }
}
