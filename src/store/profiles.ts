import type { FollowUp } from '../model/follow-up.ts'
import type { DestinationId, EventId, ProfileId } from '../model/ids.ts'
import type { Profile } from '../model/profile.ts'
import { DueIndex } from './due-index.ts'
import type { Durability } from './durability.ts'
import { openFollowUp, sealFollowUp, storedFollowUps } from './follow-up-record.ts'
import { besideProfile, dueKey, partitionOfKey, profileKey, readProfileKey } from './keys.ts'
import { openOptOut, optOutKeys, sealOptOut } from './opt-out-record.ts'
import { sealOutboxMarker } from './outbox-marker.ts'
import { openProfile, sealProfile } from './profile-codec.ts'
import type { OptOut, ProfileStore, ProfileUpdate, StoredFollowUp } from './profile-store.ts'
import { Quarantine } from './quarantine.ts'
import { RecordCorruptError, sealRecord } from './record.ts'
import { Kind } from './record-kinds.ts'
import { type Commit, type RecordStore, type StoredRecord, StoreUnavailableError } from './record-store.ts'

export interface ProfileStoreOptions {
  /** Secret of the keyed hashes under which opt-outs are kept [SEC-79]; at least 16 bytes, never changed. */
  readonly optOutKey: Buffer
  /** Hears of each damaged record once [SEC-60]. */
  readonly onCorrupt?: (key: Buffer) => void
  readonly log?: (event: string, fields: Record<string, unknown>) => void
}

const OPT_OUT_KEY_BYTES_MIN = 16
const OPT_OUT_ATTEMPTS_MAX = 10
/** A due entry says everything in its key. */
const DUE_RECORD = sealRecord(1, 0, Buffer.alloc(0))

/** The entry under which a profile is found when its time has come. */
export function dueRecord({ id, dueMs }: Pick<Profile, 'id' | 'dueMs'>): StoredRecord {
  return { key: dueKey(id, dueMs), record: DUE_RECORD }
}

/** Profiles over any engine. Closing it closes the engine. */
export async function openProfileStore(records: RecordStore, options: ProfileStoreOptions): Promise<ProfileStore> {
  if (options.optOutKey.length < OPT_OUT_KEY_BYTES_MIN)
    throw new RangeError(`optOutKey has less than ${OPT_OUT_KEY_BYTES_MIN} bytes`)
  const onCorrupt = (key: Buffer) => {
    options.log?.('store.record_corrupt', { key: key.toString('hex') })
    options.onCorrupt?.(key)
  }
  const quarantine = new Quarantine(records, onCorrupt)
  const due = await DueIndex.open(records, (damaged) => quarantine.set(damaged))
  return new Profiles(records, options.optOutKey, due, quarantine, onCorrupt)
}

class Profiles implements ProfileStore {
  readonly #records: RecordStore
  readonly #due: DueIndex
  readonly #quarantine: Quarantine
  readonly #onCorrupt: (key: Buffer) => void
  readonly #optOutKey: (profileId: ProfileId) => Buffer

  constructor(
    records: RecordStore,
    optOutSecret: Buffer,
    due: DueIndex,
    quarantine: Quarantine,
    onCorrupt: (key: Buffer) => void,
  ) {
    this.#records = records
    this.#due = due
    this.#optOutKey = optOutKeys(optOutSecret)
    this.#quarantine = quarantine
    this.#onCorrupt = onCorrupt
  }

  async getMany(profileIds: readonly ProfileId[]): Promise<(Profile | undefined)[]> {
    const keys = profileIds.map(profileKey)
    return this.#openProfiles(profileIds, keys, await this.#records.getMany(keys))
  }

  async getWithOptOuts(profileIds: readonly ProfileId[]): ReturnType<ProfileStore['getWithOptOuts']> {
    const count = profileIds.length
    const keys = [...profileIds.map(profileKey), ...profileIds.map(this.#optOutKey)]
    const records = await this.#records.getMany(keys)
    const opened = this.#openProfiles(profileIds, keys, records)
    const optOuts = profileIds.map((_, i) => this.#openOptOut(keys[count + i] as Buffer, records[count + i]))
    // Waited for only when a damaged record is being set aside.
    return { profiles: opened instanceof Promise ? await opened : opened, optOuts }
  }

  async commit(update: ProfileUpdate, durability?: Durability): Promise<boolean> {
    const { profile, previousDueMs } = update
    const key = profileKey(profile.id)
    const revision = profile.revision + 1
    const puts: StoredRecord[] = [{ key, record: sealProfile(profile, revision) }]
    const deletes: Buffer[] = []
    if (profile.dueMs !== previousDueMs) {
      if (previousDueMs !== 0) deletes.push(besideProfile(key, Kind.due, Math.floor(previousDueMs / 1000)))
      if (profile.dueMs !== 0)
        puts.push({ key: besideProfile(key, Kind.due, Math.floor(profile.dueMs / 1000)), record: DUE_RECORD })
    }
    if (update.outbox.length > 0) {
      const marker = sealOutboxMarker({ revision, atMs: update.nowMs ?? profile.lastSeenMs })
      for (const destinationId of update.outbox)
        puts.push({ key: besideProfile(key, Kind.outbox, destinationId), record: marker })
    }
    const followUps = storedFollowUps(partitionOfKey(key), update.eventId, update.followUps)
    for (const followUp of followUps) puts.push(sealFollowUp(followUp))
    const absent = update.unlessOptedOut ? [this.#optOutKey(profile.id)] : []
    const commit: Commit = { guard: { key, revision: profile.revision }, absent, puts, deletes }
    try {
      return await this.#records.commit(commit, durability)
    } finally {
      // Also after an unknown outcome: an entry that is expected too early costs one look.
      if (profile.dueMs !== 0) this.#due.filed(partitionOfKey(key), profile.dueMs)
    }
  }

  due(nowMs: number, limit: number): Promise<readonly { readonly profileId: ProfileId; readonly dueMs: number }[]> {
    return this.#due.due(nowMs, limit)
  }

  nextDueMs(): number {
    return this.#due.nextDueMs()
  }

  async dropDue(profileId: ProfileId, dueMs: number): Promise<void> {
    const [profile] = await this.getMany([profileId])
    if (profile?.dueMs === dueMs) return
    const guard = { key: profileKey(profileId), revision: profile?.revision ?? 0 }
    await this.#records.commit({ guard, puts: [], deletes: [dueKey(profileId, dueMs)] })
  }

  async refileDue(partition: number): Promise<number> {
    let count = 0
    for await (const page of this.scan(partition)) {
      const filed = page.filter(({ dueMs }) => dueMs !== 0)
      const entries = await this.#records.getMany(filed.map(({ id, dueMs }) => dueKey(id, dueMs)))
      for (const [i, profile] of filed.entries()) {
        if (entries[i] !== undefined) continue
        const { key, record } = dueRecord(profile)
        const guard = { key: profileKey(profile.id), revision: profile.revision }
        if (!(await this.#records.commit({ guard, puts: [{ key, record }], deletes: [] }))) continue
        this.#due.filed(partition, profile.dueMs)
        count += 1
      }
    }
    return count
  }

  async *scan(partition: number, options: { readonly pageSize?: number } = {}): AsyncIterable<readonly Profile[]> {
    const pages = this.#records.scan(Kind.profile, { from: partition, to: partition + 1, ...options })
    for await (const { records } of pages) {
      const profiles = await this.#openPage(records, ({ key, record }) => openProfile(readProfileKey(key), record))
      if (profiles.length > 0) yield profiles
    }
  }

  async *pendingFollowUps(): AsyncIterable<StoredFollowUp> {
    for await (const { records } of this.#records.scan(Kind.followUp))
      yield* await this.#openPage(records, openFollowUp)
  }

  async finishFollowUp(followUp: StoredFollowUp): Promise<void> {
    // If it is lost with a crash the follow-up is repeated, which does no harm.
    await this.#records.commit({ puts: [], deletes: [followUp.key] }, 'memory')
  }

  async optOuts(profileIds: readonly ProfileId[]): Promise<(OptOut | undefined)[]> {
    const keys = profileIds.map(this.#optOutKey)
    const records = await this.#records.getMany(keys)
    return records.map((record, i) => this.#openOptOut(keys[i] as Buffer, record))
  }

  async recordOptOut(
    profileId: ProfileId,
    optOut: OptOut,
    eventId: EventId,
    followUps: readonly FollowUp[],
  ): Promise<readonly StoredFollowUp[]> {
    const key = this.#optOutKey(profileId)
    const stored = storedFollowUps(partitionOfKey(key), eventId, followUps)
    for (let attempt = 1; attempt <= OPT_OUT_ATTEMPTS_MAX; attempt++) {
      const [record] = await this.#records.getMany([key])
      const before = record === undefined ? undefined : openOptOut(record)
      // A narrower opt-out that comes later takes nothing back from a wider one.
      const kept = before?.optOut.level === 'global' && optOut.level !== 'global' ? before.optOut : optOut
      const revision = before?.revision ?? 0
      const puts = [{ key, record: sealOptOut(kept, Math.max(revision, 0) + 1) }, ...stored.map(sealFollowUp)]
      if (await this.#records.commit({ guard: { key, revision }, puts, deletes: [] }, 'disk')) return stored
    }
    throw new StoreUnavailableError(`an opt-out changed ${OPT_OUT_ATTEMPTS_MAX} times while it was recorded`)
  }

  async remove(
    profile: Profile,
    eventId: EventId,
    followUps: readonly FollowUp[],
    outbox: readonly DestinationId[] = [],
  ): Promise<boolean> {
    const key = profileKey(profile.id)
    const puts = storedFollowUps(partitionOfKey(key), eventId, followUps).map(sealFollowUp)
    const deletes = [key, ...outbox.map((destinationId) => besideProfile(key, Kind.outbox, destinationId))]
    if (profile.dueMs !== 0) deletes.push(dueKey(profile.id, profile.dueMs))
    return this.#records.commit({ guard: { key, revision: profile.revision }, puts, deletes })
  }

  close(): Promise<void> {
    return this.#records.close()
  }

  #openProfiles(
    profileIds: readonly ProfileId[],
    keys: readonly Buffer[],
    records: readonly (Buffer | undefined)[],
  ): (Profile | undefined)[] | Promise<(Profile | undefined)[]> {
    const damaged: StoredRecord[] = []
    const profiles: (Profile | undefined)[] = []
    for (let i = 0; i < profileIds.length; i++) {
      const record = records[i]
      if (record === undefined) {
        profiles.push(undefined)
        continue
      }
      const stored = { key: keys[i] as Buffer, record }
      profiles.push(this.#open(stored, () => openProfile(profileIds[i] as ProfileId, record), damaged))
    }
    return damaged.length === 0 ? profiles : this.#setAside(damaged).then(() => profiles)
  }

  #openOptOut(key: Buffer, record: Buffer | undefined): OptOut | undefined {
    if (record === undefined) return undefined
    const { optOut, isDamaged } = openOptOut(record)
    if (isDamaged) this.#onCorrupt(key)
    return optOut
  }

  async #openPage<Value>(page: readonly StoredRecord[], open: (stored: StoredRecord) => Value): Promise<Value[]> {
    const damaged: StoredRecord[] = []
    const opened = page.map((stored) => this.#open(stored, () => open(stored), damaged))
    await this.#setAside(damaged)
    return opened.filter((value) => value !== undefined)
  }

  /** What the record says; a damaged one is noted and reads as absent. */
  #open<Value>(stored: StoredRecord, open: () => Value, damaged: StoredRecord[]): Value | undefined {
    try {
      return open()
    } catch (error) {
      if (!(error instanceof RecordCorruptError)) throw error
      damaged.push(stored)
      return undefined
    }
  }

  /** In the turn of the read that found them: a later one could meet what was written since. */
  async #setAside(damaged: readonly StoredRecord[]): Promise<void> {
    if (damaged.length > 0) await Promise.all(damaged.map((stored) => this.#quarantine.set(stored)))
  }
}
