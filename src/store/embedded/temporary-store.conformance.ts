import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EmbeddedOptions, EmbeddedRecordStore } from './embedded-options.ts'
import { openEmbeddedRecordStore } from './embedded-record-store.ts'

export interface TemporaryStore extends AsyncDisposable {
  readonly folder: string
  readonly store: EmbeddedRecordStore
  /** Closes the store that is open and opens the folder again. */
  readonly reopen: (options?: Partial<EmbeddedOptions>) => Promise<EmbeddedRecordStore>
}

/** An embedded store in a folder of its own that goes with it. */
export async function openTemporaryStore(options: Partial<EmbeddedOptions> = {}): Promise<TemporaryStore> {
  const folder = await mkdtemp(join(tmpdir(), 'usher-store-'))
  let current = await openEmbeddedRecordStore({ folder, durability: 'process', ...options })
  return {
    folder,
    store: current,
    async reopen(changed = {}) {
      await current.close().catch(() => {})
      current = await openEmbeddedRecordStore({ folder, durability: 'process', ...options, ...changed })
      return current
    },
    async [Symbol.asyncDispose]() {
      await current.close().catch(() => {})
      await rm(folder, { recursive: true, force: true })
    },
  }
}
