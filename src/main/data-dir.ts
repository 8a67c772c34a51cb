import { closeSync, existsSync, mkdirSync, openSync, realpathSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { ConfigError, type UsherConfig } from '../config.ts'
import { checkLayout, LayoutError } from './layout.ts'
import { closeFolder } from './private-folder.ts'

/** As long as the longest name below the folder, `profiles/MANIFEST-000000` and what SQLite hangs onto its file. */
const PROBE = '.usher-may-this-user-write-here'

/** Stands in a folder until a restore into it is done. */
const RESTORING = 'restore.unfinished'

export function restoreMarker(dataDir: string): string {
  return join(resolve(dataDir), RESTORING)
}

/**
 * Makes the data directory where it is missing, sees that this user may write there, and closes it to other users of this
 * machine, with all that is in it. From then on the process makes files for its own user only.
 * @returns sentences for the log: what stood open
 * @throws ConfigError with the reason, in words, or LayoutError; nothing of Usher has been written then
 */
export function openDataDir({ dataDir }: Pick<UsherConfig, 'dataDir'>): string[] {
  if (existsSync(restoreMarker(dataDir)))
    throw new ConfigError([
      `dataDir (USHER_DATA_DIR, --data-dir): a restore into ${dataDir} was begun and is not finished. Wait for it; or, where it broke off, empty the folder and restore again`,
    ])
  // Of the whole process, so that it also covers what SQLite and LevelDB make; a worker thread has none of its own.
  if (isMainThread && process.platform !== 'win32') process.umask(0o077)
  try {
    makeFolder(resolve(dataDir))
    checkLayout(dataDir)
    tryToWrite(join(resolve(dataDir), PROBE))
    return closeFolder(resolve(dataDir))
  } catch (error) {
    if (error instanceof LayoutError) throw error
    throw new ConfigError([
      `dataDir (USHER_DATA_DIR, --data-dir): ${explain(error, dataDir)}. Allowed: a folder that this user may write to`,
    ])
  }
}

/**
 * There from the first start on: a restore asks for it, also where nobody opted out yet. What is in it is judged later.
 * @throws ConfigError where it can neither be opened nor made: opt-outs would be missing in it
 */
export function makeOptOutList({ dataDir, optOuts }: Pick<UsherConfig, 'dataDir' | 'optOuts'>): void {
  const listFile = optOutListOf({ dataDir, optOuts })
  const refused = (why: string) =>
    new ConfigError([
      `optOuts.listFile (USHER_OPT_OUTS_LIST_FILE): ${why}. Allowed: a file of its own, in a folder that exists and that this user may write to`,
    ])
  if (![undefined, OPT_OUT_LIST].includes(wayWithin(listFile, dataDir)))
    throw refused(`${listFile} is in the data directory, where all other files are of Usher itself`)
  const stats = statSync(listFile, { throwIfNoEntry: false })
  if (stats !== undefined && !stats.isFile()) throw refused(`${listFile} is there and is no file`)
  try {
    closeSync(openSync(listFile, 'a', 0o600))
  } catch (error) {
    // On a full disk opt-outs are taken all the same, and the list is made whole later.
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return
    throw refused(explain(error, listFile))
  }
}

const OPT_OUT_LIST = 'opt-outs.list'

export function optOutListOf({ dataDir, optOuts }: Pick<UsherConfig, 'dataDir' | 'optOuts'>): string {
  return optOuts.listFile ?? join(dataDir, OPT_OUT_LIST)
}

/** The way from a folder to what is in it, whatever links lead there; undefined of anything else. */
export function wayWithin(path: string, folder: string): string | undefined {
  const real = (one: string) => (existsSync(one) ? realpathSync(one) : resolve(one))
  // What is not there yet has a folder that is.
  const place = existsSync(path) ? real(path) : join(real(dirname(resolve(path))), basename(path))
  const way = relative(real(folder), place)
  return isAbsolute(way) || way === '..' || way.startsWith(`..${sep}`) ? undefined : way
}

/**
 * Level by level from the first that exists: `mkdir` of Node with `recursive` never ends where a file system lets nobody
 * make folders, as in /proc.
 */
function makeFolder(folder: string): void {
  const missing: string[] = []
  for (let at = folder; statSync(at, { throwIfNoEntry: false }) === undefined && at !== dirname(at); at = dirname(at))
    missing.push(at)
  for (const path of missing.reverse()) mkdirUnlessThere(path)
  if (!statSync(folder).isDirectory()) mkdirSync(folder) // Says that something else is there.
}

function mkdirUnlessThere(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Another start may have been faster.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !isFolder(path)) throw error
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

/** Rights alone do not tell: root has all of them also where nobody can write. */
function tryToWrite(path: string): void {
  try {
    rmSync(path, { force: true })
    closeSync(openSync(path, 'wx', 0o600))
    rmSync(path)
  } catch (error) {
    // What a full disk means is decided, and said, by those who write.
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
}

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'this user has no right to write there',
  EPERM: 'this user has no right to write there',
  EROFS: 'the file system is mounted for reading only',
  ENOENT: 'no file or folder can be made there',
  ENOTDIR: 'a part of the path is a file',
  EEXIST: 'something that is no folder is in its place',
  ENAMETOOLONG: 'the path is too long',
  ELOOP: 'the path is a link that leads to itself',
  EDQUOT: 'the quota of this user is used up',
}

function explain(error: unknown, dataDir: string): string {
  const { code = '', message } = error as NodeJS.ErrnoException
  const words = WORDS[code]
  if (words === undefined) return message
  return `${code}, ${dataDir.length > 300 ? `${dataDir.slice(0, 300)}...` : dataDir}: ${words}`
}
