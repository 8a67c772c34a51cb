import { loadConfig } from '../config.ts'
import { type Overrides, startUsher } from '../main.ts'
import { freePort } from './free-port.ts'
import { ADMIN_TOKEN } from './spawn-usher.ts'

/** The whole server in this process, on free ports; it may send to this machine. Ends with the block it is used in. */
export async function startWholeServer(
  dataDir: string,
  { env = {}, ...overrides }: Overrides & { readonly env?: Readonly<Record<string, string>> } = {},
) {
  const settings = {
    USHER_DATA_DIR: dataDir,
    USHER_EDGE_PORT: String(await freePort()),
    USHER_ADMIN_PORT: String(await freePort()),
    USHER_LOG_LEVEL: 'silent',
    USHER_ADMIN_TOKEN: ADMIN_TOKEN,
    USHER_ALLOW_PRIVATE_DESTINATIONS: '1',
    ...env,
  }
  const usher = await startUsher(loadConfig({ env: settings }), overrides)
  return Object.assign(usher, {
    /** A call of the REST API. @throws Error with the answer when it is not 2xx */
    async api<T>(method: string, path: string, body?: unknown): Promise<T> {
      const response = await fetch(usher.adminUrl + path, {
        method,
        headers: {
          authorization: `Bearer ${ADMIN_TOKEN}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`)
      return (text === '' ? undefined : JSON.parse(text)) as T
    },
    [Symbol.asyncDispose]: () => usher.close(),
  })
}
