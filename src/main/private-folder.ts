import { closeSync, constants, fchmodSync, fstatSync, openSync, readdirSync, type Stats } from 'node:fs'
import { join } from 'node:path'

/** The folder may not be used as it is. */
class FolderRefusedError extends Error {}

/** What tells a folder of Usher from one of somebody else. Nothing else in it is touched. */
const OWN =
  /^(?:catalog\.sqlite.*|profiles.*|backups?.*|quarantine.*|server\.json.*|admin\.token|opt-outs\.list.*|damaged|[a-z-]+\.key)$/
/** Of a freshly made file system, or hidden: neither makes a folder somebody else's. */
const OF_NOBODY = /^(?:lost\+found|\..*)$/

const OTHERS = 0o077
const OTHERS_MAY_WRITE = 0o002

/**
 * Takes every right of group and others from a folder and from what Usher keeps in it, links left alone. Each thing is opened first
 * and then judged and changed by what was opened, so that nobody can put something else in its place in between.
 * @param folder exists
 * @returns sentences for the log
 * @throws FolderRefusedError where closing it would harm others, or is not possible and leaves the data open
 */
export function closeFolder(folder: string): string[] {
  // Windows has no such bits: access there follows the folder above.
  if (process.platform === 'win32') return []
  return onOpened(folder, constants.O_DIRECTORY, (handle, stats) => {
    const mode = stats.mode & 0o7777
    if ((mode & OTHERS) === 0) {
      // Nobody could get at what is in it; a copy of it would be another matter.
      closeContents(folder)
      return []
    }
    const names = readdirSync(folder).filter((name) => !OF_NOBODY.test(name))
    if (names.length > 0 && !names.some((name) => OWN.test(name)))
      throw new FolderRefusedError(
        `${folder} holds files of others and is open to other users of this machine (mode ${octal(mode)}). ` +
          `Name a folder of its own, such as ${join(folder, 'usher')}, or close this one: chmod 700`,
      )
    if (!isOurs(stats)) return keepOpen(folder, mode, stats.uid)
    fchmodSync(handle, mode & ~OTHERS & 0o777)
    return [
      `${folder} could be read by other users of this machine (mode ${octal(mode)}); it is now closed to them.`,
      ...closeContents(folder),
    ]
  })
}

/** Only its owner can close it. What is in it is for us alone, which is enough unless others can change the folder. */
function keepOpen(folder: string, mode: number, owner: number): string[] {
  if ((mode & OTHERS_MAY_WRITE) !== 0)
    throw new FolderRefusedError(
      `${folder} belongs to user ${owner}, and every user of this machine may write there (mode ${octal(mode)}). ` +
        `Name a folder of its own, such as ${join(folder, 'usher')}`,
    )
  return [
    `${folder} belongs to user ${owner} and is open to others (mode ${octal(mode)}): they see the names of its files. ` +
      'The files themselves are closed to them. Let it belong to the user of this process, or make it mode 700.',
    ...closeContents(folder),
  ]
}

function closeContents(folder: string): string[] {
  const opened: string[] = []
  const visit = (path: string): void => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const child = join(path, entry.name)
      // Links and what is neither file nor folder are none of ours.
      if ((!entry.isFile() && !entry.isDirectory()) || (path === folder && !OWN.test(entry.name))) continue
      if (closeOne(child, entry.isDirectory() ? constants.O_DIRECTORY : 0)) opened.push(child)
      if (entry.isDirectory()) visit(child)
    }
  }
  visit(folder)
  if (opened.length === 0) return []
  const shown = opened.slice(0, 5).join(', ')
  return [
    `Other users of this machine had rights to ${opened.length} of the files in ${folder}, now restricted: ${shown}` +
      `${opened.length > 5 ? ', ...' : ''}. Consider the secrets among them known.`,
  ]
}

/** @returns whether it was open to others */
function closeOne(path: string, flags: number): boolean {
  try {
    return onOpened(path, flags | constants.O_NOFOLLOW, (handle, stats) => {
      if ((stats.mode & OTHERS) === 0 || !isOurs(stats)) return false
      fchmodSync(handle, stats.mode & 0o777 & ~OTHERS)
      return true
    })
  } catch (error) {
    // Gone meanwhile, or of somebody else: he who may not open it will be told when it is used.
    if (['ENOENT', 'EACCES', 'EPERM', 'ELOOP', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return false
    throw error
  }
}

function onOpened<Result>(path: string, flags: number, work: (handle: number, stats: Stats) => Result): Result {
  const handle = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | flags)
  try {
    return work(handle, fstatSync(handle))
  } finally {
    closeSync(handle)
  }
}

/** Root may change what belongs to others. */
function isOurs({ uid }: Stats): boolean {
  const own = process.geteuid?.()
  return own === uid || own === 0
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0')
}
