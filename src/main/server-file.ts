import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { UsherConfig } from '../config.ts'
import { isEveryAddress } from '../lib/listener-url.ts'
import type { Log } from '../lib/log.ts'

/**
 * Where a running server is, in its data directory, for the commands of this machine: they then need no configuration but
 * the folder, whatever ports, addresses and certificate the server has. Source: spec/operating.md [OPS-14].
 */
const RunningServer = z.object({
  pid: z.int().positive(),
  /** Without a trailing slash; empty in a process without that role. */
  edgeUrl: z.string(),
  adminUrl: z.string(),
  /** PEM of the listeners. It may be of any name: this file is the reason to trust it. */
  certificate: z.string().optional(),
  isReachedElsewhere: z.boolean(),
})
export type RunningServer = z.output<typeof RunningServer>

const FILE = 'server.json'

interface Listeners {
  readonly edge: { readonly url: string } | undefined
  readonly admin: { readonly url: string } | undefined
  readonly tls: { readonly cert: string } | undefined
}

/** @returns takes the file away; one of another process is left alone */
export function leaveAddresses(config: UsherConfig, { edge, admin, tls }: Listeners, log: Log): () => void {
  const path = join(config.dataDir, FILE)
  const server: RunningServer = {
    pid: process.pid,
    edgeUrl: edge?.url ?? '',
    adminUrl: admin?.url ?? '',
    ...(tls === undefined ? {} : { certificate: tls.cert }),
    isReachedElsewhere: isReachedElsewhere(config),
  }
  try {
    // Whole or not at all, since a command may read at any moment.
    writeFileSync(`${path}.new`, `${JSON.stringify(server, null, 2)}\n`, { mode: 0o600 })
    renameSync(`${path}.new`, path)
  } catch (error) {
    // A full disk: the server is of use without it, and commands can be told the address.
    log.warn('addresses.unwritten', { path, error })
  }
  return () => {
    if (readServerFile(path)?.pid === server.pid) rmSync(path, { force: true })
  }
}

/** People come by other addresses than commands of this machine. */
export function isReachedElsewhere({ host, tls }: Pick<UsherConfig, 'host' | 'tls'>): boolean {
  return isEveryAddress(host) || tls.endedInFront
}

/** @returns undefined where no server runs on this folder, as far as can be told */
export function findRunningServer(dataDir: string): RunningServer | undefined {
  const server = readServerFile(join(dataDir, FILE))
  return server !== undefined && isAlive(server.pid) ? server : undefined
}

function readServerFile(path: string): RunningServer | undefined {
  try {
    return RunningServer.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data
  } catch {
    // There is none, or it is of somebody else or not whole: as good as none.
    return undefined
  }
}

/** A server that was killed leaves its file behind. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
