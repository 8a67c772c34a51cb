// Fills a data directory for the collection benchmarks, with the product's own stores, before any server runs:
// definitions through the catalogue, profiles through the profile store.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { openSecretFiles } from '../../dist/lib/secret-files.js'
import { runInSlices } from '../../dist/lib/slices.js'
import { noteLayout } from '../../dist/main/layout.js'
import { newProfile } from '../../dist/model/profile.js'
import { buildRulebook } from '../../dist/pipeline/rulebook.js'
import { openCatalog } from '../../dist/store/catalog/catalog.js'
import { openSqlite } from '../../dist/store/catalog/sqlite/sqlite-engine.js'
import { openEmbeddedRecordStore } from '../../dist/store/embedded/embedded-record-store.js'
import { openJobStore } from '../../dist/store/job-store.js'
import { openProfileStore } from '../../dist/store/profiles.js'
import { KEYS, randomOf, VALUES, visitorId } from './requests.mjs'

export const FIRST_TRAIT = 100_000

/** @param {{ dataDir: string, traits: number, segments: number, receiverUrl?: string, mapped?: number }} options */
export async function populateDefinitions({ dataDir, traits, segments, receiverUrl, mapped = 50 }) {
  mkdirSync(dataDir, { recursive: true })
  const secrets = openSecretFiles(dataDir, { inUse: false })
  await noteLayout(dataDir)
  const catalog = await openCatalog({
    engine: openSqlite(join(dataDir, 'catalog.sqlite')),
    masterKey: secrets.masterKey,
    clock: Date.now,
  })
  const random = randomOf(7)
  const source = await catalog.dataSources.create(dataSource('bench partner'), 0)
  const dataSourceId = source.dataSourceId
  await createAll(
    catalog.traits,
    Array.from({ length: traits }, (_, n) => ({
      ...blankTrait,
      traitId: FIRST_TRAIT + n,
      name: `trait ${n}`,
      dataSourceId,
      // Selective: about one in 250,000 pairs of a call meets a rule of two conditions.
      traitRule:
        n % 4 === 0
          ? `c_k${random(KEYS)} == "v${random(VALUES)}"`
          : `c_k${random(KEYS)} == "v${random(VALUES)}" AND c_k${random(KEYS)} == "v${random(VALUES)}"`,
    })),
  )
  const trait = () => FIRST_TRAIT + random(traits)
  await createAll(
    catalog.segments,
    Array.from({ length: segments }, (_, n) => {
      const [a, b, c] = [trait(), trait(), trait()]
      const rule = [
        `${a}T`,
        `${a}T AND ${b}T`,
        `${a}T AND NOT ${b}T`,
        `(${a}T OR ${b}T) AND ${c}T`,
        `FREQUENCY([${a}T,${b}T] <= 30D) >= 2`,
      ][n % 5]
      return {
        segmentId: FIRST_TRAIT + traits + n,
        name: `segment ${n}`,
        segmentRule: rule,
        dataSourceId,
        mergeRuleId: undefined,
        status: 'ACTIVE',
        folderId: 0,
        description: undefined,
        integrationCode: undefined,
        traitIds: [a, b, c].filter((id) => rule.includes(`${id}T`)),
      }
    }),
  )
  if (receiverUrl !== undefined) {
    const destination = await catalog.destinations.create(
      {
        destinationId: undefined,
        name: 'receiver',
        destinationType: 'S2S',
        status: 'ACTIVE',
        vendorId: undefined,
        description: undefined,
        dataSourceIds: [dataSourceId],
        config: {
          protocol: 'https',
          delivery: 'realtime',
          format: 'aam-json',
          mode: 'durable',
          url: receiverUrl,
          userDpid: dataSourceId,
          clientId: '1',
          auth: {
            type: 'hmac',
            header: 'X-Signature',
            algorithm: 'sha256',
            keys: [{ key: 'sample_partner_private_key' }],
          },
        },
      },
      0,
    )
    const step = Math.floor(segments / mapped)
    const drafts = Array.from({ length: mapped }, (_, n) => ({
      segmentId: FIRST_TRAIT + traits + n * step,
      value: undefined,
      startDay: 0,
      endDay: undefined,
    }))
    await catalog.mappings.create(destination.destinationId, drafts, 0)
  }
  const options = { allowPrivate: true, previous: undefined }
  const { membershipKey } = await runInSlices(buildRulebook(await catalog.definitions(), options))
  await catalog.close()
  return { dataSourceId, membershipKey }
}

async function createAll(repository, drafts) {
  for (const draft of drafts) await repository.create(draft, 0)
}

const blankTrait = {
  traitType: 'RULE_BASED_TRAIT',
  folderId: 0,
  ttlDays: 120,
  status: 'ACTIVE',
  description: undefined,
  comments: undefined,
  integrationCode: undefined,
  eventTypeId: undefined,
  categoryId: undefined,
}

function dataSource(name) {
  return {
    dataSourceId: undefined,
    name,
    description: undefined,
    integrationCode: undefined,
    idType: 'COOKIE',
    status: 'ACTIVE',
    options: dataSourceOptions,
  }
}

const dataSourceOptions = {
  subIdType: undefined,
  inboundS2S: false,
  outboundS2S: false,
  uniqueTraitIntegrationCodes: false,
  uniqueSegmentIntegrationCodes: false,
  supportsAuthenticatedProfile: false,
  authenticatedProfileName: undefined,
  customerProfileDataRetentionSeconds: 62_208_000,
  redirectHosts: [],
  sync: undefined,
}

/** Stores profiles 0 to count - 1, each with 60 to 200 traits and two partner IDs. */
export async function populateProfiles({
  dataDir,
  count,
  traits,
  membershipKey,
  dataSourceId,
  minimum = 60,
  maximum = 200,
  onProgress,
}) {
  const secrets = openSecretFiles(dataDir, { inUse: true })
  const records = await openEmbeddedRecordStore({ folder: join(dataDir, 'profiles'), durability: 'memory' })
  const store = await openProfileStore(records, { optOutKey: secrets.optOutKey })
  const random = randomOf(11)
  const nowMs = Date.now()
  const today = Math.floor(nowMs / 86_400_000)
  const dueMs = (today + 100) * 86_400_000
  for (let from = 0; from < count; from += 2_000) {
    const commits = []
    for (let n = from; n < Math.min(count, from + 2_000); n++) {
      const size = minimum + random(maximum - minimum + 1)
      const base = newProfile(`d:${visitorId(n)}`, nowMs - random(30) * 86_400_000)
      const profile = {
        ...base,
        regions: [7],
        traits: traitTable(size, traits, today, random),
        links: [{ dataSourceId, id: `p-${n}`, syncedAtMs: nowMs, authState: 0, authenticatedAtMs: 0 }],
        membershipKey,
        dueMs,
      }
      commits.push(store.commit({ profile, previousDueMs: 0, outbox: [], eventId: 'AAAAAAAAAAA=', followUps: [] }))
    }
    await Promise.all(commits)
    onProgress?.(Math.min(count, from + 2_000))
  }
  // Every profile was evaluated under this version: no background walk is owed.
  await openJobStore(records).write('refile', { key: membershipKey, partition: 0, remaining: 0 })
  await records.flush()
  await store.close()
  await records.close()
}

function traitTable(size, traits, today, random) {
  const chosen = new Set()
  while (chosen.size < size) chosen.add(FIRST_TRAIT + random(traits))
  const sids = Int32Array.from(chosen).sort()
  return {
    sids,
    totals: new Uint32Array(size).fill(1),
    dayStart: Uint32Array.from({ length: size + 1 }, (_, i) => i),
    days: Uint16Array.from({ length: size }, () => today - random(20)),
    dayCounts: new Uint32Array(size).fill(1),
  }
}
