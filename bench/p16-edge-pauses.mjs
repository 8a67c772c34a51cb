// P16: the longest time for which the thread that answers events is held by one call of the REST API, one page of the admin
// UI or one piece of work in the background, at the limits of the specification (bench/load/populate-large.mjs), while events
// come in evenly. Each call is made several times; the longest counts.
//
//   BENCH_DIR=folder keeps the filled data directory; BENCH_ONLY=pattern makes only the calls whose name fits;
//   BENCH_PROFILE=1 prints what was on the stack during each pause above 10 ms (and is slower).
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { callsOf } from './load/edge-calls.mjs'
import { populateLarge } from './load/populate-large.mjs'
import { requestMaker } from './load/requests.mjs'
import { ADMIN_TOKEN, startServer } from './load/server.mjs'
import { round } from './made-rules.mjs'

const PORTS = { edge: 21_961, admin: 21_962, receiver: 21_963 }
const MUST_MS = 50
const AIM_MS = 10
const REPEATS = 2
const EVENTS_PER_SECOND = 200

/** @returns {Promise<import('./result.ts').BenchResult>} */
export async function run() {
  const folder = mkdtempSync(join(tmpdir(), 'usher-p16-'))
  const receiver = createServer((incoming, answer) => incoming.resume().on('end', () => answer.end())).listen(
    PORTS.receiver,
    '127.0.0.1',
  )
  const agent = new Agent({ connections: 4, bodyTimeout: 0, headersTimeout: 0 })
  let events
  let usher
  try {
    const dataDir = await filledFolder(folder)
    usher = await startServer({
      dataDir,
      edgePort: PORTS.edge,
      adminPort: PORTS.admin,
      probe: true,
      env: { USHER_EDGE_DENY_LIST_ENABLED: 'true' },
    })
    events = startEvents(agent)
    await sleep(2_000)
    const rows = await measureAll(usher, agent)
    return resultOf(rows, events.stop())
  } finally {
    events?.stop()
    await usher?.stop()
    await agent.close()
    receiver.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Filled once for all runs with BENCH_DIR; each run works on a copy. */
async function filledFolder(folder) {
  const kept = process.env.BENCH_DIR === undefined ? undefined : join(process.env.BENCH_DIR, 'p16')
  const dataDir = join(folder, 'data')
  const made = kept ?? dataDir
  if (!existsSync(join(made, 'catalog.sqlite')))
    await populateLarge({ dataDir: made, receiverUrl: `http://127.0.0.1:${PORTS.receiver}/in` })
  if (kept !== undefined) cpSync(kept, dataDir, { recursive: true })
  return dataDir
}

/** An even stream of events, answered or not: what waits is seen in the pauses. */
function startEvents(agent) {
  const next = requestMaker({ population: 20_000 })
  const latencies = []
  let isStopped = false
  const send = async () => {
    const [, path] = next().toString('latin1').split(' ', 2)
    const fromMs = performance.now()
    const { statusCode, body } = await request(`http://127.0.0.1:${PORTS.edge}${path}`, {
      dispatcher: agent,
      headers: { host: 'shop.example.com' },
    })
    await body.dump()
    if (statusCode !== 200) throw new Error(`an event was answered with ${statusCode}`)
    latencies.push(performance.now() - fromMs)
  }
  const timer = setInterval(
    () => void send().catch((error) => !isStopped && console.error(error)),
    1000 / EVENTS_PER_SECOND,
  )
  return {
    stop() {
      isStopped = true
      clearInterval(timer)
      const sorted = latencies.sort((a, b) => a - b)
      return { count: sorted.length, p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0 }
    },
  }
}

async function measureAll(usher, agent) {
  const api = callerOf(agent)
  const rows = []
  const wanted = new RegExp(process.env.BENCH_ONLY ?? '')
  for (const { name, work, repeats = REPEATS, restMs = 0 } of [
    { name: 'events alone', work: () => sleep(3_000) },
    ...callsOf({ api, edgePort: PORTS.edge }),
  ]) {
    if (!wanted.test(name)) continue
    const seen = { name, longestMs: 0, cpuMs: 0, over10: 0, over50: 0, gcMs: 0, tookMs: 0 }
    for (let n = 0; n < repeats; n++) {
      await usher.tell({ start: true, profile: process.env.BENCH_PROFILE !== undefined })
      const fromMs = performance.now()
      await work(n)
      seen.tookMs = Math.max(seen.tookMs, performance.now() - fromMs)
      await sleep(restMs)
      const { longestMs, cpuMs, over10, over50, gcMs, gcKind, at } = await usher.tell({ stop: true })
      if (longestMs > seen.longestMs) Object.assign(seen, { longestMs, gcMs, gcKind, at })
      seen.cpuMs = Math.max(seen.cpuMs, cpuMs)
      seen.over10 += over10
      seen.over50 += over50
    }
    rows.push(seen)
    print(seen)
  }
  return rows
}

function print({ name, longestMs, cpuMs, over10, over50, gcMs, gcKind, tookMs, at }) {
  const cells = [round(longestMs, 1), round(cpuMs, 1), over10, over50, round(gcMs, 1), gcKind, Math.round(tookMs)].map(
    (cell) => String(cell).padStart(8),
  )
  console.log(`${name.padEnd(52)}${cells.join('')}`)
  if (longestMs <= AIM_MS) return
  for (const { ms, frames } of at ?? []) console.log(`    ${ms} ms  ${frames.join(' < ')}`)
}

function callerOf(agent) {
  return async (method, path, body, allowed = []) => {
    const answer = await request(`http://127.0.0.1:${PORTS.admin}${path}`, {
      dispatcher: agent,
      method,
      headers: {
        authorization: `Bearer ${ADMIN_TOKEN}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    let text = ''
    let bytes = 0
    for await (const chunk of answer.body) {
      bytes += chunk.length
      if (bytes < 100_000) text += chunk
    }
    if (answer.statusCode >= 300 && !allowed.includes(answer.statusCode))
      throw new Error(`${method} ${path}: ${answer.statusCode} ${text.slice(0, 500)}`)
    return bytes < 100_000 && text.startsWith('{') && !text.includes('\n') ? JSON.parse(text) : undefined
  }
}

function resultOf(rows, { count, p99Ms }) {
  const calls = rows.filter(({ name }) => name !== 'events alone')
  const longest = calls.reduce((most, row) => (row.longestMs > most.longestMs ? row : most))
  const idle = rows[0]
  return {
    id: 'P16',
    what: `longest pause of the thread that answers events during any of ${calls.length} calls and pieces of background work, with 100,000 traits, 20,000 segments and ${EVENTS_PER_SECOND} events a second`,
    ours: { name: longest.name, value: round(longest.longestMs, 1), unit: 'ms' },
    peer: { name: 'limit', value: MUST_MS, unit: 'ms' },
    ratio: round(longest.longestMs / MUST_MS, 2),
    must: `<= ${MUST_MS} ms`,
    aim: `<= ${AIM_MS} ms`,
    met: longest.longestMs <= MUST_MS,
    notes: `with events alone: ${round(idle.longestMs, 1)} ms; ${calls.filter((row) => row.longestMs > AIM_MS).length} calls above ${AIM_MS} ms; ${count} events, 99 % within ${round(p99Ms, 1)} ms`,
    calls: rows.map(({ name, longestMs, cpuMs, over10, over50, gcMs, tookMs }) => ({
      name,
      longestMs: round(longestMs, 1),
      longestCpuMs: round(cpuMs, 1),
      over10,
      over50,
      longestGcMs: round(gcMs, 1),
      tookMs: Math.round(tookMs),
    })),
  }
}
