import { DEFAULT_DATA_DIR } from '../config.ts'
import type { SetupLink } from '../contract.ts'
import { type ClientOptions, findServer } from './find-server.ts'

/** `usher link`: a new one-time link into the web UI [OPS-22]. */
export async function link(options: ClientOptions): Promise<void> {
  const server = findServer(options)
  try {
    const made = (await server.api.post('/v1/session/links', undefined)) as SetupLink
    const url = setupUrl(server.api.baseUrl, made)
    process.stdout.write(
      options.json === true
        ? `${JSON.stringify({ url, expiresAt: made.expiresAt }, null, 2)}\n`
        : `${openLine(server.api.baseUrl, made, server.config.dataDir)}\n`,
    )
  } finally {
    server.close()
  }
}

/** The line on the terminal by which a person gets into the UI. */
export function openLine(adminUrl: string, made: SetupLink, dataDir: string): string {
  const where = dataDir === DEFAULT_DATA_DIR ? '' : ` --data-dir ${dataDir}`
  return `Open ${setupUrl(adminUrl, made)}\n  (works once, within an hour; a new one: bin/usher link${where})`
}

/** Behind `#`, so that the token is sent to no server and stands in no log. */
function setupUrl(adminUrl: string, { setupToken }: SetupLink): string {
  return `${adminUrl}/#setup=${setupToken}`
}
