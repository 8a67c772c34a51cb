import type { FolderCare } from './folder-care.ts'

/** Damage of a database in use: it is looked for while everything goes on, then mended while the database is closed. */
export class Mending {
  readonly #care: FolderCare
  readonly #reopen: () => Promise<void>
  readonly #log: (event: string, fields: Record<string, unknown>) => void
  readonly #stopped = new AbortController()
  #running: Promise<boolean> | undefined

  /** @param reopen closes the database and opens it again with care */
  constructor(
    care: FolderCare,
    reopen: () => Promise<void>,
    log: (event: string, fields: Record<string, unknown>) => void,
  ) {
    this.#care = care
    this.#reopen = reopen
    this.#log = log
  }

  /** Reading met damage. Each is followed up once at a time. */
  met(from?: Buffer, to?: Buffer): void {
    if (this.#isStopped) return
    this.#running ??= this.#mend(this.#care.find(from, to)).finally(() => {
      this.#running = undefined
    })
  }

  /** Reads all that is stored, slowly, for damage that nobody has met. */
  readThrough(): void {
    void this.#mend(this.#care.readThrough(this.#stopped.signal))
  }

  /** What was met before is followed up when it resolves: whether it is out of the way now. */
  async followedUp(): Promise<boolean> {
    return (await this.#running) ?? false
  }

  stop(): void {
    this.#stopped.abort()
  }

  get #isStopped(): boolean {
    return this.#stopped.signal.aborted
  }

  async #mend(finding: Promise<boolean>): Promise<boolean> {
    try {
      const isFound = await finding
      if (isFound && !this.#isStopped) await this.#reopen()
      return isFound
    } catch (error) {
      if (!this.#isStopped) this.#log('store.mend_failed', { error: String(error) })
      return false
    }
  }
}
