import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type EgressOptions, openEgress } from '../lib/egress/egress.ts'
import type { Definitions, Mapping } from '../model/definitions.ts'
import {
  type DataSourceId,
  type DeliveryId,
  type DestinationId,
  type DeviceId,
  deviceProfileId,
  type EventId,
  type MappingId,
  type MergeRuleId,
  type ProfileId,
  type SegmentId,
} from '../model/ids.ts'
import { type IdLink, newProfile, type Profile, type SegmentTable } from '../model/profile.ts'
import type { StoredDelivery } from '../store/delivery-record.ts'
import { type DeliverySearch, openDeliveryStore } from '../store/delivery-store.ts'
import { openJobStore } from '../store/job-store.ts'
import { openMemoryRecordStore } from '../store/memory/memory-record-store.ts'
import type { ProfileStore } from '../store/profile-store.ts'
import { openProfileStore } from '../store/profiles.ts'
import type { RecordStore } from '../store/record-store.ts'
import { freePort } from '../testkit/free-port.ts'
import { buildDestinationRules, type DestinationRules } from './destination-rules.ts'
import type { DestinationType } from './destinations/define-destination.ts'
import { destinationTypes } from './destinations/index.ts'
import { type Dispatcher, type DispatcherOptions, openDispatcher } from './dispatcher.ts'
import type { ReplayRequest, ReplayResult } from './replay-desk.ts'
import type { ReplayMessage } from './replay-order.ts'

/** What the tests of this room are built from: definitions, profiles, a receiver, a dispatcher over real stores. */

export const NOW = Date.UTC(2026, 10, 22, 12)
export const PARTNER = 77052 as DataSourceId
export const PERSON = 2001 as DataSourceId
export const DESTINATION = 423 as DestinationId
export const OTHER = 424 as DestinationId
export const day = Math.floor(NOW / 86_400_000)

export const deviceOf = (n: number): DeviceId => String(n).padStart(38, '0') as DeviceId
export const profileIdOf = (n: number): ProfileId => deviceProfileId(deviceOf(n))

export interface DefinedMapping {
  readonly segmentId: number
  readonly value?: string
  readonly startDay?: number
  readonly endDay?: number
}

export interface Defined {
  readonly version?: number
  readonly destinations?: readonly {
    readonly id?: DestinationId
    /** Then `config` is all of its settings. */
    readonly type?: DestinationType
    readonly config?: Readonly<Record<string, unknown>>
    readonly mappingVersion?: number
    readonly status?: 'ACTIVE' | 'INACTIVE'
    readonly createdAtMs?: number
    readonly formerAliases?: Readonly<Record<number, string>>
    readonly mappings?: readonly DefinedMapping[]
  }[]
  /** Paused ones; all others named in a mapping, or in `segments`, are active. */
  readonly paused?: readonly number[]
  readonly segments?: readonly number[]
  readonly deleted?: readonly number[]
}

export function rulesOf({
  version = 1,
  destinations = [{}],
  paused = [],
  segments = [],
  deleted = [],
}: Defined = {}): DestinationRules {
  const mappings = destinations.flatMap(
    ({ id = DESTINATION, mappings: own = [{ segmentId: 100 }, { segmentId: 101 }] }) =>
      own.map(
        (one, at): Mapping => ({
          mappingId: (id * 1000 + at) as MappingId,
          destinationId: id,
          segmentId: one.segmentId as SegmentId,
          value: one.value ?? String(one.segmentId),
          startDay: one.startDay ?? day - 30,
          endDay: one.endDay,
        }),
      ),
  )
  const sids = new Set(
    [...mappings.map((one) => one.segmentId as number), ...segments, ...paused].filter((sid) => !deleted.includes(sid)),
  )
  const definitions: Definitions = {
    version,
    deletionVersion: 0,
    folders: [],
    traits: [],
    mergeRules: [],
    dataSources: (
      [
        [PERSON, 'person', 'CROSS_DEVICE'],
        [PARTNER, 'partner', 'COOKIE'],
      ] as const
    ).map(([dataSourceId, name, idType]) => ({
      ...{ dataSourceId, name, idType, integrationCode: undefined, status: 'ACTIVE' },
      ...{ retentionDays: 720, isGlobal: false, redirectHosts: [], sync: undefined },
    })),
    segments: [...sids].map((sid) => ({
      segmentId: sid as SegmentId,
      name: `segment ${sid}`,
      segmentRule: '',
      dataSourceId: PARTNER,
      mergeRuleId: 1 as MergeRuleId,
      status: paused.includes(sid) ? ('INACTIVE' as const) : ('ACTIVE' as const),
    })),
    destinations: destinations.map((destination) => {
      const {
        id = DESTINATION,
        type,
        config = {},
        mappingVersion = 1,
        status = 'ACTIVE',
        createdAtMs,
        formerAliases = {},
      } = destination
      return {
        destinationId: id,
        createdAtMs,
        formerAliases,
        name: `destination ${id}`,
        destinationType: type?.type ?? 'S2S',
        status,
        vendorId: undefined,
        mappingVersion,
        config:
          type !== undefined
            ? config
            : {
                url: 'https://partner.example/in',
                userDpid: PARTNER,
                clientId: '74323',
                batchMaxWaitMs: 0,
                ...config,
              },
      }
    }),
    mappings,
  }
  const more = destinations.flatMap(({ type }) => type ?? [])
  const building = buildDestinationRules(definitions, { types: [...destinationTypes, ...more] })
  for (;;) {
    const step = building.next()
    if (step.done) return step.value
  }
}

/** Segments by id: since when held; `left`: since when not, and why. */
export function segmentsOf(
  states: Readonly<Record<number, { readonly at: number; readonly left?: number }>>,
): SegmentTable {
  const rows = Object.entries(states)
    .map(([sid, state]) => ({ sid: Number(sid), ...state }))
    .sort((a, b) => a.sid - b.sid)
  return {
    sids: Int32Array.from(rows, (row) => row.sid),
    left: Uint8Array.from(rows, (row) => row.left ?? 0),
    sinceSeconds: Uint32Array.from(rows, (row) => row.at),
    verifiedSeconds: Uint32Array.from(rows, (row) => row.at),
  }
}

export function linkOf(id: string, more: Partial<IdLink> = {}): IdLink {
  return { dataSourceId: PARTNER, id, syncedAtMs: NOW, authState: 0, authenticatedAtMs: 0, ...more }
}

/** A synced device in the given segments. */
export function deviceIn(n: number, sids: readonly number[], more: Partial<Profile> = {}): Profile {
  const states = Object.fromEntries(sids.map((sid) => [sid, { at: NOW / 1000 }]))
  return {
    ...newProfile(profileIdOf(n), NOW),
    regions: [9],
    links: [linkOf(`user-${n}`)],
    segments: segmentsOf(states),
    ...more,
  }
}

export interface Received {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly body: string
}

export interface Receiver extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly requests: Received[]
  /** Resolves when so many requests have come. */
  count(requests: number): Promise<void>
}

/** A partner on loopback that answers as told; by default 200. */
export async function startReceiver(
  answer: (response: ServerResponse, request: Received, number: number) => unknown = (response) => response.end(),
): Promise<Receiver> {
  const port = await freePort()
  const requests: Received[] = []
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url = '', headers, rawHeaders } = request
      const received = { method, url, headers, rawHeaders, body: Buffer.concat(chunks).toString() }
      requests.push(received)
      answer(response, received, requests.length)
    })
  })
  server.on('connection', (socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${port}/in`,
    port,
    requests,
    count: (expected) => until(() => requests.length >= expected),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

/** Waits until something holds. @throws Error after 100 s, which is before the test itself counts as hung */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 100_000
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`does not hold after 100 s: ${holds}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Timers that fire when the test says how much time has gone by. */
export function manualTimers() {
  let timers: { atMs: number; run: () => void }[] = []
  let nowMs = 0
  return {
    after(waitMs: number, run: () => void) {
      const timer = { atMs: nowMs + waitMs, run }
      timers.push(timer)
      return () => {
        timers = timers.filter((one) => one !== timer)
      }
    },
    /** Waits of the timers that are set, shortest first. */
    waits: () => timers.map((timer) => timer.atMs - nowMs).sort((a, b) => a - b),
    advance(ms: number) {
      nowMs += ms
      const due = timers.filter((timer) => timer.atMs <= nowMs)
      timers = timers.filter((timer) => timer.atMs > nowMs)
      for (const timer of due) timer.run()
    },
  }
}

interface ReplayIds {
  readonly deliveryIds: readonly DeliveryId[]
}

export interface Workbench extends AsyncDisposable {
  readonly dispatcher: Dispatcher
  readonly deliveries: ReturnType<typeof openDeliveryStore>
  readonly profiles: ProfileStore
  readonly ended: StoredDelivery[]
  rules: DestinationRules
  /** Commits the profile over what is stored, with markers, and tells the dispatcher. @returns its new revision */
  commit(profile: Profile, destinations?: readonly DestinationId[]): Promise<number>
  /** Everything was sent and ended. */
  idle(): Promise<void>
  /** Ended deliveries, oldest first. */
  endedIds(filter: DeliverySearch): Promise<readonly DeliveryId[]>
  replay(order: Omit<ReplayRequest, 'deliveries'> & ReplayIds): Promise<ReplayResult>
  /** Asks for a replay and waits until it has ended. @returns what became of each message */
  replayed(order: Omit<ReplayRequest, 'deliveries'> & ReplayIds): Promise<readonly ReplayMessage[]>
}

export interface WorkbenchOptions extends Partial<Omit<DispatcherOptions, 'egress'>> {
  readonly records?: RecordStore
  readonly egress?: Partial<EgressOptions>
}

export async function openWorkbench(defined: Defined, options: WorkbenchOptions = {}): Promise<Workbench> {
  const { records = await openMemoryRecordStore(), egress: egressOptions, ...more } = options
  const profiles = await openProfileStore(records, { optOutKey: Buffer.alloc(32) })
  const deliveries = openDeliveryStore(records)
  const egress = openEgress({ allowPrivate: true, ownListeners: [], ...egressOptions })
  const ended: StoredDelivery[] = []
  const bench = { rules: rulesOf(defined) }
  const dispatcher = await openDispatcher({
    deliveries,
    profiles,
    jobs: openJobStore(records),
    rules: () => bench.rules,
    clock: () => NOW,
    log: (event, fields) => {
      throw new Error(event, { cause: fields['error'] })
    },
    userAgent: 'Usher/test',
    onEnded: (delivery) => ended.push(delivery),
    ...more,
    limits: { compatRetryWaitMs: 5, ...more.limits },
    egress,
  })
  async function replay({ deliveryIds, ...order }: Omit<ReplayRequest, 'deliveries'> & ReplayIds) {
    const started = await dispatcher.replays.start({ ...order, deliveries: { ids: deliveryIds } })
    if (started === 'too_many') throw new Error('too many replays')
    return started
  }
  return Object.assign(bench, {
    dispatcher,
    deliveries,
    profiles,
    ended,
    async commit(profile: Profile, destinations: readonly DestinationId[] = [DESTINATION]) {
      const [stored] = await profiles.getMany([profile.id])
      const revision = stored?.revision ?? 0
      const update = {
        profile: { ...profile, revision },
        previousDueMs: 0,
        outbox: destinations,
        eventId: 'AAAAAAAAAAA=' as EventId,
        followUps: [],
      }
      if (!(await profiles.commit(update))) throw new Error('the profile changed meanwhile')
      dispatcher.notify(profile.id, destinations)
      return revision + 1
    },
    endedIds: async (filter: DeliverySearch) => (await deliveries.ended(filter)).map((place) => place.deliveryId),
    replay,
    async replayed(order: Omit<ReplayRequest, 'deliveries'> & ReplayIds) {
      const { replayId = '' } = await replay(order)
      await until(() => dispatcher.replays.get(replayId)?.state !== 'running')
      return dispatcher.replays.messages(replayId, 0, 1_000)
    },
    idle: () => until(() => dispatcher.stats().destinations.every((one) => one.queued + one.busy === 0)),
    async [Symbol.asyncDispose]() {
      await dispatcher.close(0)
      await egress.close()
    },
  })
}

export interface SentMessage {
  readonly User_DPID: string
  readonly User_count: string
  readonly Users: readonly {
    readonly AAM_UUID: string
    readonly DataPartner_UUID: string
    readonly Segments: readonly { readonly Segment_ID: string; readonly Status: string; readonly DateTime: string }[]
  }[]
}

export function messageOf({ body }: { readonly body: string }): SentMessage {
  return JSON.parse(body) as SentMessage
}

/** `user-1: 100+ 101-` for each entry of a message, in order. */
export function told(message: { readonly body: string }): string[] {
  return messageOf(message).Users.map((user) => {
    const segments = user.Segments.map((one) => `${one.Segment_ID}${one.Status === '1' ? '+' : '-'}`)
    return `${user.DataPartner_UUID}: ${segments.join(' ')}`
  })
}
