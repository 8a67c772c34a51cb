// P8: messages signed and sent over plain HTTP, against a bare undici loop that sends the same bytes to the same receiver
// with the same concurrency; in turns, so that both see the same machine. And the whole way of a message, from a marker on
// disk to its ending on disk, which is what a queue drains at after an outage.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pool } from 'undici'
import { buildDestinationRules } from '../dist/activation/destination-rules.js'
import { openDispatcher } from '../dist/activation/dispatcher.js'
import { openTokenSource } from '../dist/activation/oauth.js'
import { openSender } from '../dist/activation/sender.js'
import { openEgress } from '../dist/lib/egress/egress.js'
import { newProfile } from '../dist/model/profile.js'
import { openDeliveryStore } from '../dist/store/delivery-store.js'
import { openEmbeddedRecordStore } from '../dist/store/embedded/embedded-record-store.js'
import { openJobStore } from '../dist/store/job-store.js'
import { openProfileStore } from '../dist/store/profiles.js'
import { startPartners } from './load/partners.mjs'

const PORT = 21_921
const PARTNER = 77_052
const DESTINATION = 423
// What a destination has that names none.
const CONCURRENCY = 16
const SLICE = 3_000
const SLICES = 9
const DRAINED = 30_000
const USERS_PER_MESSAGE = [1, 10]
const DAY = Math.floor(Date.now() / 86_400_000)
const USER_AGENT = 'Usher/bench'

export async function run() {
  const partners = await startPartners([PORT])
  const egress = openEgress({ allowPrivate: true, ownListeners: [] })
  try {
    const results = [await measureSending(egress)]
    for (const users of USERS_PER_MESSAGE) results.push(await measureDrain(egress, users))
    return results
  } finally {
    await egress.close()
    await partners.stop()
  }
}

async function measureSending(egress) {
  const rules = rulesOf(10)
  const destination = rules.byId.get(DESTINATION)
  const tokens = openTokenSource({ egress, clock: Date.now, userAgent: USER_AGENT, timeoutMs: 3_000 })
  const sender = openSender({
    egress,
    tokens,
    clock: Date.now,
    userAgent: USER_AGENT,
    timeoutMs: { compat: 3_000, durable: 15_000 },
  })
  const delivery = (await frozenMessages(egress, rules, 10, 10))[0]
  const ours = async () => {
    const { outcome } = await sender.send(destination, delivery)
    if (outcome.status !== 'acknowledged') throw new Error(`not acknowledged: ${JSON.stringify(outcome)}`)
  }
  const { headers } = await sender.send(destination, delivery)
  const bare = bareLoop(headers, delivery.body)
  const rates = { ours: [], bare: [] }
  for (let slice = 0; slice < SLICES; slice++) {
    rates.ours.push(await rateOf(ours))
    rates.bare.push(await rateOf(bare.send))
  }
  await bare.close()
  // The first slices warm up.
  const [mine, peer] = [median(rates.ours.slice(2)), median(rates.bare.slice(2))]
  const ratios = rates.ours.slice(2).map((rate, at) => rate / rates.bare[at + 2])
  return {
    id: 'P8',
    what: 'delivery signed over plain HTTP / bare undici loop with the same bytes',
    ours: { name: 'signed, sent, answer recorded', value: mine, unit: 'messages/s' },
    peer: { name: 'bare undici', value: peer, unit: 'messages/s' },
    ratio: median(ratios),
    must: '>= 0.60',
    aim: '>= 0.80',
    met: median(ratios) >= 0.6,
    notes: `${ratios.length} pairs of ${SLICE} messages, ratios ${ratios.map((one) => one.toFixed(2)).join(' ')}; body ${Buffer.byteLength(delivery.body)} bytes of 10 users, ${CONCURRENCY} at a time`,
  }
}

/** From markers on disk: read the profiles, build, store, sign, send, store the ending, remove the markers. */
async function measureDrain(egress, usersPerMessage) {
  const rules = rulesOf(usersPerMessage)
  const count = DRAINED * (usersPerMessage > 1 ? 2 : 1)
  const startedMs = []
  let ended = 0
  let doneMs = 0
  await frozenMessages(egress, rules, count, usersPerMessage, {
    onStart: () => startedMs.push(performance.now()),
    onEnded: () => {
      ended += 1
      doneMs = performance.now()
    },
  })
  const perSecond = (ended * 1000) / (doneMs - startedMs[0])
  const must = 2_000
  const rate = usersPerMessage === 1 ? perSecond : perSecond * usersPerMessage
  return {
    id: usersPerMessage === 1 ? 'P8-drain' : 'P8-drain-users',
    what: `drain of ${count} owed users, ${usersPerMessage} a message: marker on disk to ending on disk`,
    ours: {
      name: usersPerMessage === 1 ? 'messages' : 'users',
      value: rate,
      unit: usersPerMessage === 1 ? 'messages/s' : 'users/s',
    },
    peer: { name: 'limit', value: must, unit: usersPerMessage === 1 ? 'messages/s' : 'users/s' },
    ratio: rate / must,
    must: `>= ${must}/s`,
    aim: `>= ${must}/s`,
    met: rate >= must,
    notes: `${ended} messages, durability disk, ${CONCURRENCY} at a time`,
  }
}

/** Owes every one of `count` profiles a message and lets a dispatcher over a store on disk send them. @returns what ended */
async function frozenMessages(egress, rules, count, usersPerMessage, { onStart = () => {}, onEnded = () => {} } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'usher-p8-'))
  const records = await openEmbeddedRecordStore({ folder, durability: 'disk' })
  try {
    const profiles = await openProfileStore(records, { optOutKey: Buffer.alloc(32) })
    const deliveries = openDeliveryStore(records)
    for (let at = 0; at < count; at += 1_000) {
      const some = Array.from({ length: Math.min(1_000, count - at) }, (_, n) => profileOf(at + n))
      await Promise.all(some.map((profile) => profiles.commit(commitOf(profile), 'memory')))
    }
    const found = []
    let left = Math.ceil(count / usersPerMessage)
    let finish
    const finished = new Promise((resolve) => {
      finish = resolve
    })
    onStart()
    const dispatcher = await openDispatcher({
      deliveries,
      profiles,
      jobs: openJobStore(records),
      rules: () => rules,
      egress,
      clock: Date.now,
      log: (event, fields) => console.error(event, fields),
      userAgent: USER_AGENT,
      onEnded: (delivery) => {
        if (delivery.status !== 'acknowledged') throw new Error(`${delivery.status} ${delivery.reason}`)
        if (found.length < 10) found.push(delivery)
        onEnded()
        left -= 1
        if (left <= 0) finish()
      },
    })
    await finished
    await dispatcher.close()
    return found
  } finally {
    await records.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

function bareLoop(headers, body) {
  const pool = new Pool(`http://127.0.0.1:${PORT}`)
  const lines = headers.flat()
  return {
    async send() {
      const { statusCode, body: answer } = await pool.request({ path: '/aam', method: 'POST', headers: lines, body })
      await answer.dump()
      if (statusCode !== 200) throw new Error(`status ${statusCode}`)
    },
    close: () => pool.close(),
  }
}

/** @returns calls a second, `CONCURRENCY` at a time */
async function rateOf(send) {
  let left = SLICE
  const startedMs = performance.now()
  const worker = async () => {
    while (left-- > 0) await send()
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, worker))
  return (SLICE * 1000) / (performance.now() - startedMs)
}

function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1]
}

function profileOf(n) {
  const id = `d:${String(n).padStart(38, '0')}`
  const seconds = Math.floor(Date.now() / 1000)
  const sids = Int32Array.from([100, 101, 102])
  return {
    ...newProfile(id, Date.now()),
    regions: [9],
    links: [{ dataSourceId: PARTNER, id: `user-${n}`, syncedAtMs: Date.now(), authState: 0, authenticatedAtMs: 0 }],
    segments: {
      sids,
      left: new Uint8Array(3),
      sinceSeconds: new Uint32Array(3).fill(seconds),
      verifiedSeconds: new Uint32Array(3).fill(seconds),
    },
  }
}

function commitOf(profile) {
  return { profile, previousDueMs: 0, outbox: [DESTINATION], eventId: 'AAAAAAAAAAA=', followUps: [] }
}

function rulesOf(usersPerMessage) {
  const sids = [100, 101, 102]
  const dataSource = {
    integrationCode: undefined,
    status: 'ACTIVE',
    retentionDays: 720,
    isGlobal: false,
    redirectHosts: [],
    sync: undefined,
  }
  const building = buildDestinationRules({
    version: 1,
    folders: [],
    traits: [],
    mergeRules: [],
    dataSources: [{ ...dataSource, dataSourceId: PARTNER, name: 'partner', idType: 'COOKIE' }],
    segments: sids.map((segmentId) => ({
      segmentId,
      name: `segment ${segmentId}`,
      segmentRule: '',
      dataSourceId: PARTNER,
      mergeRuleId: 1,
      status: 'ACTIVE',
    })),
    destinations: [
      {
        destinationId: DESTINATION,
        name: 'partner',
        destinationType: 'S2S',
        status: 'ACTIVE',
        vendorId: undefined,
        mappingVersion: 1,
        config: {
          url: `http://127.0.0.1:${PORT}/aam`,
          userDpid: PARTNER,
          clientId: '74323',
          usersPerMessage,
          concurrency: CONCURRENCY,
          auth: {
            type: 'hmac',
            header: 'X-Signature',
            algorithm: 'sha256',
            keys: [{ key: 'sample_partner_private_key' }],
          },
        },
      },
    ],
    mappings: sids.map((segmentId, at) => ({
      mappingId: 1_000 + at,
      destinationId: DESTINATION,
      segmentId,
      value: String(segmentId),
      startDay: DAY - 30,
      endDay: undefined,
    })),
  })
  for (;;) {
    const step = building.next()
    if (step.done) return step.value
  }
}
