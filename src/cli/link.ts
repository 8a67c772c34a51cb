import { DEFAULT_DATA_DIR } from '../config.ts'
import type { SetupLink } from '../contract.ts'
import { type ClientOptions, findServer } from './find-server.ts'

/** `usher link`: a new one-time link into the web UI [OPS-22]. */
export async function link(options: ClientOptions): Promise<void> {
  const server = findServer(options)
  try {
    const made = (await server.api.post('/v1/session/links', undefined)) as SetupLink
    const { baseUrl } = server.api
    process.stdout.write(
      options.json === true
        ? `${JSON.stringify({ url: setupUrl(baseUrl, made), expiresAt: made.expiresAt }, null, 2)}\n`
        : `${openLine(baseUrl, made, server.config.dataDir, server.isReachedElsewhere)}\n`,
    )
  } finally {
    server.close()
  }
}

/** The line on the terminal by which a person gets into the UI. @param isElsewhere people come by another address */
export function openLine(adminUrl: string, made: SetupLink, dataDir: string, isElsewhere: boolean): string {
  const place = isElsewhere ? `\n  (from another machine: its own name, or the proxy's, in place of ${adminUrl})` : ''
  return `Open ${setupUrl(adminUrl, made)}${place}\n  (works once, within an hour; a new one: ${linkCommand(dataDir)})`
}

/** Of a later start, whose first link is long used. */
export function signInLine(adminUrl: string, dataDir: string): string {
  return `To sign in at ${adminUrl}/ get a link that works once, with: ${linkCommand(dataDir)}`
}

/** The command as it finds the server of this data directory. */
function linkCommand(dataDir: string): string {
  return dataDir === DEFAULT_DATA_DIR ? 'bin/usher link' : `bin/usher link --data-dir ${quoted(dataDir)}`
}

/** As a shell takes it for one word. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

/** Behind `#`, so that the token is sent to no server and stands in no log. */
function setupUrl(adminUrl: string, { setupToken }: SetupLink): string {
  return `${adminUrl}/#setup=${setupToken}`
}
