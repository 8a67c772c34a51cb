import { copyFile, link, mkdir, open, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Damage } from '../damage.ts'

const NOTE = '.json'
const SETTLED = '.settled.json'

/**
 * The folder for what is damaged: each file as it was found, and beside it a note of what was wrong with it. A note stays
 * open, and is shown, until somebody settles it.
 */
export class SetAside {
  readonly folder: string
  readonly #nowMs: () => number

  constructor(folder: string, nowMs: () => number) {
    this.folder = folder
    this.#nowMs = nowMs
  }

  /**
   * Keeps a damaged file, then puts a mended one in its place; the note is written before, so that no crash makes it silent.
   * @param mended undefined: the file stays as it is
   */
  async replace(path: string, damage: Damage, mended: string | undefined): Promise<Damage> {
    const atMs = this.#nowMs()
    const setAside = await this.#keep(path, damage.file, atMs)
    const noted = { ...damage, setAside, atMs }
    await this.#note(setAside, noted)
    if (mended !== undefined) {
      await rename(mended, path)
      await syncFolder(dirname(path))
    }
    return noted
  }

  /** A note of a file that is not there. */
  async missing(damage: Damage): Promise<Damage> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 })
    const atMs = this.#nowMs()
    const noted = { ...damage, atMs }
    await this.#note(join(this.folder, `${stampOf(atMs)}-${damage.file}`), noted)
    return noted
  }

  /** The notes that nobody has settled, oldest first. */
  async notes(): Promise<Damage[]> {
    const notes: Damage[] = []
    for (const name of await this.#openNotes())
      notes.push(readNote(name, await readFile(join(this.folder, name), 'utf8')))
    return notes
  }

  /** Somebody knows of them: they are no longer shown. The files stay. */
  async settle(): Promise<void> {
    for (const name of await this.#openNotes())
      await rename(join(this.folder, name), join(this.folder, `${name.slice(0, -NOTE.length)}${SETTLED}`))
  }

  async #note(file: string, damage: Damage): Promise<void> {
    await writeFile(`${file}${NOTE}`, `${JSON.stringify(damage, null, 2)}\n`, { mode: 0o600, flush: true })
    await syncFolder(this.folder)
  }

  async #openNotes(): Promise<string[]> {
    const names = await readdir(this.folder).catch(() => [] as string[])
    return names.filter((name) => name.endsWith(NOTE) && !name.endsWith(SETTLED)).sort()
  }

  async #keep(path: string, file: string, atMs: number): Promise<string> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 })
    const stamp = stampOf(atMs)
    for (let turn = 1; ; turn++) {
      const kept = join(this.folder, `${stamp}-${turn === 1 ? '' : `${turn}-`}${file}`)
      try {
        await link(path, kept).catch(async (error: NodeJS.ErrnoException) => {
          if (error.code === 'EEXIST') throw error
          // A device without second names.
          await copyFile(path, kept, 1)
        })
        return kept
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
    }
  }
}

/** A note may be damaged too; that there was damage is certain from its name. */
function readNote(name: string, text: string): Damage {
  try {
    return JSON.parse(text) as Damage
  } catch {
    return { file: name, kind: 'log', places: 1, bytes: text.length, isLost: true, ranges: [] }
  }
}

function stampOf(atMs: number): string {
  return new Date(atMs).toISOString().replace(/[-:]|\.\d+/g, '')
}

export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync().catch(() => {}) // Not every system can.
  } finally {
    await handle.close()
  }
}
