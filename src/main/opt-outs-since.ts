import { randomEventId } from '../lib/random-ids.ts'
import type { FollowUp } from '../model/follow-up.ts'
import { deviceProfileId, type EventId } from '../model/ids.ts'
import type { Profile } from '../model/profile.ts'
import { isNewerRecord, type OptOutList } from '../store/embedded/opt-out-list.ts'
import { sealFollowUp, storedFollowUps } from '../store/follow-up-record.ts'
import { keyName, partitionOfKey, readProfileKey } from '../store/keys.ts'
import { openOptOut, optOutKeys } from '../store/opt-out-record.ts'
import { openProfile } from '../store/profile-codec.ts'
import { RecordCorruptError } from '../store/record.ts'
import { Kind } from '../store/record-kinds.ts'
import type { RecordStore, StoredRecord } from '../store/record-store.ts'

/** What the list of opt-outs brought into a restored store. */
export interface OptOutsSince {
  /** In the list. */
  readonly listed: number
  /** Newer than the backup, or not in it. */
  readonly applied: number
  /** Profiles of the backup that these take out of every segment. */
  readonly profiles: number
  /** Lines that fail their checksum, without a last one that broke off, so that nobody was told of it. */
  readonly damagedLines: number
  readonly isTorn: boolean
  /** Opt-outs of the backup that the list lacks. */
  readonly unlisted: number
}

/** The list is not the one of this backup. */
export class OptOutListRefusedError extends Error {
  readonly code = 'opt_out_list_refused'
}

const PAGE = 500

/**
 * Makes every opt-out of the list hold in a store nobody serves from: the record itself, and, for the profiles it is about, the
 * same follow-ups that the call had filed [SEC-79], [SEC-90]. They are carried out once the server starts.
 * @throws OptOutListRefusedError before anything is written
 */
export async function applyOptOutsSince(
  records: RecordStore,
  list: OptOutList,
  optOutKey: Buffer,
): Promise<OptOutsSince> {
  const { entries, lines, damaged, isTorn, owner } = await list.read()
  const refused = (why: string) => new OptOutListRefusedError(`${list.path} ${why}`)
  const rightOne =
    'Name the right one with --opt-outs, or go on with --without-opt-outs: then whoever opted out since the backup is followed again'
  if (owner === 'others')
    throw refused(
      `is the list of another installation: its first line was made with another optout.key than that of the backup. ${rightOne}`,
    )
  if (lines === 0)
    throw refused(`is empty, and a list of opt-outs has a first line even while nobody is in it. ${rightOne}`)
  const foreign = [...entries.values()].find(({ key }) => key[2] !== Kind.optOut)
  if (foreign !== undefined)
    throw refused(
      `holds lines that this Usher does not know (kind ${foreign.key[2]}): restore with the version that wrote it`,
    )
  let [known, unlisted] = [0, 0]
  for await (const page of pagesOf(records, Kind.optOut)) {
    known += page.length
    unlisted += page.filter(({ key }) => !entries.has(keyName(key))).length
  }
  if (known > 0 && unlisted === known)
    throw refused(`has none of the ${known} opt-outs of the backup: it is another list, or was cut off. ${rightOne}`)
  const since = await newerThan(records, [...entries.values()])
  const followUps = since.size === 0 ? new Map<string, FollowUp[]>() : await followUpsOf(records, since, optOutKey)
  // One that an older version began has no first line: then somebody must be in both.
  if (owner === 'unknown' && known === 0 && followUps.size === 0)
    throw refused(
      `does not say whose it is, and nobody in it is known to the backup: it is no list, or of another installation. ${rightOne}`,
    )
  for (const [name, optOut] of since) {
    const stored = storedFollowUps(partitionOfKey(optOut.key), randomEventId() as EventId, followUps.get(name) ?? [])
    // A full page shares one write.
    await records.commit({ puts: [optOut, ...stored.map(sealFollowUp)], deletes: [] }, 'memory')
  }
  await records.flush()
  return {
    listed: entries.size,
    applied: since.size,
    profiles: followUps.size,
    damagedLines: damaged,
    isTorn,
    unlisted,
  }
}

async function newerThan(records: RecordStore, listed: readonly StoredRecord[]): Promise<Map<string, StoredRecord>> {
  const since = new Map<string, StoredRecord>()
  for (let from = 0; from < listed.length; from += PAGE) {
    const page = listed.slice(from, from + PAGE)
    const found = await records.getMany(page.map(({ key }) => key))
    for (const [i, optOut] of page.entries())
      if (isNewerRecord(optOut.record, found[i])) since.set(keyName(optOut.key), optOut)
  }
  return since
}

/** By the name of the opt-out's key. An ID cannot be had from its hash: each profile is asked whether it is meant. */
async function followUpsOf(
  records: RecordStore,
  since: ReadonlyMap<string, StoredRecord>,
  optOutKey: Buffer,
): Promise<Map<string, FollowUp[]>> {
  const keyOf = optOutKeys(optOutKey)
  const followUps = new Map<string, FollowUp[]>()
  for await (const page of pagesOf(records, Kind.profile)) {
    for (const stored of page) {
      const id = readProfileKey(stored.key)
      const name = keyName(keyOf(id))
      const optOut = since.get(name)
      if (optOut !== undefined) followUps.set(name, whatItMeans(id, openOptOut(optOut.record).optOut.atMs, stored))
    }
  }
  return followUps
}

/** As `pipeline/opt-out.ts` files them: itself, and the devices that were merged with a person. */
function whatItMeans(target: Profile['id'], atMs: number, { record }: StoredRecord): FollowUp[] {
  return [
    { kind: 'optout', target, atMs },
    ...devicesOf(target, record).map(
      (deviceId): FollowUp => ({ kind: 'reevaluate', target: deviceProfileId(deviceId), atMs, tell: true }),
    ),
  ]
}

function devicesOf(id: Profile['id'], record: Buffer) {
  try {
    return openProfile(id, record).devices.map(({ deviceId }) => deviceId)
  } catch (error) {
    if (error instanceof RecordCorruptError) return []
    throw error
  }
}

async function* pagesOf(records: RecordStore, kind: number): AsyncGenerator<readonly StoredRecord[]> {
  for await (const page of records.scan(kind, { pageSize: PAGE })) yield page.records
}
