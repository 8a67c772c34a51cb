// P9: from the answer of /event to the arrival of its message at the partner, at 100 events a second, each of a visitor
// who enters a segment. Limit in the same run: the round trip of a bare POST to the same receiver.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { adminApi, startServer } from './load/server.mjs'

const PORTS = { edge: 21_911, admin: 21_912, receiver: 21_913 }
const EVENTS_PER_SECOND = 100
const SECONDS = 15

export async function run() {
  const arrivals = new Map()
  const receiver = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      const nowMs = performance.now()
      response.writeHead(200).end()
      if (!body.startsWith('{')) return
      for (const user of JSON.parse(body).Users) arrivals.set(user.DataPartner_UUID, nowMs)
    })
  })
  await new Promise((resolve) => receiver.listen(PORTS.receiver, '127.0.0.1', resolve))
  const dataDir = mkdtempSync(join(tmpdir(), 'usher-p9-'))
  const usher = await startServer({ dataDir, edgePort: PORTS.edge, adminPort: PORTS.admin })
  try {
    const dataSourceId = await define()
    const answered = new Map()
    const startedMs = performance.now()
    for (let n = 0; n < EVENTS_PER_SECOND * SECONDS; n++) {
      const waitMs = startedMs + (n * 1000) / EVENTS_PER_SECOND - performance.now()
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
      const path = `/event?d_rtbd=json&d_uuid=${`7${String(n).padStart(37, '0')}`}&d_cid=${dataSourceId}%01p${n}&c_do=look`
      void get(path).then(() => answered.set(`p${n}`, performance.now()))
    }
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    const delays = [...answered].map(([id, atMs]) =>
      arrivals.has(id) ? Math.max(0, arrivals.get(id) - atMs) : Number.POSITIVE_INFINITY,
    )
    const bare = await bareRoundTrips()
    const [median, p99] = [quantile(delays, 0.5), quantile(delays, 0.99)]
    return {
      id: 'P9',
      what: 'from the answer of /event to the arrival at the partner, 100 events/s',
      ours: { name: 'median', value: median, unit: 'ms' },
      peer: { name: 'bare POST, median', value: quantile(bare, 0.5), unit: 'ms' },
      ratio: median / quantile(bare, 0.5),
      must: 'median <= 1000 ms, p99 <= 3000 ms',
      aim: 'median <= 50 ms, p99 <= 250 ms',
      met: median <= 1000 && p99 <= 3000,
      notes: `p99 ${p99.toFixed(1)} ms of ${delays.length} events; never arrived: ${delays.filter((delay) => delay === Number.POSITIVE_INFINITY).length}; batchMaxWaitMs 50 (default) is part of it`,
    }
  } finally {
    await usher.stop()
    receiver.closeAllConnections()
    receiver.close()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]
}

function get(path) {
  return new Promise((resolve, reject) => {
    httpRequest({ host: '127.0.0.1', port: PORTS.edge, path }, (response) => {
      response.resume()
      response.on('end', resolve)
    })
      .on('error', reject)
      .end()
  })
}

async function bareRoundTrips() {
  const times = []
  for (let n = 0; n < 300; n++) {
    const startedMs = performance.now()
    await fetch(`http://127.0.0.1:${PORTS.receiver}/`, { method: 'POST', body: 'x' }).then((response) =>
      response.text(),
    )
    times.push(performance.now() - startedMs)
  }
  return times
}

async function define() {
  const api = adminApi(PORTS.admin)
  const { dataSourceId } = await api('POST', '/v1/datasources/', { name: 'partner', idType: 'COOKIE' })
  const trait = await api('POST', '/v1/traits/', {
    name: 'look',
    traitRule: 'c_do == "look"',
    traitType: 'RULE_BASED_TRAIT',
    folderId: 0,
    dataSourceId,
  })
  const segment = await api('POST', '/v1/segments/', {
    name: 'lookers',
    segmentRule: `${trait.sid}T`,
    folderId: 0,
    dataSourceId,
  })
  const destination = await api('POST', '/v1/destinations/', {
    name: 'receiver',
    destinationType: 'S2S',
    s2s: {
      protocol: 'https',
      delivery: 'realtime',
      format: 'aam-json',
      mode: 'durable',
      url: `http://127.0.0.1:${PORTS.receiver}/aam`,
      userDpid: dataSourceId,
      clientId: '1',
      auth: { type: 'hmac', header: 'X-Signature', algorithm: 'sha256', keys: [{ key: 'sample_partner_private_key' }] },
    },
  })
  await api('POST', `/v1/destinations/${destination.destinationId}/mappings/`, {
    sid: segment.sid,
    traitType: 'SEGMENT',
    startDate: '2026-01-01',
  })
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  return dataSourceId
}
