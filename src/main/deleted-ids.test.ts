import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ExplainView, ProfileView } from '../contract.ts'
import { type DeviceId, deviceProfileId } from '../model/ids.ts'
import { PARTITIONS } from '../model/partition.ts'
import { isMember, type Profile } from '../model/profile.ts'
import { profileKey } from '../store/keys.ts'
import { openProfileStore } from '../store/profiles.ts'
import { Kind } from '../store/record-kinds.ts'
import { type RecordStore, StoreUnavailableError } from '../store/record-store.ts'
import { startWholeServer } from '../testkit/start-whole-server.ts'
import { withOverrides } from '../testkit/with-overrides.ts'

/** Deleted and made again under the same id [OPS-44]: the whole server, and visitors who do not come. */
let dataDir = ''
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'usher-deleted-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

type Server = Awaited<ReturnType<typeof startWholeServer>>
const SHOES = 200_001
const SEGMENT = 200_002
const SHOP = 5_001
const HOLDER = '7'.repeat(38)
const OTHER = `${'7'.repeat(37)}8`

/** While `isHeld` the walk over profiles gets nothing to read, and tries again every second. */
class Held {
  isHeld = false
  /** Partitions that the walk began to read. */
  partitionsRead = 0
  /** Commits of this device wait for it. */
  waiting: { readonly device: string; readonly until: Promise<void>; count: number } | undefined
  records: RecordStore | undefined
  readonly wrapRecords = (opened: RecordStore) => {
    this.records = opened
    return withOverrides(opened, {
      scan: (kind, options) => {
        // The start looks whether there is any.
        if (kind === Kind.profile && options?.limitEach === undefined) this.partitionsRead += 1
        if (this.isHeld && kind === Kind.profile) throw new StoreUnavailableError('held')
        return opened.scan(kind, options)
      },
      commit: async (commit, durability) => {
        const key = profileKey(deviceProfileId((this.waiting?.device ?? '') as DeviceId))
        if (this.waiting !== undefined && commit.guard?.key.equals(key)) {
          this.waiting.count += 1
          await this.waiting.until
        }
        return opened.commit(commit, durability)
      },
    })
  }

  /** As it is stored: whoever looks at a profile by the API has it evaluated first. */
  async stored(device: string): Promise<Profile | undefined> {
    const profiles = await openProfileStore(this.records as RecordStore, { optOutKey: Buffer.alloc(32) })
    return (await profiles.getMany([deviceProfileId(device as DeviceId)]))[0]
  }
}

const makeShop = (usher: Server) =>
  usher.api('POST', '/v1/datasources/', { dataSourceId: SHOP, name: 'shop', integrationCode: 'shop', idType: 'COOKIE' })
const makeTrait = (usher: Server, traitRule: string, dataSourceId = 1_000) =>
  usher.api('POST', '/v1/traits/', {
    sid: SHOES,
    name: 'shoes',
    traitRule,
    traitType: 'RULE_BASED_TRAIT',
    folderId: 0,
    dataSourceId,
  })
const makeSegment = (usher: Server) =>
  usher.api('POST', '/v1/segments/', {
    sid: SEGMENT,
    name: 'buyers',
    segmentRule: `${SHOES}T`,
    folderId: 0,
    dataSourceId: 1_000,
  })
const visit = (usher: Server, device: string, query: string) =>
  fetch(`${usher.edgeUrl}/event?d_uuid=${device}&d_rtbd=json&${query}`)
const isIn = (profile: Profile | undefined) =>
  profile !== undefined && isMember(profile.segments, SEGMENT as Parameters<typeof isMember>[1])
/** Made as soon as the server lets it be. */
const made = (make: () => Promise<unknown>) =>
  expect.poll(() => make().then(() => 'made', String), { timeout: 20_000, interval: 100 }).toBe('made')

test('a trait made again under the sid of a deleted one has no holder from before, also when the server was stopped in between [AUD-59] [OPS-44]', async () => {
  const held = new Held()
  {
    await using usher = await startWholeServer(dataDir, held)
    await makeTrait(usher, 'c_do == "look"')
    await makeSegment(usher)
    await expect
      .poll(async () => {
        await visit(usher, HOLDER, 'c_do=look')
        return isIn(await held.stored(HOLDER))
      })
      .toBe(true)
    await visit(usher, OTHER, 'c_do=nothing')

    held.isHeld = true
    await usher.api('DELETE', `/v1/segments/${SEGMENT}`)
    await usher.api('DELETE', `/v1/traits/${SHOES}`)
    await expect(makeTrait(usher, 'c_do == "buy"')).rejects.toThrow(/answered 409: .*id_leaving.*taken out of profiles/)
  }
  {
    await using usher = await startWholeServer(dataDir, held)
    await expect(makeTrait(usher, 'c_do == "buy"')).rejects.toThrow('id_leaving')
    expect([...((await held.stored(HOLDER))?.traits.sids ?? [])]).toEqual([SHOES])
  }

  held.isHeld = false
  await using usher = await startWholeServer(dataDir, held)
  await made(() => makeTrait(usher, 'c_do == "buy"'))
  expect([...((await held.stored(HOLDER))?.traits.sids ?? [])]).toEqual([])
  // Nobody is written who had nothing of it.
  expect((await held.stored(OTHER))?.revision).toBe(1)
  await made(() => makeSegment(usher))
  await expect
    .poll(async () => {
      await visit(usher, OTHER, 'c_do=buy')
      return isIn(await held.stored(OTHER))
    })
    .toBe(true)

  const holder = await usher.api<ProfileView>('GET', `/v1/profiles/${HOLDER}`)
  expect(holder.traits).toEqual([])
  expect(holder.segments.filter(({ status }) => status === 'in')).toEqual([])
  expect(isIn(await held.stored(HOLDER))).toBe(false)
  const explain = (device: string) =>
    usher.api<ExplainView>('GET', `/v1/profiles/${device}/explain?segmentId=${SEGMENT}`)
  expect((await explain(HOLDER)).inSince).toBeNull()
  expect((await explain(OTHER)).inSince).not.toBeNull()
}, 60_000)

test('a data source made again under the id of a deleted one knows no visitor by the IDs of the one before [AUD-59~] [OPS-44]', async () => {
  const held = new Held()
  await using usher = await startWholeServer(dataDir, held)
  await makeShop(usher)
  await expect
    .poll(async () => {
      await visit(usher, HOLDER, `d_cid=${SHOP}%01old`)
      return (await held.stored(HOLDER))?.links.length
    })
    .toBe(1)
  await usher.api('GET', `/v1/profiles/${SHOP}:old`)

  held.isHeld = true
  await usher.api('DELETE', `/v1/datasources/${SHOP}`)
  await expect(makeShop(usher)).rejects.toThrow(/answered 409: .*id_leaving/)
  held.isHeld = false
  await made(() => makeShop(usher))
  expect((await held.stored(HOLDER))?.links).toEqual([])
  await expect(usher.api('GET', `/v1/profiles/${SHOP}:old`)).rejects.toThrow('answered 404')
}, 60_000)

test('a call that was at work when its trait was deleted leaves nothing of it: the walk waits for it [AUD-59]', async () => {
  const held = new Held()
  await using usher = await startWholeServer(dataDir, held)
  const traitsAfterVisit = async (device: string) => {
    await visit(usher, device, 'c_do=look')
    return [...((await held.stored(device))?.traits.sids ?? [])]
  }
  await makeTrait(usher, 'c_do == "look"')
  await expect.poll(() => traitsAfterVisit(OTHER)).toEqual([SHOES])
  // The walk of every first start.
  await expect.poll(() => held.partitionsRead, { timeout: 20_000 }).toBe(PARTITIONS)

  let goOn: () => void = () => {}
  const until = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const waiting = { device: HOLDER, until, count: 0 }
  held.waiting = waiting
  const atWork = visit(usher, HOLDER, 'c_do=look').catch(String)
  await expect.poll(() => waiting.count).toBe(1)
  held.partitionsRead = 0
  await usher.api('DELETE', `/v1/traits/${SHOES}`)
  // New visitors show that the rules without it are in force.
  let visitors = 0
  await expect.poll(() => traitsAfterVisit(String(++visitors).padStart(38, '5')), { timeout: 10_000 }).toEqual([])
  expect(held.partitionsRead).toBe(0)
  await expect(makeTrait(usher, 'c_do == "buy"')).rejects.toThrow('id_leaving')
  goOn()
  await atWork
  await made(() => makeTrait(usher, 'c_do == "buy"'))
  expect([...((await held.stored(HOLDER))?.traits.sids ?? [])]).toEqual([])
  expect([...((await held.stored(OTHER))?.traits.sids ?? [])]).toEqual([])
}, 60_000)
