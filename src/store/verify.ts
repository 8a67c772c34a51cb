import type { ProfileId } from '../model/ids.ts'
import { PARTITIONS } from '../model/partition.ts'
import type { Profile } from '../model/profile.ts'
import type { Damage } from './damage.ts'
import { openFollowUp } from './follow-up-record.ts'
import { dueKey, isSoundKey, profileKey, readDueKey, readOutboxKey, readProfileKey } from './keys.ts'
import { openProfile } from './profile-codec.ts'
import { openRecord, RecordCorruptError } from './record.ts'
import { Kind } from './record-kinds.ts'
import type { Commit, RecordStore, StoredRecord } from './record-store.ts'
import { drop, linkAgain, linkedTo, refile, setAside } from './repairs.ts'

/** What may be wrong: a record fails its checksum, or points at something that is not there. */
export const FINDINGS = [
  'damaged',
  'due_without_profile',
  'profile_without_due',
  'outbox_without_profile',
  'link_without_reverse',
] as const
export type Finding = (typeof FINDINGS)[number]

export interface VerifyReport {
  /** Damaged files: those in use, and those that were set aside and not settled. */
  readonly damage: readonly Damage[]
  /** What is wrong with the file of the definitions. */
  readonly catalog: readonly string[]
  /** What is wrong with the keys of the data directory, a sentence each. */
  readonly keys: readonly string[]
  readonly records: number
  readonly bytes: number
  /** Records by kind, kinds without any left out. */
  readonly kinds: Readonly<Record<string, number>>
  /** Count and the first samples: profile IDs, or keys in hexadecimal for damaged records. */
  readonly findings: Readonly<Record<Finding, { readonly count: number; readonly samples: readonly string[] }>>
}

type OnProgress = (done: number, total: number) => void

export interface VerifyOptions {
  /** Called after each file, then on the way through the partitions of each kind, with how many are done and how many there are. */
  readonly onProgress?: OnProgress
  /** Reads the files of the engine, where it has any. */
  readonly checkFiles?: (onProgress?: OnProgress) => Promise<readonly Damage[]>
  readonly checkCatalog?: () => Promise<readonly string[]>
  readonly checkKeys?: () => readonly string[]
  /** What is found is put right as far as it can be; only while nothing else uses the store. */
  readonly repairs?: boolean
}

const SAMPLES_MAX = 20
/** A profile that changes under the check is looked at again; one that never holds still is left out. */
const LOOKS_MAX = 3

/**
 * Checks every file, every record and every cross-reference while the store is in use [SEC-60]. What looks wrong is looked at again
 * before it counts, since profile and index may have been read at different moments.
 */
export async function verifyStore(records: RecordStore, options: VerifyOptions = {}): Promise<VerifyReport> {
  return new Verification(records, options).run()
}

class Verification {
  readonly #records: RecordStore
  readonly #options: VerifyOptions
  readonly #kinds: Record<string, number> = {}
  readonly #findings = Object.fromEntries(
    FINDINGS.map((finding) => [finding, { count: 0, samples: [] as string[] }]),
  ) as Record<Finding, { count: number; samples: string[] }>
  #count = 0
  #bytes = 0

  constructor(records: RecordStore, options: VerifyOptions) {
    this.#records = records
    this.#options = options
  }

  async run(): Promise<VerifyReport> {
    const damage = (await this.#options.checkFiles?.(this.#options.onProgress)) ?? []
    const catalog = (await this.#options.checkCatalog?.()) ?? []
    const keys = this.#options.checkKeys?.() ?? []
    const kinds = Object.entries(Kind)
    const total = kinds.length * PARTITIONS
    for (const [at, [name, kind]] of kinds.entries()) {
      for await (const { partition, records } of this.#records.scan(kind)) {
        this.#options.onProgress?.(at * PARTITIONS + partition, total)
        this.#kinds[name] = (this.#kinds[name] ?? 0) + records.length
        const sound: StoredRecord[] = []
        for (const stored of records) if (await this.#isSound(stored)) sound.push(stored)
        await this.#checkPage(kind, sound)
      }
      this.#options.onProgress?.((at + 1) * PARTITIONS, total)
    }
    const counted = { records: this.#count, bytes: this.#bytes, kinds: this.#kinds, findings: this.#findings }
    return { damage, catalog, keys, ...counted }
  }

  async #isSound(stored: StoredRecord): Promise<boolean> {
    this.#count += 1
    this.#bytes += stored.key.length + stored.record.length
    try {
      openRecord(stored.record)
      if (isSoundKey(stored.key)) return true
    } catch (error) {
      if (!(error instanceof RecordCorruptError)) throw error
    }
    await this.#found('damaged', stored.key.toString('hex'), () => setAside(stored))
    return false
  }

  async #checkPage(kind: number, page: readonly StoredRecord[]): Promise<void> {
    if (kind === Kind.profile)
      await this.#checkProfiles(page.map(({ key, record }) => openProfile(readProfileKey(key), record)))
    else if (kind === Kind.due) await this.#checkDue(page)
    else if (kind === Kind.outbox) await this.#checkOutbox(page)
  }

  async #checkProfiles(profiles: readonly Profile[]): Promise<void> {
    const filed = profiles.filter((profile) => profile.dueMs !== 0)
    const entries = await this.#records.getMany(filed.map((profile) => dueKey(profile.id, profile.dueMs)))
    for (let i = 0; i < filed.length; i++) {
      const { id } = filed[i] as Profile
      if (entries[i] === undefined && (await this.#holds(id, (profile) => this.#lacksDue(profile))))
        await this.#found('profile_without_due', id, () => refile(filed[i] as Profile))
    }
    for (const profile of profiles) await this.#checkLinks(profile)
  }

  async #lacksDue(profile: Profile | undefined): Promise<boolean> {
    if (profile === undefined || profile.dueMs === 0) return false
    const [entry] = await this.#records.getMany([dueKey(profile.id, profile.dueMs)])
    return entry === undefined
  }

  async #checkDue(page: readonly StoredRecord[]): Promise<void> {
    const entries = page.map(({ key }) => readDueKey(key))
    const profiles = await this.#profiles(entries.map((entry) => entry.profileId))
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i] as (typeof entries)[number]
      if (profiles[i]?.dueMs === entry.dueMs) continue
      const key = dueKey(entry.profileId, entry.dueMs)
      const isStray = await this.#holds(entry.profileId, async (profile) => {
        const [record] = await this.#records.getMany([key])
        return record !== undefined && profile?.dueMs !== entry.dueMs
      })
      if (isStray) await this.#found('due_without_profile', entry.profileId, () => drop(key))
    }
  }

  async #checkOutbox(page: readonly StoredRecord[]): Promise<void> {
    const ids = page.map(({ key }) => readOutboxKey(key).profileId)
    const profiles = await this.#records.getMany(ids.map(profileKey))
    for (let i = 0; i < ids.length; i++) {
      if (profiles[i] !== undefined) continue
      const [marker, profile] = await this.#records.getMany([
        (page[i] as StoredRecord).key,
        profileKey(ids[i] as ProfileId),
      ])
      if (marker === undefined || profile !== undefined) continue
      await this.#found('outbox_without_profile', ids[i] as ProfileId, () => drop((page[i] as StoredRecord).key))
    }
  }

  /** A device and a declared ID that are linked name each other, unless a follow-up that will see to it is still waiting. */
  async #checkLinks(profile: Profile): Promise<void> {
    const others = await this.#profiles(linkedTo(profile))
    const isOneSided = others.some((other) => other === undefined || !linkedTo(other).includes(profile.id))
    if (!isOneSided) return
    const isMissing = await this.#holds(profile.id, async (current) => {
      if (current === undefined) return false
      const ids = linkedTo(current)
      const now = await this.#profiles(ids)
      const missing = ids.filter((_, i) => !linkedTo(now[i]).includes(profile.id))
      if (missing.length === 0) return false
      const waiting = await this.#waitingTargets()
      return !waiting.has(profile.id) && missing.some((id) => !waiting.has(id))
    })
    if (isMissing) await this.#found('link_without_reverse', profile.id, () => linkAgain(profile, others))
  }

  async #waitingTargets(): Promise<Set<ProfileId>> {
    const targets = new Set<ProfileId>()
    for await (const { records } of this.#records.scan(Kind.followUp))
      for (const stored of records) targets.add(openFollowUp(stored).followUp.target)
    return targets
  }

  /** Whether `isWrong` is true of a profile that stays the same while it is asked. */
  async #holds(id: ProfileId, isWrong: (profile: Profile | undefined) => Promise<boolean>): Promise<boolean> {
    for (let look = 1; look <= LOOKS_MAX; look++) {
      const [before] = await this.#profiles([id])
      if (!(await isWrong(before))) return false
      const [after] = await this.#profiles([id])
      if (after?.revision === before?.revision) return true
    }
    return false
  }

  /** A damaged one reads as absent; it is counted where it stands. */
  async #profiles(ids: readonly ProfileId[]): Promise<(Profile | undefined)[]> {
    const records = await this.#records.getMany(ids.map(profileKey))
    return records.map((record, i) => {
      try {
        return record === undefined ? undefined : openProfile(ids[i] as ProfileId, record)
      } catch (error) {
        if (error instanceof RecordCorruptError) return undefined
        throw error
      }
    })
  }

  async #found(finding: Finding, sample: string, repair: () => Commit): Promise<void> {
    const found = this.#findings[finding]
    found.count += 1
    if (found.samples.length < SAMPLES_MAX) found.samples.push(sample)
    if (this.#options.repairs) await this.#records.commit(repair())
  }
}
