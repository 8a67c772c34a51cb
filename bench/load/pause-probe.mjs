// Loaded into the server under measurement (`--import`): how long its event loop was held between two messages from the
// one who measures. A gap between two turns of a timer of 1 ms, without that millisecond and without the time in which the
// thread was ready to run and the machine gave its processors to others. `cpuMs`: the most it worked in one such gap; the two
// differ where it waited for the disk, or for other threads of its own.
//
// `{start, profile}` begins; `{stop}` answers `{longestMs, cpuMs, over10, over50, gcMs, at}`. With `profile` the calls on the stack
// during the longest gap are told, the deepest that took most first.
import { openSync, readSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { PerformanceObserver } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'

const TICK_MS = 1
const STACKS = 4

if (isMainThread && process.send !== undefined) watch()

function watch() {
  const readThread = openThread()
  let last = { atMs: nowMs(), ...readThread() }
  let seen = empty()
  let session
  setInterval(() => {
    const now = { atMs: nowMs(), ...readThread() }
    const heldMs = now.atMs - last.atMs - TICK_MS - (now.waitedMs - last.waitedMs)
    if (heldMs > seen.longestMs) Object.assign(seen, { longestMs: heldMs, fromMs: last.atMs, toMs: now.atMs })
    seen.cpuMs = Math.max(seen.cpuMs, now.workedMs - last.workedMs)
    if (heldMs > 10) seen.over10++
    if (heldMs > 50) seen.over50++
    last = now
  }, TICK_MS).unref()
  new PerformanceObserver((list) => {
    for (const { duration, detail } of list.getEntries())
      if (duration > seen.gcMs) Object.assign(seen, { gcMs: duration, gcKind: detail.kind })
  }).observe({ entryTypes: ['gc'] })

  process.on('message', async ({ start, stop, profile }) => {
    if (start) {
      if (profile) {
        session = new Session()
        session.connect()
        await session.post('Profiler.enable')
        await session.post('Profiler.setSamplingInterval', { interval: 500 })
        await session.post('Profiler.start')
      }
      // What happened up to here is not counted.
      setTimeout(() => {
        seen = empty()
        process.send({ started: true })
      }, 20)
    }
    if (stop) {
      const { longestMs, cpuMs, over10, over50, gcMs, gcKind, fromMs, toMs } = seen
      let at = []
      if (session !== undefined) {
        const { profile: taken } = await session.post('Profiler.stop')
        session.disconnect()
        session = undefined
        at = stacksIn(taken, fromMs * 1000, toMs * 1000)
      }
      process.send({ longestMs, cpuMs, over10, over50, gcMs, gcKind, at })
    }
  })
  process.channel?.unref()
}

function empty() {
  return { longestMs: 0, cpuMs: 0, over10: 0, over50: 0, gcMs: 0, fromMs: 0, toMs: 0 }
}

function nowMs() {
  return Number(process.hrtime.bigint()) / 1e6
}

/** How long the main thread worked, and how long it waited for a processor, as Linux counts it; elsewhere nothing is known. */
function openThread() {
  try {
    const file = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r')
    const bytes = Buffer.alloc(128)
    return () => {
      const [worked, waited] = bytes.toString('latin1', 0, readSync(file, bytes, 0, 128, 0)).split(' ')
      return { workedMs: Number(worked) / 1e6, waitedMs: Number(waited) / 1e6 }
    }
  } catch {
    return () => ({ workedMs: 0, waitedMs: 0 })
  }
}

/** The heaviest stacks between two moments, innermost call first. */
function stacksIn({ nodes, samples, timeDeltas, startTime }, fromUs, toUs) {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const parents = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id])))
  const weights = new Map()
  let atUs = startTime
  for (const [index, id] of samples.entries()) {
    atUs += timeDeltas[index]
    if (atUs >= fromUs && atUs <= toUs) weights.set(id, (weights.get(id) ?? 0) + timeDeltas[index])
  }
  return [...weights]
    .sort((a, b) => b[1] - a[1])
    .slice(0, STACKS)
    .map(([id, us]) => {
      const frames = []
      for (let node = byId.get(id); node !== undefined && frames.length < 7; node = byId.get(parents.get(node.id))) {
        const { functionName, url, lineNumber } = node.callFrame
        frames.push(`${functionName || '(anonymous)'} ${url.split('/').slice(-2).join('/')}:${lineNumber + 1}`)
      }
      return { ms: Math.round(us / 100) / 10, frames }
    })
}
