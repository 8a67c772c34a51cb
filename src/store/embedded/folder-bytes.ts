import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Bytes that the files of a folder take; LevelDB deletes some of them at any moment. */
export async function folderBytes(folder: string): Promise<number> {
  let bytes = 0
  for (const name of await readdir(folder)) {
    const file = await stat(join(folder, name)).catch(() => undefined)
    bytes += file?.size ?? 0
  }
  return bytes
}
