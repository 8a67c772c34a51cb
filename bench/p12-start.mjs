// P12 and P13: from the start of the process until ready, and its memory afterwards and under load, with one million
// stored profiles (10,000 traits, 10,000 segments). Peer: the start with an empty store in the same run.
//
//   BENCH_TEN_MILLION=1 measures memory at ten million profiles as well (takes minutes and 2 GB of disk).
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { populateDefinitions, populateProfiles } from './load/populate.mjs'
import { generate, startServer } from './load/server.mjs'

const PROFILES = Number(process.env.BENCH_PROFILES ?? 1_000_000)
const PORTS = { edge: 21_921, admin: 21_922 }
const MIB = 1024 * 1024

export async function run() {
  const empty = await measure(0)
  const full = await measure(PROFILES)
  const results = [
    {
      id: 'P12',
      what: `start with ${PROFILES} profiles until ready`,
      ours: { name: 'with profiles', value: full.startMs, unit: 'ms' },
      peer: { name: 'empty store', value: empty.startMs, unit: 'ms' },
      ratio: full.startMs / empty.startMs,
      must: '<= 5000 ms',
      aim: '<= 1000 ms',
      met: full.startMs <= 5000,
    },
    memory('P13', PROFILES, full, empty, 1024),
  ]
  if (process.env.BENCH_TEN_MILLION)
    results.push(memory('P13', PROFILES * 10, await measure(PROFILES * 10), empty, 1536))
  return results
}

function memory(id, count, full, empty, mustMib) {
  return {
    id: count === PROFILES ? id : `${id}-${count}`,
    what: `memory of the process at ${count} profiles, after 10 s of load`,
    ours: { name: 'resident set', value: Math.round(full.rssBytes / MIB), unit: 'MiB' },
    peer: { name: 'empty store', value: Math.round(empty.rssBytes / MIB), unit: 'MiB' },
    ratio: full.rssBytes / empty.rssBytes,
    must: `<= ${mustMib} MiB`,
    aim: '<= 400 MiB',
    met: full.rssBytes <= mustMib * MIB,
    notes: `of it anonymous (not the page cache of mapped tables): ${Math.round(full.anonymousBytes / MIB)} MiB`,
  }
}

async function measure(count) {
  const kept = process.env.BENCH_DIR
  const dataDir = kept ? join(kept, `p12-${count}`) : mkdtempSync(join(tmpdir(), 'usher-p12-'))
  try {
    if (!existsSync(join(dataDir, 'catalog.sqlite'))) {
      const traits = 10_000
      const { dataSourceId, membershipKey } = await populateDefinitions({ dataDir, traits, segments: 10_000 })
      if (count > 0) await populateProfiles({ dataDir, count, traits, membershipKey, dataSourceId })
    }
    const startedMs = performance.now()
    const usher = await startServer({ dataDir, edgePort: PORTS.edge, adminPort: PORTS.admin })
    const startMs = Math.round(performance.now() - startedMs)
    await generate({ port: PORTS.edge, connections: 64, seconds: 10, population: Math.max(1, count) })
    const status = readFileSync(`/proc/${usher.process.pid}/status`, 'utf8')
    const bytes = (name) => Number(new RegExp(`${name}:\\s+([0-9]+) kB`).exec(status)?.[1] ?? 0) * 1024
    const result = { startMs, rssBytes: bytes('VmRSS'), anonymousBytes: bytes('RssAnon') }
    await usher.stop()
    return result
  } finally {
    if (!kept) rmSync(dataDir, { recursive: true, force: true })
  }
}
