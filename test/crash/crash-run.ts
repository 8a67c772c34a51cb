import { rm } from 'node:fs/promises'
import { defineOverApi } from '../../src/testkit/define-over-api.ts'
import { freePort } from '../../src/testkit/free-port.ts'
import { seededRandom } from '../../src/testkit/seeded-random.ts'
import { type SpawnedUsher, spawnUsher, temporaryFolder } from '../../src/testkit/spawn-usher.ts'
import { deviceIdOf, type Journal, partnerIdOf, startLoad } from './load.ts'
import { type CrashReceiver, startCrashReceiver } from './receiver.ts'

const KEY = 'sample_partner_private_key'
const ACTIONS = ['look', 'cart', 'buy', 'read', 'leave', 'call'] as const

/** Rules over the actions, each also as the obvious function of how often each action was counted. */
const SEGMENTS: readonly { readonly rule: (sid: Sids) => string; readonly holds: (count: Counts) => boolean }[] = [
  { rule: (t) => `${t.cart}T AND NOT ${t.buy}T`, holds: (n) => n.cart > 0 && n.buy === 0 },
  { rule: (t) => `FREQUENCY([${t.look}T]) >= 3`, holds: (n) => n.look >= 3 },
  {
    rule: (t) => `${t.look}T AND FREQUENCY([${t.read}T,${t.call}T]) <= 4`,
    holds: (n) => n.look > 0 && n.read + n.call <= 4,
  },
  { rule: (t) => `FREQUENCY([${t.buy}T,${t.leave}T]) == 5`, holds: (n) => n.buy + n.leave === 5 },
  {
    rule: (t) => `(${t.read}T OR ${t.call}T) AND FREQUENCY([${t.leave}T]) >= 1 AND FREQUENCY([${t.leave}T]) <= 2`,
    holds: (n) => n.read + n.call > 0 && n.leave >= 1 && n.leave <= 2,
  },
  { rule: (t) => `FREQUENCY([${t.cart}T,${t.buy}T] <= 3D) >= 6`, holds: (n) => n.cart + n.buy >= 6 },
]

type Counts = Record<(typeof ACTIONS)[number], number>
type Sids = Record<(typeof ACTIONS)[number], number>

interface ProfileAnswer {
  readonly traits: readonly { readonly sid: number; readonly count: number }[]
  readonly segments: readonly { readonly sid: number; readonly status: string }[]
}

export interface CrashReport {
  readonly kills: number
  /** In the end nothing waited any more. */
  readonly isDrained: boolean
  readonly acknowledged: number
  readonly unknown: number
  readonly refused: number
  /** Acknowledged realizations that are not on their profile. */
  readonly lost: number
  /** Realizations nobody can have caused. */
  readonly invented: number
  /** Memberships on a profile that differ from what its counts say. */
  readonly wrongMemberships: number
  /** Memberships on which the receiver's fold and the profile differ. */
  readonly wrongAtPartner: number
  readonly messages: number
  readonly badSignatures: number
  readonly repeats: { readonly total: number; readonly different: number }
  readonly verifyFindings: number
}

export interface CrashOptions {
  readonly kills: number
  readonly visitors: number
  readonly seed: number
  readonly durability: 'memory' | 'process' | 'disk'
  readonly program?: readonly string[]
  /** The load goes on until this many events were acknowledged: a busy machine takes longer. */
  readonly acknowledgedMin: number
  /** The test's own: its end, by time-out too, ends the server. */
  readonly signal: AbortSignal
}

/** Kills the server at random moments under load, then compares three journals: generator, store, receiver. */
export async function runCrashes(options: CrashOptions): Promise<CrashReport> {
  const dataDir = await temporaryFolder()
  const [edgePort, adminPort, receiverPort] = [await freePort(), await freePort(), await freePort()]
  const random = seededRandom(options.seed)
  const receiver = await startCrashReceiver(receiverPort, KEY)
  const env = { USHER_DURABILITY: options.durability, USHER_EDGE_DENY_LIST_ENABLED: 'false' }
  const start = () =>
    spawnUsher({
      dataDir,
      edgePort,
      adminPort,
      env,
      ...(options.program === undefined ? {} : { program: options.program }),
    })
  let usher = await start()
  const end = () => void usher.kill()
  options.signal.addEventListener('abort', end)
  try {
    options.signal.throwIfAborted()
    const { sids, segmentIds, dataSourceId } = await define(usher, receiver.url)
    const load = startLoad({
      edgePort,
      visitors: options.visitors,
      actions: ACTIONS,
      partnerDataSourceId: dataSourceId,
      random,
    })
    for (let kill = 0; kill < options.kills; kill++) {
      await new Promise((resolve) => setTimeout(resolve, 50 + random() * 700))
      await usher.kill()
      usher = await start()
      options.signal.throwIfAborted()
    }
    for (let tries = 0; tries < 600 && load.acknowledged < options.acknowledgedMin; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      options.signal.throwIfAborted()
    }
    await load.stop()
    const isDrained = await drained(usher, receiver)
    const report = await compare({ usher, receiver, journals: load.journals, sids, segmentIds, load, options })
    return { ...report, isDrained }
  } finally {
    options.signal.removeEventListener('abort', end)
    await usher.kill()
    await receiver.close()
    await rm(dataDir, { recursive: true, force: true })
  }
}

function define(usher: SpawnedUsher, url: string) {
  return defineOverApi(usher, {
    traits: ACTIONS.map((name) => ({ name })),
    segments: SEGMENTS.map(({ rule }, at) => ({ name: `segment ${at}`, rule })),
    url,
    auth: { type: 'hmac', header: 'X-Signature', algorithm: 'sha256', keys: [{ key: KEY }] },
  })
}

/** Waits until nothing is owed and nothing new has arrived for a while. @returns false when that took over a minute */
async function drained(usher: SpawnedUsher, receiver: CrashReceiver): Promise<boolean> {
  let quietSinceMs = Date.now()
  let last = -1
  for (let tries = 0; tries < 600; tries++) {
    const open = await Promise.all(
      ['waiting', 'sending', 'retrying'].map((status) =>
        usher.api<{ total: number }>('GET', `/v1/deliveries?status=${status}&pageSize=1`),
      ),
    )
    if (open.some((page) => page.total > 0) || receiver.received !== last) quietSinceMs = Date.now()
    last = receiver.received
    if (Date.now() - quietSinceMs > 1_500) return true
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return false
}

interface Compared {
  readonly usher: SpawnedUsher
  readonly receiver: CrashReceiver
  readonly journals: readonly Journal[]
  readonly sids: Sids
  readonly segmentIds: readonly number[]
  readonly load: { readonly acknowledged: number; readonly refused: number }
  readonly options: CrashOptions
}

async function compare({
  usher,
  receiver,
  journals,
  sids,
  segmentIds,
  load,
  options,
}: Compared): Promise<Omit<CrashReport, 'isDrained'>> {
  let [lost, invented, wrongMemberships, wrongAtPartner, unknown] = [0, 0, 0, 0, 0]
  for (const [visitor, journal] of journals.entries()) {
    const profile = await usher.api<ProfileAnswer>('GET', `/v1/profiles/${deviceIdOf(visitor)}`)
    const counts = {} as Counts
    for (const action of ACTIONS) {
      const count = profile.traits.find((trait) => trait.sid === sids[action])?.count ?? 0
      const sure = journal.acknowledged.get(action) ?? 0
      const possible = journal.unknown.get(action) ?? 0
      unknown += possible
      lost += Math.max(0, sure - count)
      invented += Math.max(0, count - sure - possible)
      counts[action] = count
    }
    for (const [at, segment] of SEGMENTS.entries()) {
      const isIn = profile.segments.some((held) => held.sid === segmentIds[at] && held.status === 'in')
      if (isIn !== segment.holds(counts)) wrongMemberships += 1
      const isInAtPartner = receiver.state.get(`${partnerIdOf(visitor)}|${segmentIds[at]}`) === '1'
      if (isIn !== isInAtPartner) wrongAtPartner += 1
    }
  }
  return {
    kills: options.kills,
    acknowledged: load.acknowledged,
    unknown,
    refused: load.refused,
    lost,
    invented,
    wrongMemberships,
    wrongAtPartner,
    messages: receiver.received,
    badSignatures: receiver.badSignatures,
    repeats: receiver.repeats,
    verifyFindings: await usher.verify(),
  }
}
