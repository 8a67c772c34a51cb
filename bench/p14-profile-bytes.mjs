// P14: bytes on disk for a profile of 20 traits and 2 linked ids, with its reverse records and due entries.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openEmbeddedRecordStore } from '../dist/store/embedded/embedded-record-store.js'
import { openLevel } from '../dist/store/embedded/level.js'
import { openProfileStore } from '../dist/store/profiles.js'

const PROFILES = Number(process.env.P14_PROFILES ?? 200_000)
const AT_ONCE = 500
const TODAY = 20_600
const NOW = TODAY * 86_400_000

function random(seed) {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

const next = random(20_261_122)
const upTo = (n) => Math.floor(next() * n)
const digits = (n) => Array.from({ length: n }, () => upTo(10)).join('')
const hex = (n) => Array.from({ length: n }, () => upTo(16).toString(16)).join('')
const none = new Uint32Array(0)
const noSegments = { sids: new Int32Array(0), left: new Uint8Array(0), sinceSeconds: none, verifiedSeconds: none }

/** 85 % realized once, the rest a few times on one day: the mixture of P7. */
function traits(count) {
  const chosen = new Set()
  while (chosen.size < count) chosen.add(1 + upTo(100_000))
  const totals = Uint32Array.from({ length: count }, () => (next() < 0.85 ? 1 : 2 + upTo(5)))
  return {
    sids: Int32Array.from(chosen).sort(),
    totals,
    dayStart: Uint32Array.from({ length: count + 1 }, (_, i) => i),
    days: Uint16Array.from({ length: count }, () => TODAY - upTo(120)),
    dayCounts: totals,
  }
}

function profile(id, seenMs, more) {
  return {
    id,
    revision: 0,
    firstSeenMs: NOW - upTo(100) * 86_400_000,
    lastSeenMs: seenMs,
    regions: [],
    traits: {
      sids: new Int32Array(0),
      totals: none,
      dayStart: new Uint32Array(1),
      days: new Uint16Array(0),
      dayCounts: none,
    },
    segments: noSegments,
    links: [],
    devices: [],
    appliedEvents: [],
    plans: [],
    consent: undefined,
    membershipKey: 200_000_001,
    dueMs: 0,
    ...more,
  }
}

/** A device with a partner's cookie id and a customer number, and the two profiles that lead back to it. */
function visitor() {
  const deviceId = digits(38)
  const seenMs = NOW - upTo(30 * 86_400) * 1000
  const link = (dataSourceId, id) => ({ dataSourceId, id, syncedAtMs: seenMs, authState: 0, authenticatedAtMs: 0 })
  const links = [link(771, hex(32)), link(20_914, digits(10))]
  const events = Array.from({ length: 4 }, () => Buffer.from(hex(16), 'hex').toString('base64'))
  const dueMs = NOW + (1 + upTo(120)) * 86_400_000
  const device = profile(`d:${deviceId}`, seenMs, {
    traits: traits(20),
    links,
    appliedEvents: events,
    dueMs,
    regions: [9],
  })
  const devices = [{ deviceId, syncedAtMs: seenMs }]
  return [
    device,
    ...links.map(({ dataSourceId, id }) =>
      profile(`${dataSourceId}:${id}`, seenMs, { devices, dueMs: seenMs + 180 * 86_400_000 }),
    ),
  ]
}

export async function run() {
  const folder = await mkdtemp(join(tmpdir(), 'usher-p14-'))
  try {
    let records = await openEmbeddedRecordStore({ folder, durability: 'memory' })
    const profiles = await openProfileStore(records, { optOutKey: Buffer.alloc(32, 1) })
    for (let i = 0; i < PROFILES; i += AT_ONCE) {
      const updates = Array.from({ length: Math.min(AT_ONCE, PROFILES - i) }, visitor).flat()
      await Promise.all(
        updates.map((each) =>
          profiles.commit({ profile: each, previousDueMs: 0, outbox: [], eventId: '', followUps: [] }, 'process'),
        ),
      )
    }
    await profiles.close()
    const level = await openLevel(folder)
    await level.compact()
    await level.close()
    records = await openEmbeddedRecordStore({ folder, durability: 'memory' })
    const { diskBytes } = await records.stats()
    await records.close()
    const bytes = diskBytes / PROFILES
    return {
      id: 'P14',
      what: 'disk bytes a profile with 20 traits and 2 linked ids, reverse records and due entries included, compacted',
      ours: { name: 'usher embedded store', value: Number(bytes.toFixed(1)), unit: 'bytes' },
      peer: { name: 'limit', value: 400, unit: 'bytes' },
      ratio: Number((400 / bytes).toFixed(2)),
      must: '<= 400',
      aim: '<= 250',
      met: bytes <= 400,
      notes: `${PROFILES} devices, each with 2 reverse profiles, 3 due entries and the last 4 event ids`,
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(JSON.stringify(await run(), null, 2))
