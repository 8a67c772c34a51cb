import { existsSync, lstatSync } from 'node:fs'
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { isDiskFull } from '../lib/disk-space.ts'
import { ServerUnreachableError } from '../lib/http-client.ts'
import type { RestClient } from '../lib/rest-client.ts'
import { wayWithin } from '../main/data-dir.ts'
import { ABOUT_BYTES_HEADER, backupDataDir } from '../main.ts'
import { UsageError } from './failure.ts'
import { type ClientOptions, seekServer } from './find-server.ts'
import { createProgress, type Progress } from './progress.ts'

export interface BackupOptions extends ClientOptions {
  /** Replaces a file that is there. */
  readonly force?: boolean
}

/** No backup was made; nothing of it is left. */
class BackupFailedError extends Error {
  readonly code = 'backup_failed'
}

interface Incoming {
  readonly bytes: AsyncIterable<Buffer>
  readonly aboutBytes: number
}

/**
 * `usher backup` [OPS-14], [SEC-90]: asks the running server, which owns the stores; if none answers, reads the data directory
 * itself, unless `--url` named a server. The file is there once it is whole, and on the device.
 */
export async function backup(path: string, options: BackupOptions): Promise<void> {
  const server = seekServer(options)
  const progress = createProgress()
  try {
    mustBeFree(path, server.config.dataDir, options.force === true)
    const write = (incoming: Incoming) => writeFile(path, incoming, progress)
    const own = () => backupDataDir(server.config, write)
    await (server.api === undefined ? own() : fromServer(server.api, write)).catch((error: unknown) => {
      if (!(error instanceof ServerUnreachableError) || options.url !== undefined) throw error
      return own()
    })
    progress.end()
    const { size } = await stat(path)
    const said = `Backup written to ${path} (${size} bytes). It opens only with the master key, which is not in it.\nKeep the list of opt-outs too, from now until a restore: docs/backup.md\n`
    process.stdout.write(options.json === true ? `${JSON.stringify({ file: path, bytes: size }, null, 2)}\n` : said)
  } finally {
    progress.end()
    server.close()
  }
}

/** @throws UsageError: a backup takes the place of nothing but another file, and of none of Usher's own */
function mustBeFree(path: string, dataDir: string, mayReplace: boolean): void {
  if (path === '') throw new UsageError('the name of the file is empty')
  if (wayWithin(path, dataDir) !== undefined)
    throw new UsageError(`${path} is in the data directory: name a file outside of it, best on another disk`)
  for (const one of [path, `${path}.part`]) {
    const stats = lstatSync(one, { throwIfNoEntry: false })
    if (stats !== undefined && !stats.isFile())
      throw new UsageError(`${one} is there and is no file of its own (a folder, a link or a device): name another`)
  }
  if (existsSync(path) && !mayReplace)
    throw new UsageError(`${path} is there already: name another file, or replace it with --force`)
}

async function fromServer(api: RestClient, write: (incoming: Incoming) => Promise<void>): Promise<void> {
  const { headers, bytes } = await api.download('/v1/backups', { idleTimeoutMs: 60_000 })
  await write({ bytes: told(bytes), aboutBytes: Number(headers[ABOUT_BYTES_HEADER]) || 0 })
}

async function* told(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* bytes
  } catch (cause) {
    throw new BackupFailedError('the server broke off its answer, no backup was made; its log says why', { cause })
  }
}

/** Beside its place first, for this user only. */
async function writeFile(path: string, incoming: Incoming, progress: Progress): Promise<void> {
  const part = `${path}.part`
  try {
    // Of an earlier try; its rights may be others.
    await rm(part, { force: true })
    const file = await open(part, 'wx', 0o600)
    try {
      await copy(incoming, file, progress)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(part, path)
    await syncFolder(dirname(resolve(path)))
  } catch (error) {
    await rm(part, { force: true }).catch(() => {})
    throw explain(error, path)
  }
}

async function copy({ bytes, aboutBytes }: Incoming, file: FileHandle, progress: Progress): Promise<void> {
  let done = 0
  for await (const part of bytes) {
    await file.writeFile(part)
    done += part.length
    progress.show(done, Math.max(aboutBytes, done), 'written')
  }
}

async function syncFolder(path: string): Promise<void> {
  // Windows has no such thing.
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function explain(error: unknown, path: string): unknown {
  const { syscall, message } = error as NodeJS.ErrnoException
  if (isDiskFull(error))
    return new BackupFailedError(
      `there is no room left for ${path}: no backup was made, and what was written of it is removed. Free some space there, or name a file on another disk`,
      { cause: error },
    )
  return syscall === undefined
    ? error
    : new BackupFailedError(`${path} cannot be written: ${message}`, { cause: error })
}
