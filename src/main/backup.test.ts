import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLog } from '../lib/log.ts'
import { openBackupDesk } from './backup.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'usher-desk-'))
  writeFileSync(join(folder, 'catalog.sqlite'), '')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** A store without end: how many pages of 64 KiB were read of it, and whether it was let go. */
function openEndlessStore() {
  const read = { pages: 0, isLetGo: false }
  async function* everything() {
    try {
      for (;;) {
        read.pages += 1
        yield [{ key: Buffer.from(`key ${read.pages}`), record: Buffer.alloc(65_536, read.pages) }]
      }
    } finally {
      read.isLetGo = true
    }
  }
  return { read, records: { everything, stats: async () => ({ diskBytes: 1 }) } }
}

function openDesk() {
  const { read, records } = openEndlessStore()
  const key = Buffer.alloc(32, 7)
  const secrets = { masterKey: key, optOutKey: key, ecidKey: key }
  const source = { records, catalogFile: join(folder, 'catalog.sqlite'), secrets, account: 1 }
  return { read, desk: openBackupDesk(source, { clock: () => 0, log: silentLog }) }
}

test('a second backup is refused while one is being made, and there is one again when it was broken off [SEC-90~]', async () => {
  const { read, desk } = openDesk()
  const first = await desk.start()
  expect(await desk.start()).toBeUndefined()
  // Of what nobody takes, a few pages wait; the store is not read ahead of whoever receives it.
  const chunks = first?.bytes.iterator({ destroyOnReturn: false })
  for (let i = 0; i < 3; i++) await chunks?.next()
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(read.pages).toBeGreaterThan(0)
  expect(read.pages).toBeLessThan(64)
  expect(await desk.start()).toBeUndefined()
  first?.bytes.destroy()
  await expect.poll(() => read.isLetGo).toBe(true)
  const next = await desk.start()
  expect(next).toBeDefined()
  next?.bytes.destroy()
})
