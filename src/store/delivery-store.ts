import type { DeliveryStatus } from '../model/delivery.ts'
import type { DeliveryId, DestinationId, ProfileId, SegmentId } from '../model/ids.ts'
import { deliveryHistory } from './delivery-history.ts'
import { type DeliveryPlace, deliveryIdKey, historyKey, openDeliveryKey, profileDeliveryKey } from './delivery-keys.ts'
import {
  openBody,
  openHead,
  type StoredDelivery,
  sealBody,
  sealHead,
  sealPlace,
  sealSummary,
} from './delivery-record.ts'
import { type DestinationState, destinationStates } from './destination-states.ts'
import { afterPrefix, outboxKey, outboxPrefix, profileKey, readOutboxKey, toldKey, toldPrefix } from './keys.ts'
import { type OutboxMarker, openOutboxMarker, sealOutboxMarker } from './outbox-marker.ts'
import { Quarantine } from './quarantine.ts'
import { RecordCorruptError, readRevision } from './record.ts'
import { Kind } from './record-kinds.ts'
import type { RecordStore, StoredRecord } from './record-store.ts'
import { openTold, sealTold, type ToldState } from './told-record.ts'

/** Who must be told what: markers, what was told, messages on their way, and how each one ended. */
export interface DeliveryStore {
  /** Markers, in pages, partition by partition; not a snapshot. */
  markers(options?: {
    readonly destinationId?: DestinationId
    readonly fromPartition?: number
  }): AsyncIterable<MarkerPage>
  /** Writes a marker for a profile that is to be told again, unless it has one. */
  owe(profileId: ProfileId, destinationId: DestinationId, nowMs: number): Promise<void>

  /** What the destination was told of each, and whether it is owed more. @returns same length and order as `profileIds` */
  lookUp(destinationId: DestinationId, profileIds: readonly ProfileId[]): Promise<readonly OwedProfile[]>
  /** Everything every destination was told of a profile. */
  toldOf(profileId: ProfileId): Promise<readonly { readonly destinationId: DestinationId; readonly told: ToldState }[]>

  /** Who must hear of a profile: whoever may believe it in a segment, and those of `destinationIds` that have yet to be told. */
  owedBy(profileId: ProfileId, destinationIds: readonly DestinationId[]): Promise<readonly DestinationId[]>

  /** Stores messages of one destination before their first byte leaves, all or none. Repeating it is harmless. */
  freeze(deliveries: readonly StoredDelivery[]): Promise<void>
  /** Replaces an open delivery after an attempt. */
  update(delivery: StoredDelivery): Promise<void>
  /** Moves an open delivery, now ended, to the history. */
  end(delivery: StoredDelivery): Promise<void>
  /** Moves an ended delivery back among the open ones. */
  reopen(delivery: StoredDelivery): Promise<void>
  /**
   * A dead letter is one no more: a newer message told its users, or somebody let it go.
   * @param replayedBy undefined: let go
   * @returns how it is now; undefined: it is none, or was changed meanwhile
   */
  supersede(deliveryId: DeliveryId, replayedBy?: DeliveryId): Promise<StoredDelivery | undefined>
  /** All that a stop left unfinished, oldest first for each destination. */
  openDeliveries(): AsyncIterable<StoredDelivery>
  /**
   * Writes what one profile was told and, with `release`, removes its marker unless a later commit renewed it.
   * @returns true when the profile is due again
   */
  settle(settled: SettledProfile): Promise<boolean>

  get(deliveryId: DeliveryId): Promise<StoredDelivery | undefined>
  /** @param view what is kept of each: a message may have megabytes, and a page a thousand of them */
  list<View = StoredDelivery>(filter: DeliveryFilter, view?: DeliveryLook<View>): Promise<DeliveryPage<View>>
  /** All ended deliveries that fit, at most 200,000, oldest first. */
  ended(filter: DeliverySearch): Promise<readonly DeliveryPlace[]>
  /** Of the next `limit` deliveries created before a moment removes those that ended before it, and what leads to them. */
  purge(beforeMs: number, limit: number, after?: DeliveryPlace): Promise<Purged>

  /** Bytes that the messages kept of a destination take on the device, about; `RecordStore.approximateBytes` says how [SEC-44]. */
  bytesOf(destinationId: DestinationId): Promise<number>
  /** Of the next oldest `limit` ended deliveries of a destination removes those that are not dead letters. */
  trim(destinationId: DestinationId, limit: number, after?: DeliveryPlace): Promise<Trimmed>
  /** Gives the room of removed deliveries created between two moments, both included, back to the device. */
  reclaim(destinationId: DestinationId, fromMs: number, toMs: number): Promise<void>

  /** How delivery to each destination stood that has had trouble. */
  destinationStates(): Promise<ReadonlyMap<DestinationId, DestinationState>>
  /** @param state undefined: forget it */
  saveDestinationState(destinationId: DestinationId, state: DestinationState | undefined): Promise<void>
}

export interface Marker {
  readonly profileId: ProfileId
  readonly destinationId: DestinationId
}

/** A marker as a scan finds it. */
export interface FoundMarker extends Marker {
  /** When it was written; whole seconds, 0 where the record is damaged. */
  readonly atMs: number
}

export interface OwedProfile {
  readonly told: ToldState | undefined
  /** There is a marker. */
  readonly isOwed: boolean
}

export interface MarkerPage {
  readonly partition: number
  readonly markers: readonly FoundMarker[]
}

export interface SettledProfile extends Marker {
  /** Revision of the profile that the message was built from; 0 when the profile does not exist. */
  readonly revision: number
  /** What becomes known; undefined leaves it as it is. */
  readonly told: ToldState | undefined
  /** The message that ended, to be found by profile. */
  readonly delivery: DeliveryPlace | undefined
  /** Nothing else is on its way for this profile: its marker may go. */
  readonly release: boolean
}

/** What a delivery must be like; a member that is not there allows all. */
export interface DeliverySearch {
  readonly deliveryId?: DeliveryId | undefined
  readonly destinationId?: DestinationId | undefined
  /** It tells of one of these profiles; none fits an empty list. */
  readonly profileIds?: readonly ProfileId[] | undefined
  /** It names a user by one of these declared IDs. Old records do not say which they name: they fit. */
  readonly declaredIds?: readonly ProfileId[] | undefined
  readonly segmentId?: SegmentId | undefined
  readonly status?: DeliveryStatus | undefined
  /** Exactly: `http_503`, `timeout`, `quota`, ... */
  readonly reason?: string | undefined
  /** By creation, `fromMs <= createdAtMs < toMs`. */
  readonly fromMs?: number | undefined
  readonly toMs?: number | undefined
}

export interface DeliveryFilter extends DeliverySearch {
  /** From 0. */
  readonly page: number
  /** 1 to 1,000. */
  readonly pageSize: number
}

export interface DeliveryPage<View> {
  readonly total: number
  /** Newest first. */
  readonly list: readonly View[]
}

/** What is made of a message in a list, in slices: it may say a hundred thousand things. */
export type DeliveryLook<View> = (delivery: StoredDelivery) => Generator<void, View>

export interface Purged {
  readonly removed: number
  /** The last one looked at; undefined when there is none after it. */
  readonly next: DeliveryPlace | undefined
}

export interface Trimmed {
  /** Oldest first. */
  readonly removed: readonly DeliveryPlace[]
  /** What the removed ones took, before any compression. */
  readonly bytes: number
  /** The last one looked at; undefined when there is none after it. */
  readonly next: DeliveryPlace | undefined
}

/** Opens a record; undefined when there is none, or it is damaged: then it is counted and set aside. */
export type ReadRecord = <T>(key: Buffer, record: Buffer | undefined, open: (record: Buffer) => T) => T | undefined

/** Over any record store; written once. @param onCorrupt called for each damaged record that is set aside [SEC-60] */
export function openDeliveryStore(records: RecordStore, onCorrupt: (key: Buffer) => void = () => {}): DeliveryStore {
  const quarantine = new Quarantine(records, onCorrupt)
  const readable: ReadRecord = (key, record, open) => {
    if (record === undefined) return undefined
    try {
      return open(record)
    } catch (error) {
      if (!(error instanceof RecordCorruptError)) throw error
      void quarantine.set({ key, record })
      return undefined
    }
  }
  /** That a marker is there is all it says that matters: a damaged one is replaced, so that its profile stays owed. */
  const readMarker = async ({ key, record }: StoredRecord): Promise<OutboxMarker> => {
    try {
      return openOutboxMarker(record)
    } catch (error) {
      if (!(error instanceof RecordCorruptError)) throw error
      const [profile] = await records.getMany([profileKey(readOutboxKey(key).profileId)])
      const marker = { revision: Math.max(0, revisionOf(profile)), atMs: 0 }
      await quarantine.set({ key, record }, sealOutboxMarker(marker))
      return marker
    }
  }
  const history = deliveryHistory(records, readable)
  const write = async (puts: readonly StoredRecord[], deletes: readonly Buffer[] = []): Promise<void> => {
    await records.commit({ puts, deletes })
  }

  return {
    ...history,
    ...destinationStates(records, readable),
    async *markers({ destinationId, fromPartition = 0 } = {}) {
      const prefix = destinationId === undefined ? {} : { prefix: outboxPrefix(destinationId) }
      for await (const page of records.scan(Kind.outbox, { from: fromPartition, ...prefix })) {
        const markers = page.records.map(async (stored) => ({
          ...readOutboxKey(stored.key),
          atMs: (await readMarker(stored)).atMs,
        }))
        yield { partition: page.partition, markers: await Promise.all(markers) }
      }
    },

    async owe(profileId, destinationId, nowMs) {
      const key = outboxKey(profileId, destinationId)
      for (;;) {
        const [marker, profile] = await records.getMany([key, profileKey(profileId)])
        if (marker !== undefined) return
        const revision = revisionOf(profile)
        const put = { key, record: sealOutboxMarker({ revision, atMs: nowMs }) }
        const guard = { key: profileKey(profileId), revision }
        if (await records.commit({ guard, puts: [put], deletes: [] })) return
      }
    },

    async lookUp(destinationId, profileIds) {
      const told = profileIds.map((profileId) => toldKey(profileId, destinationId))
      const markers = profileIds.map((profileId) => outboxKey(profileId, destinationId))
      const found = await records.getMany([...told, ...markers])
      return told.map((key, at) => ({
        told: readable(key, found[at], openTold),
        isOwed: found[told.length + at] !== undefined,
      }))
    },

    async toldOf(profileId) {
      const prefix = toldPrefix(profileId)
      const found = await records.range(prefix, afterPrefix(prefix), { limit: 1_000 })
      return found.flatMap(({ key, record }) => {
        const told = readable(key, record, openTold)
        return told === undefined ? [] : [{ destinationId: key.readUInt32BE(key.length - 4) as DestinationId, told }]
      })
    },

    async owedBy(profileId, destinationIds) {
      const markers = destinationIds.map((destinationId) => outboxKey(profileId, destinationId))
      const [told, found] = await Promise.all([this.toldOf(profileId), records.getMany(markers)])
      const believing = told.filter((one) => one.told.active.length > 0).map((one) => one.destinationId)
      return [...new Set([...believing, ...destinationIds.filter((_, at) => found[at] !== undefined)])]
    },

    async freeze(deliveries) {
      const puts = deliveries.flatMap((delivery) => [
        openEntry(delivery),
        { key: historyKey('body', delivery), record: sealBody(delivery) },
      ])
      await Promise.all([write(puts), ...deliveries.map((delivery) => write([idEntry(delivery)]))])
    },

    async update(delivery) {
      await write([openEntry(delivery)])
    },

    async end(delivery) {
      const summary = { key: historyKey('summary', delivery), record: sealSummary(delivery) }
      const head = { key: historyKey('head', delivery), record: sealHead(delivery) }
      await write([summary, head], [openDeliveryKey(delivery)])
    },

    async reopen(delivery) {
      // Whole, in case its history was being forgotten at this moment.
      const body = { key: historyKey('body', delivery), record: sealBody(delivery) }
      await write([openEntry(delivery), body], [historyKey('summary', delivery), historyKey('head', delivery)])
      await write([idEntry(delivery)])
    },

    async *openDeliveries() {
      for await (const page of records.scan(Kind.openDelivery)) {
        for (const { key, record } of page.records) {
          const head = readable(key, record, openHead)
          const bodyKey = head && historyKey('body', head)
          const body = bodyKey && readable(bodyKey, (await records.getMany([bodyKey]))[0], openBody)
          if (head === undefined) continue
          if (body === undefined) {
            // Nothing is left to send. Its users have their markers, and are told anew.
            await quarantine.set({ key, record })
            continue
          }
          // A stop may have come between the two writes of `freeze`.
          await write([idEntry(head)])
          yield { ...head, ...body }
        }
      }
    },

    async settle({ profileId, destinationId, revision, told, delivery, release }) {
      const marker = outboxKey(profileId, destinationId)
      const profile = profileKey(profileId)
      const puts: StoredRecord[] = []
      if (told !== undefined) puts.push({ key: toldKey(profileId, destinationId), record: sealTold(told) })
      if (delivery !== undefined)
        puts.push({ key: profileDeliveryKey(profileId, delivery), record: sealPlace(delivery) })
      if (!release) {
        if (puts.length > 0) await write(puts)
        return true
      }
      // Markers are written only in commits of their profile, so a profile that stays the same keeps its markers.
      for (let guarded = revision; ; ) {
        if (await records.commit({ guard: { key: profile, revision: guarded }, puts, deletes: [marker] })) return false
        const [current, found] = await records.getMany([profile, marker])
        const renewed = found && (await readMarker({ key: marker, record: found }))
        // A profile that was removed and came back counts its revisions from the start.
        const cameBack = current !== undefined && revisionOf(current) < revision
        if (renewed === undefined || renewed.revision > revision || cameBack) {
          if (puts.length > 0) await write(puts)
          return renewed !== undefined
        }
        guarded = revisionOf(current)
      }
    },
  }
}

function revisionOf(record: Buffer | undefined): number {
  return record === undefined ? 0 : readRevision(record).revision
}

function openEntry(delivery: StoredDelivery): StoredRecord {
  return { key: openDeliveryKey(delivery), record: sealHead(delivery) }
}

function idEntry(place: DeliveryPlace): StoredRecord {
  return { key: deliveryIdKey(place.deliveryId), record: sealPlace(place) }
}
