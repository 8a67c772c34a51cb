import { readFileSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'

/** The layout of keys and records that this program reads and writes; raised by each change that older data would not survive. */
const LAYOUT = 2
const FILE = 'layout'

export function catalogFileOf(dataDir: string): string {
  return join(dataDir, 'catalog.sqlite')
}

/** The records of a data directory are laid out in another way than this program knows. */
export class LayoutError extends Error {
  readonly code = 'layout_unknown'
}

/** The catalogue is written after the keys, and the store too; either may be lost alone. */
export function isInUse(dataDir: string): boolean {
  return !isEmptyFile(catalogFileOf(dataDir)) || statSync(join(dataDir, 'profiles', 'CURRENT'), QUIET) !== undefined
}

export function isEmptyFile(path: string): boolean {
  return (statSync(path, QUIET)?.size ?? 0) === 0
}

const QUIET = { throwIfNoEntry: false } as const

/** @throws LayoutError where another version wrote the data directory; nothing in it is changed */
export function checkLayout(dataDir: string): void {
  if (!isInUse(dataDir)) return
  const found = readLayout(dataDir)
  if (found === LAYOUT) return
  const which = found === undefined ? 'an older' : found < LAYOUT ? 'an older' : 'a newer'
  throw new LayoutError(
    `the data directory ${dataDir} was written by ${which} version of Usher, which keeps its records in another way (layout ${found ?? 1}, this version: ${LAYOUT}). Nothing was changed. Start the version that wrote it, or begin anew in an empty folder (--data-dir, USHER_DATA_DIR). Where only the file layout was lost, see docs/damage.md`,
  )
}

/** Says for later starts how the records are laid out that are about to be written; does nothing where that is said. */
export async function noteLayout(dataDir: string): Promise<void> {
  if (readLayout(dataDir) !== undefined) return
  await using file = await open(join(dataDir, FILE), 'w', 0o600)
  await file.writeFile(`${LAYOUT}\n`)
  await file.sync()
}

/** @returns undefined where no file says it, or none that can be read */
function readLayout(dataDir: string): number | undefined {
  try {
    const text = readFileSync(join(dataDir, FILE), 'utf8')
    return /^[1-9][0-9]{0,5}\n?$/.test(text) ? Number.parseInt(text, 10) : undefined
  } catch {
    return undefined
  }
}
