// P1 to P3: collection, answered after the flush, against bare node:http with the same requests from the same generator,
// taken in turns. 1 million stored profiles of 60 to 200 traits, 90 % returning visitors, GETs of 20 parameters,
// durability `disk`, one real-time destination that answers.
//
//   BENCH_PROFILES=100000 node scripts/bench.mjs p1     a smaller population, for a first look

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { populateDefinitions, populateProfiles } from './load/populate.mjs'
import { generate, startBare, startServer } from './load/server.mjs'

const PROFILES = Number(process.env.BENCH_PROFILES ?? 1_000_000)
const ROUNDS = 3
const SECONDS = 6
const CONNECTIONS = 64
const PORTS = { bare: 21_900, edge: 21_901, admin: 21_902, receiver: 21_903 }

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]

/** @returns results for P1 (10,000 rules), P2 (50,000 rules) and P3 (latency at half of each side's peak) */
export async function run() {
  const receiver = createServer((request, response) => {
    request.resume()
    request.on('end', () => response.writeHead(200).end())
  })
  await new Promise((resolve) => receiver.listen(PORTS.receiver, '127.0.0.1', resolve))
  try {
    const ten = await measure({ traits: 10_000, segments: 10_000, latency: true })
    const fifty = await measure({ traits: 50_000, segments: 10_000, latency: false })
    return [
      ratioResult(
        'P1',
        'collection with 10,000 trait rules and 10,000 segments / bare node:http',
        ten,
        '>= 0.25',
        '>= 0.40',
        0.25,
      ),
      ratioResult(
        'P2',
        'collection with 50,000 trait rules and 10,000 segments / bare node:http',
        fifty,
        '>= 0.15',
        '>= 0.28',
        0.15,
      ),
      {
        id: 'P3',
        what: 'p99 of collection at half its own peak / p99 of bare at half its peak',
        ours: { name: 'collection p99', value: ten.latency.ours.p99Ms, unit: 'ms' },
        peer: { name: 'bare p99', value: ten.latency.bare.p99Ms, unit: 'ms' },
        ratio: ten.latency.ours.p99Ms / ten.latency.bare.p99Ms,
        must: '<= 5',
        aim: '<= 2',
        met: ten.latency.ours.p99Ms / ten.latency.bare.p99Ms <= 5,
        notes: JSON.stringify(ten.latency),
      },
    ]
  } finally {
    receiver.closeAllConnections()
    receiver.close()
  }
}

async function measure({ traits, segments, latency }) {
  const kept = process.env.BENCH_DIR
  const dataDir = kept ? join(kept, `p1-${traits}-${PROFILES}`) : mkdtempSync(join(tmpdir(), 'usher-p1-'))
  try {
    if (!existsSync(join(dataDir, 'catalog.sqlite'))) {
      const { dataSourceId, membershipKey } = await populateDefinitions({
        dataDir,
        traits,
        segments,
        receiverUrl: `http://127.0.0.1:${PORTS.receiver}/aam`,
      })
      await populateProfiles({ dataDir, count: PROFILES, traits, membershipKey, dataSourceId })
    }
    const usher = await startServer({
      dataDir,
      edgePort: PORTS.edge,
      adminPort: PORTS.admin,
      env: { USHER_DURABILITY: 'disk', UV_THREADPOOL_SIZE: '4' },
    })
    const bare = await startBare(PORTS.bare)
    try {
      return await compare(latency)
    } finally {
      await bare.stop()
      await usher.stop()
    }
  } finally {
    if (!kept) rmSync(dataDir, { recursive: true, force: true })
  }
}

async function compare(latency) {
  const common = { connections: CONNECTIONS, seconds: SECONDS, warmupSeconds: 2, population: PROFILES }
  const rounds = []
  for (let round = 1; round <= ROUNDS; round++) {
    const bare = await generate({ ...common, port: PORTS.bare, seed: round })
    const ours = await generate({ ...common, port: PORTS.edge, seed: round })
    rounds.push({ bare, ours, ratio: ours.perSecond / bare.perSecond })
  }
  const result = {
    ratio: median(rounds.map((round) => round.ratio)),
    ours: median(rounds.map((round) => round.ours.perSecond)),
    bare: median(rounds.map((round) => round.bare.perSecond)),
    failed: rounds.reduce((sum, round) => sum + round.ours.failed + round.bare.failed, 0),
    rounds,
  }
  if (!latency) return result
  const half = (port, peak) => generate({ ...common, port, seconds: 8, ratePerSecond: Math.round(peak / 2), seed: 9 })
  return {
    ...result,
    latency: { bare: await half(PORTS.bare, result.bare), ours: await half(PORTS.edge, result.ours) },
  }
}

function ratioResult(id, what, { ratio, ours, bare, failed, rounds }, must, aim, mustValue) {
  return {
    id,
    what,
    ours: { name: 'collection', value: ours, unit: 'requests/s' },
    peer: { name: 'bare node:http', value: bare, unit: 'requests/s' },
    ratio,
    must,
    aim,
    met: ratio >= mustValue && failed === 0,
    notes: `${PROFILES} profiles; failed requests: ${failed}; rounds: ${rounds.map((round) => round.ratio.toFixed(3)).join(', ')}`,
  }
}
