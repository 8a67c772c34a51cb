import { link, mkdtemp, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { openError } from './level.ts'

const PREFIX = 'held-'

/**
 * Holds a folder of LevelDB as the database itself does while it is open, so that its files can be changed and nobody opens
 * it meanwhile: the lock lies on a file, which an empty database beside it shares under a second name.
 * @throws StoreLockedError when another process has it open
 */
export async function holdFolder(folder: string): Promise<AsyncDisposable> {
  const place = await mkdtemp(join(folder, PREFIX))
  await (await open(join(folder, 'LOCK'), 'a', 0o600)).close()
  // A device without second names has no such lock; then the operator's care must do.
  await link(join(folder, 'LOCK'), join(place, 'LOCK')).catch(() => {})
  const db = new ClassicLevel(place)
  try {
    await db.open()
  } catch (error) {
    await db.close().catch(() => {})
    await rm(place, { recursive: true, force: true })
    throw openError(folder, error)
  }
  return {
    async [Symbol.asyncDispose]() {
      await db.close()
      // A process that was killed may have left others.
      for (const name of await readdir(folder))
        if (name.startsWith(PREFIX)) await rm(join(folder, name), { recursive: true, force: true })
    },
  }
}
