// Fills a data directory to the limits of the specification: 100,000 traits, 20,000 segments, destinations with thousands of
// mappings, long texts and rules, profiles with many memberships, some thousand messages, a full deny list. Rows that are
// alike are copied inside SQLite: made one by one they would take minutes.
import { join } from 'node:path'
import Database from 'libsql'
import { openSecretFiles } from '../../dist/lib/secret-files.js'
import { runInSlices } from '../../dist/lib/slices.js'
import { newProfile } from '../../dist/model/profile.js'
import { buildRulebook } from '../../dist/pipeline/rulebook.js'
import { openCatalog } from '../../dist/store/catalog/catalog.js'
import { openSqlite } from '../../dist/store/catalog/sqlite/sqlite-engine.js'
import { newDeliveryId } from '../../dist/store/delivery-keys.js'
import { openDeliveryStore } from '../../dist/store/delivery-store.js'
import { openDenyStore } from '../../dist/store/deny-store.js'
import { openEmbeddedRecordStore } from '../../dist/store/embedded/embedded-record-store.js'
import { openProfileStore } from '../../dist/store/profiles.js'
import { FIRST_TRAIT, populateDefinitions, populateProfiles } from './populate.mjs'
import { KEYS, randomOf, VALUES, visitorId } from './requests.mjs'

// Some fewer than the limits, so that one more can be saved.
const TRAITS = 99_900
const SEGMENTS = 19_900
export const FIRST_SEGMENT = FIRST_TRAIT + TRAITS
/** Segments from here on have rules of 1,000 traits; their list is long in bytes as well. */
const LONG_RULES = 100
const DESTINATIONS = 6
const FOLDERS = 2_000
const DATA_SOURCES = 2_000
const PROFILES = 20_000
const MESSAGES = 5_000
const LARGE_MESSAGES = 20
const DENIED = 100_000

/** Their traits, and about as many memberships as each thousandth of the segments. */
export const LARGE_PROFILES = [
  { id: visitorId(9_000_001), traits: 2_000 },
  { id: visitorId(9_000_002), traits: 20_000 },
]

export async function populateLarge({ dataDir, receiverUrl }) {
  const { dataSourceId, destinationIds } = await defineFirst(dataDir, receiverUrl)
  multiply(join(dataDir, 'catalog.sqlite'), destinationIds[0])
  const membershipKey = await keyOf(dataDir)
  await populateProfiles({ dataDir, count: PROFILES, traits: TRAITS, membershipKey, dataSourceId })
  await populateRecords(dataDir, dataSourceId, destinationIds)
}

async function open(dataDir) {
  const { masterKey } = openSecretFiles(dataDir, { inUse: true })
  return openCatalog({ engine: openSqlite(join(dataDir, 'catalog.sqlite')), masterKey, clock: Date.now })
}

/** One object of each kind, as the product writes it. */
async function defineFirst(dataDir, receiverUrl) {
  const { dataSourceId } = await populateDefinitions({ dataDir, traits: 1, segments: 1, receiverUrl, mapped: 1 })
  const catalog = await open(dataDir)
  const first = await catalog.destinations.get(1)
  const destinationIds = [first.destinationId]
  for (let n = 1; n < DESTINATIONS; n++) {
    const draft = { ...first, destinationId: undefined, name: `receiver ${n}`, dataSourceIds: [dataSourceId] }
    destinationIds.push((await catalog.destinations.create(draft, 0)).destinationId)
  }
  await catalog.folders.create('traits', { folderId: undefined, parentFolderId: 0, name: 'folder' }, 0)
  await catalog.close()
  return { dataSourceId, destinationIds }
}

function multiply(file, destinationId) {
  const db = new Database(file)
  const random = randomOf(7)
  const copy = (table, where, rows) => {
    const [pattern] = db.prepare(`select * from ${table} where ${where} limit 1`).all()
    const names = Object.keys(pattern)
    const insert = db.prepare(`insert or replace into ${table} (${names}) values (${names.map(() => '?')})`)
    for (const row of rows) insert.run(names.map((name) => row[name] ?? pattern[name]))
  }
  const numbers = (count, make) => Array.from({ length: count }, (_, n) => make(n))
  const trait = () => FIRST_TRAIT + random(TRAITS)
  const condition = () => `c_k${random(KEYS)} == "v${random(VALUES)}"`
  const named = numbers(SEGMENTS, (n) => numbers(n < SEGMENTS - LONG_RULES ? 3 : 1_000, trait))
  db.exec('begin')
  copy(
    'traits',
    `trait_id = ${FIRST_TRAIT}`,
    numbers(TRAITS, (n) => ({
      trait_id: FIRST_TRAIT + n,
      name: `trait ${n}`,
      description: `Visitors who looked at product ${n} `.repeat(5),
      comments: n % 100 === 0 ? 'Made by hand. '.repeat(400) : null,
      trait_rule: n % 4 === 0 ? condition() : `${condition()} AND ${condition()}`,
    })),
  )
  db.exec('delete from trait_rule_versions')
  copy(
    'segments',
    '1 = 1',
    named.map((ids, n) => ({ segment_id: FIRST_SEGMENT + n, name: `segment ${n}`, segment_rule: ruleOf(n, ids) })),
  )
  db.exec(`delete from segments where segment_id < ${FIRST_SEGMENT}; delete from segment_traits`)
  const uses = db.prepare('insert or ignore into segment_traits (segment_id, trait_id) values (?, ?)')
  for (const [n, ids] of named.entries()) for (const id of ids) uses.run([FIRST_SEGMENT + n, id])
  // The first destination has nearly all segments, the others some.
  const mappings = numbers(SEGMENTS, (n) => n).flatMap((n) =>
    numbers(DESTINATIONS, (d) => ({ destination: destinationId + d, segment_id: FIRST_SEGMENT + n })).filter(
      (_, d) => d === 0 || n % (d * 40) === 0,
    ),
  )
  copy(
    'mappings',
    '1 = 1',
    mappings.map(({ destination, segment_id }, n) => ({
      mapping_id: 1 + n,
      destination_id: destination,
      segment_id,
      value: `alias-${segment_id}`,
    })),
  )
  copy(
    'data_sources',
    'data_source_id = 1002',
    numbers(DATA_SOURCES, (n) => ({ data_source_id: 5_000 + n, name: `source ${n}` })),
  )
  copy(
    'folders',
    "kind = 'traits' and folder_id > 0",
    numbers(FOLDERS - 2, (n) => ({
      kind: 'segments',
      folder_id: 2 + n,
      parent_folder_id: 0,
      name: `folder ${n}`,
      folder_trait_id: null,
    })),
  )
  db.exec('commit')
  db.close()
}

function ruleOf(n, ids) {
  const [a, b, c] = ids
  if (ids.length > 3) return ids.map((id) => `${id}T`).join(n % 2 === 0 ? ' OR ' : ' AND ')
  return [
    `${a}T`,
    `${a}T AND ${b}T`,
    `${a}T AND NOT ${b}T`,
    `(${a}T OR ${b}T) AND ${c}T`,
    `FREQUENCY([${a}T,${b}T] <= 30D) >= 2`,
  ][n % 5]
}

async function keyOf(dataDir) {
  const catalog = await open(dataDir)
  const options = { allowPrivate: true, previous: undefined }
  const { membershipKey } = await runInSlices(buildRulebook(await catalog.definitions(), options))
  await catalog.close()
  return membershipKey
}

async function populateRecords(dataDir, dataSourceId, destinationIds) {
  const secrets = openSecretFiles(dataDir, { inUse: true })
  const records = await openEmbeddedRecordStore({ folder: join(dataDir, 'profiles'), durability: 'memory' })
  const profiles = await openProfileStore(records, { optOutKey: secrets.optOutKey })
  const deliveries = openDeliveryStore(records)
  const nowMs = Date.now()
  for (const { id, traits } of LARGE_PROFILES) {
    const profile = { ...newProfile(`d:${id}`, nowMs), traits: heldTraits(traits, Math.floor(nowMs / 86_400_000)) }
    const links = [{ dataSourceId, id: `large-${traits}`, syncedAtMs: nowMs, authState: 0, authenticatedAtMs: 0 }]
    await profiles.commit({
      profile: { ...profile, links, regions: [7], dueMs: nowMs + 86_400_000 },
      previousDueMs: 0,
      outbox: [],
      eventId: 'AAAAAAAAAAA=',
      followUps: [],
    })
  }
  const random = randomOf(13)
  for (let n = 0; n < MESSAGES + LARGE_MESSAGES; n++) {
    const [users, segments] = n < MESSAGES ? [10, 3] : [10, 2_000]
    const shape = {
      users,
      segments,
      createdAtMs: nowMs - (MESSAGES + LARGE_MESSAGES - n) * 10_000,
      isDead: n % 3 === 0,
    }
    const one = message(destinationIds[n % destinationIds.length], dataSourceId, shape, random)
    await deliveries.freeze([one])
    await deliveries.end(one)
  }
  await openDenyStore(records, () => {}).write(
    new Map(
      Array.from({ length: DENIED }, (_, n) => [
        n * 7_919,
        {
          kind: dataSourceId,
          id: `denied-${n}`,
          cause: 'minute',
          times: 3,
          firstMs: nowMs,
          lastMs: nowMs,
          count: 9,
          untilMs: Number.POSITIVE_INFINITY,
        },
      ]),
    ),
    [],
  )
  await records.flush()
  await profiles.close()
  await records.close()
}

/** Each held today and on some days before. */
function heldTraits(count, today) {
  const sids = Int32Array.from({ length: count }, (_, i) => FIRST_TRAIT + i * Math.floor(TRAITS / count))
  const days = 8
  return {
    sids,
    totals: new Uint32Array(count).fill(days),
    dayStart: Uint32Array.from({ length: count + 1 }, (_, i) => i * days),
    days: Uint16Array.from({ length: count * days }, (_, i) => today - days + 1 + (i % days)),
    dayCounts: new Uint32Array(count * days).fill(1),
  }
}

function message(destinationId, dataSourceId, { users, segments, createdAtMs, isDead }, random) {
  const deliveryId = newDeliveryId()
  const told = Array.from({ length: users }, () => ({
    visitor: random(PROFILES),
    sids: [...new Set(Array.from({ length: segments }, () => FIRST_SEGMENT + random(SEGMENTS)))],
  }))
  const written = told.map(({ visitor, sids }) => ({
    dataSourceId,
    partnerId: `p-${visitor}`,
    segments: sids.map((sid) => [sid, String(sid), 1]),
  }))
  return {
    deliveryId,
    destinationId,
    status: isDead ? 'dead' : 'acknowledged',
    reason: isDead ? 'http_400' : null,
    createdAtMs,
    finishedAtMs: createdAtMs + 1_000,
    method: 'POST',
    url: 'https://partner.example/in',
    body: JSON.stringify({ Users: written }),
    users: told.map(({ visitor, sids }) => ({
      profileId: `d:${visitorId(visitor)}`,
      revision: 1,
      active: sids,
      inactive: [],
    })),
    written,
    attempts: [
      {
        number: 1,
        startedAtMs: createdAtMs,
        durationMs: 30,
        outcome: isDead ? 'failed' : 'acknowledged',
        httpStatus: isDead ? 400 : 200,
        error: isDead ? 'http_400' : null,
        responseHeaders: { 'content-type': 'text/plain' },
        responseExcerpt: 'no',
      },
    ],
    nextAttemptMs: 0,
    replayOf: null,
    headers: [['Content-Type', 'application/json']],
    roundId: deliveryId,
    roundSize: 1,
    attemptsBefore: 0,
    aamWouldDrop: false,
  }
}
