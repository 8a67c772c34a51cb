import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Damage } from '../damage.ts'
import { liveLogs } from './check-folder.ts'

/**
 * A log that ends too early is what every crash leaves, and no damage. After a stop in good order nothing may be missing: its
 * logs are noted then, and compared before the next opening [SEC-60].
 */
const FILE = 'clean-stop.json'
const Note = z.record(z.string(), z.int().nonnegative())

/** The database was closed, and nobody else has opened it. */
export async function noteCleanStop(folder: string): Promise<void> {
  const logs = (await readdir(folder)).filter((name) => /^\d+\.log$/.test(name))
  const sizes = await Promise.all(logs.map(async (name) => [name, (await stat(join(folder, name))).size] as const))
  await writeFile(join(folder, FILE), `${JSON.stringify(Object.fromEntries(sizes))}\n`, { mode: 0o600, flush: true })
}

/** Logs that lost their end since a stop in good order. @param logNumber the first that the database reads */
export async function findShortened(folder: string, logNumber: number): Promise<Damage[]> {
  const noted = await readNote(folder)
  const found: Damage[] = []
  for (const file of await liveLogs(folder, logNumber)) {
    const { size } = await stat(join(folder, file))
    const bytes = (noted[file] ?? 0) - size
    if (bytes > 0) found.push({ file, kind: 'log', places: 1, bytes, isLost: true, ranges: [] })
  }
  return found
}

/** Before anything is written to the folder again. */
export async function forgetCleanStop(folder: string): Promise<void> {
  await rm(join(folder, FILE), { force: true })
}

/** One that is not whole says nothing. */
async function readNote(folder: string): Promise<Readonly<Record<string, number>>> {
  try {
    return Note.parse(JSON.parse(await readFile(join(folder, FILE), 'utf8')))
  } catch {
    return {}
  }
}
