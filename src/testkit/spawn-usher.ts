import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { freePort } from './free-port.ts'

export const ADMIN_TOKEN = 'a-test-token-of-enough-characters'
const root = join(fileURLToPath(import.meta.url), '../../..')

/** A real server in a process of its own, built code and all, so that it can be killed. */
export interface SpawnedUsher {
  readonly edgeUrl: string
  readonly adminUrl: string
  readonly process: ChildProcess
  /** What the process logged, newest last; bounded. */
  readonly log: readonly string[]
  /** SIGKILL, and wait until it is gone. */
  kill(): Promise<void>
  /** SIGTERM, and wait. @returns the exit status */
  stop(): Promise<number | null>
  /** A call of the REST API with the test's token. @throws Error with the answer when it is not 2xx */
  api<T = unknown>(method: string, path: string, body?: unknown): Promise<T>
  /** Checks every stored record. @returns how many problems were found */
  verify(): Promise<number>
}

export interface SpawnOptions {
  readonly dataDir: string
  /** Over the usual ones; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly edgePort?: number
  readonly adminPort?: number
  /** Program to run instead of `bin/usher serve`. */
  readonly program?: readonly string[]
}

const LOG_LINES_MAX = 500

export function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'usher-test-'))
}

/** Starts `usher serve` and waits for its ready line [OPS-12]. */
export async function spawnUsher(options: SpawnOptions): Promise<SpawnedUsher> {
  const edgePort = options.edgePort ?? (await freePort())
  const adminPort = options.adminPort ?? (await freePort())
  const child = spawn(process.execPath, [...(options.program ?? [join(root, 'bin', 'usher'), 'serve'])], {
    env: {
      PATH: process.env['PATH'],
      USHER_DATA_DIR: options.dataDir,
      USHER_EDGE_PORT: String(edgePort),
      USHER_ADMIN_PORT: String(adminPort),
      USHER_ADMIN_TOKEN: ADMIN_TOKEN,
      USHER_ALLOW_PRIVATE_DESTINATIONS: '1',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const log: string[] = []
  const gone = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  await new Promise<void>((resolve, reject) => {
    const keep = (line: string) => {
      log.push(line)
      if (log.length > LOG_LINES_MAX) log.shift()
      if (line.includes('"msg":"ready"')) resolve()
    }
    createInterface({ input: child.stdout }).on('line', keep)
    createInterface({ input: child.stderr }).on('line', keep)
    void gone.then((code) => reject(new Error(`usher ended with ${code} before it was ready:\n${log.join('\n')}`)))
  })
  const adminUrl = `http://127.0.0.1:${adminPort}`
  const call = async (method: string, path: string, body?: unknown): Promise<string> => {
    const response = await fetch(adminUrl + path, {
      method,
      headers: {
        authorization: `Bearer ${ADMIN_TOKEN}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`)
    return text
  }
  return {
    edgeUrl: `http://127.0.0.1:${edgePort}`,
    adminUrl,
    process: child,
    log,
    async kill() {
      child.kill('SIGKILL')
      await gone
    },
    async stop() {
      child.kill('SIGTERM')
      return gone
    },
    async api<T>(method: string, path: string, body?: unknown): Promise<T> {
      const text = await call(method, path, body)
      return (text === '' ? undefined : JSON.parse(text)) as T
    },
    async verify() {
      const last = (await call('POST', '/v1/verify')).trim().split('\n').at(-1) ?? ''
      const { report } = JSON.parse(last) as { report: { findings: Record<string, { count: number }> } }
      return Object.values(report.findings).reduce((sum, { count }) => sum + count, 0)
    },
  }
}
