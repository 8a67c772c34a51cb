import { setImmediate } from 'node:timers/promises'
import Libsql from 'libsql'

/** 64 KiB of pages of the usual size. */
const PAGES = 16
const BUSY_MS = 5_000

/**
 * The bytes of a catalogue's file as they were at the first of them, whatever is written meanwhile: page by page through a
 * reader of its own, so that neither a write nor an event waits for it.
 */
export async function* copyCatalog(file: string): AsyncGenerator<Buffer> {
  const reader = new Libsql(file, { timeout: BUSY_MS })
  try {
    reader.exec('PRAGMA query_only = ON; BEGIN')
    const read = reader.prepare('SELECT data FROM sqlite_dbpage WHERE pgno BETWEEN ? AND ?')
    for (let first = 1; ; first += PAGES) {
      const pages = read.all([first, first + PAGES - 1]) as { readonly data: Uint8Array }[]
      if (pages.length > 0) yield Buffer.concat(pages.map(({ data }) => Buffer.from(data)))
      if (pages.length < PAGES) return
      await setImmediate()
    }
  } finally {
    reader.close()
  }
}
