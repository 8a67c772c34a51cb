import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadConfig } from '../config.ts'
import type { DestinationId, ProfileId } from '../model/ids.ts'
import { openEmbeddedRecordStore } from '../store/embedded/embedded-record-store.ts'
import { SetAside } from '../store/embedded/set-aside.ts'
import { profileKey, toldKey } from '../store/keys.ts'
import { Kind } from '../store/record-kinds.ts'
import type { RecordStore } from '../store/record-store.ts'
import { defineOverApi } from '../testkit/define-over-api.ts'
import { startReceiver } from '../testkit/receiver.ts'
import { scanned } from '../testkit/scanned.ts'
import { startWholeServer } from '../testkit/start-whole-server.ts'
import { openStores, storePaths } from './stores.ts'
import { verifyDataDir } from './verify-data-dir.ts'

/** The whole server on tables with damaged blocks: what it must go on with. */
let dataDir = ''
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'usher-damage-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

const VISITORS = 400
const deviceOf = (visitor: number) => `6${String(visitor).padStart(37, '0')}`

test('with damaged blocks in its tables it starts, delivers, and tells everybody else out when their time has come [SEC-60] [AUD-89]', async () => {
  await using receiver = await startReceiver()
  const members = (segmentId: number) => receiver.state.members(String(segmentId))
  let segmentId = 0
  let dataSourceId = 0
  let records: RecordStore | undefined
  const wrapRecords = (opened: RecordStore) => {
    records = opened
    return opened
  }
  let keys: Buffer[][] = []
  const storedOf = async (of: readonly Buffer[]) => (await records?.getMany(of))?.map((one) => one !== undefined)
  {
    await using usher = await startWholeServer(dataDir, { wrapRecords })
    const defined = await defineOverApi(usher, {
      traits: [{ name: 'look', ttl: 30 }],
      segments: [{ name: 'lookers', rule: ({ look }) => `${look}T` }],
      url: `${receiver.url}/aam`,
      auth: { type: 'none' },
    })
    segmentId = defined.segmentIds[0] as number
    dataSourceId = defined.dataSourceId
    const call = (visitor: number) =>
      fetch(`${usher.edgeUrl}/event?d_uuid=${deviceOf(visitor)}&d_cid=${dataSourceId}%01p${visitor}&c_do=look`)
    for (let from = 0; from < VISITORS; from += 20)
      await Promise.all(Array.from({ length: 20 }, (_, i) => call(from + i)))
    await expect.poll(() => members(segmentId).length, { timeout: 30_000 }).toBe(VISITORS)
    // What is known of each, and what the partner was told of each.
    keys = Array.from({ length: VISITORS }, (_, visitor) => {
      const ids = [`d:${deviceOf(visitor)}`, `${dataSourceId}:p${visitor}`] as ProfileId[]
      return [...ids.map(profileKey), ...ids.map((id) => toldKey(id, defined.destinationId as DestinationId))]
    })
    for (const [visitor, of] of keys.entries()) {
      const isStored = await storedOf(of)
      keys[visitor] = of.filter((_, i) => isStored?.[i])
      expect(keys[visitor]?.length).toBeGreaterThanOrEqual(2)
    }
  }
  // Opening moves what was in the log into a table.
  await (await startWholeServer(dataDir)).close()
  const profiles = join(dataDir, 'profiles')
  for (const name of readdirSync(profiles).filter((name) => name.endsWith('.ldb'))) {
    const content = readFileSync(join(profiles, name))
    for (const share of [0, 0.3, 0.6]) {
      const at = Math.floor(content.length * share) + 500
      content.fill(0x5a, at, at + 200)
    }
    writeFileSync(join(profiles, name), content)
  }

  await using usher = await startWholeServer(dataDir, { wrapRecords })
  expect((await fetch(`${usher.edgeUrl}/readyz`)).status).toBe(200)
  const known: number[] = []
  for (const [visitor, of] of keys.entries()) if ((await storedOf(of))?.every((isThere) => isThere)) known.push(visitor)
  expect(known.length).toBeLessThan(VISITORS)
  expect(known.length).toBeGreaterThan(VISITORS / 2)

  // Of the others something is lost of what would have to be told.
  await usher.api('POST', '/v1/test/clock', { advanceMs: 32 * 86_400_000 })
  const left = () => members(segmentId).filter((id) => known.includes(Number(id.slice(1)))).length
  await expect.poll(left, { timeout: 30_000 }).toBe(0)
  const call = await fetch(`${usher.edgeUrl}/event?d_uuid=${deviceOf(9_999)}&d_cid=${dataSourceId}%01new&c_do=look`)
  expect(call.status).toBe(200)
  await expect.poll(() => members(segmentId).includes('new'), { timeout: 30_000 }).toBe(true)
})

test('who lost only the entry that says when is filed again at the next start [SEC-60] [AUD-89]', async () => {
  {
    await using usher = await startWholeServer(dataDir)
    for (const visitor of [1, 2, 3]) await fetch(`${usher.edgeUrl}/event?d_uuid=${deviceOf(visitor)}&c_do=look`)
  }
  const paths = storePaths({ dataDir, optOuts: { listFile: undefined } })
  const stored = await openEmbeddedRecordStore({ ...paths, durability: 'disk' })
  const filed = await scanned(stored, Kind.due)
  expect(filed).toHaveLength(3)
  for (const { key } of filed) await stored.commit({ puts: [], deletes: [key] })
  await stored.close()
  const ranges = [{ firstPartition: 0, lastPartition: 4_095, kinds: ['due'] }]
  const damage = { file: '000009.ldb', kind: 'table', places: 1, bytes: 1, isLost: true, ranges } as const
  await new SetAside(paths.asideFolder, () => 0).missing(damage)

  let records: RecordStore | undefined
  const wrapRecords = (opened: RecordStore) => {
    records = opened
    return opened
  }
  await using _usher = await startWholeServer(dataDir, { wrapRecords })
  await expect.poll(() => records && scanned(records, Kind.due)).toEqual(filed)
})

test('a damaged catalogue ends the start in a sentence, and lets go of the rest [SEC-60~]', async () => {
  await (await startWholeServer(dataDir)).close()
  const copy = join(dataDir, 'copy')
  for (const name of readdirSync(dataDir).filter((name) => !name.startsWith('catalog.sqlite')))
    cpSync(join(dataDir, name), join(copy, name), { recursive: true })
  writeFileSync(join(copy, 'catalog.sqlite'), Buffer.alloc(8_192, 0x5a))
  const sentence = /the definitions in .*catalog\.sqlite are damaged: .*Restore a backup/
  for (let i = 0; i < 2; i++) await expect(startWholeServer(copy)).rejects.toThrow(sentence)
})

test.each([
  ['missing', (file: string) => rmSync(file)],
  // Another file: SQLite may still have the old one open in this process, and complete it.
  ['empty', (file: string) => [rmSync(file), writeFileSync(file, '')]],
])(
  'definitions that are %s beside profiles stop the start and the check, and nothing is begun anew [SEC-60~]',
  async (_how, spoil) => {
    {
      await using usher = await startWholeServer(dataDir)
      await fetch(`${usher.edgeUrl}/event?d_uuid=${deviceOf(1)}&c_do=look`)
    }
    const file = join(dataDir, 'catalog.sqlite')
    for (const end of ['-wal', '-shm']) rmSync(file + end, { force: true })
    spoil(file)
    // The watch over the disk makes its reserve when it gets to it.
    const ours = () =>
      readdirSync(dataDir).filter((name) => /key$|^catalog/.test(name) && statSync(join(dataDir, name)).size > 0)
    const before = ours()
    await expect(startWholeServer(dataDir)).rejects.toThrow(
      /the definitions in .*catalog\.sqlite are missing.*holds profiles/,
    )
    expect(ours()).toEqual(before)
    const { catalog } = await verifyDataDir(loadConfig({ env: { USHER_DATA_DIR: dataDir } }), () => {})
    expect(catalog).toEqual([expect.stringMatching(/^the file is (missing|empty)$/)])
  },
)

test('a profile store that is gone stops the start; in a folder made for that it begins anew, and says so [SEC-60~]', async () => {
  await (await startWholeServer(dataDir)).close()
  const profiles = join(dataDir, 'profiles')
  rmSync(profiles, { recursive: true })
  await expect(startWholeServer(dataDir)).rejects.toThrow(/profiles is missing although.*make that folder yourself/)
  mkdirSync(profiles)
  const stores = await openStores(loadConfig({ env: { USHER_DATA_DIR: dataDir } }), {
    clock: () => 0,
    onCorrupt: () => {},
    log: () => {},
  })
  expect(stores.warnings).toContain(
    `${profiles} is empty although the data directory is in use: every profile begins anew.`,
  )
  await stores.close()
})
