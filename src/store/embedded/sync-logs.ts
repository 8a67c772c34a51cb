import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Brings every write-ahead log of a LevelDB folder to the device. LevelDB's own `sync` covers only the log it writes to;
 * when it changes to the next one, what was written without `sync` may still be in the system's memory, and a later
 * `sync` would leave a hole before it.
 */
export async function syncLogs(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.endsWith('.log')) await syncFile(join(folder, name))
  }
}

async function syncFile(path: string): Promise<void> {
  let file: Awaited<ReturnType<typeof open>>
  try {
    file = await open(path, 'r')
  } catch (error) {
    // Deleted meanwhile: its records are in a table, which is synced before the log goes.
    if ((error as { code?: unknown }).code === 'ENOENT') return
    throw error
  }
  try {
    await file.datasync()
  } finally {
    await file.close()
  }
}
