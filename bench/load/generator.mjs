// A load generator on raw sockets, in a process of its own: one request in flight per connection, as many as asked for.
//
//   node bench/load/generator.mjs '{"port":8080,"connections":64,"seconds":5,"warmupSeconds":1,"ratePerSecond":0,...}'
//
// `ratePerSecond` 0: closed loop, as fast as the server answers. Above 0: open loop, each request has its moment and the
// latency counts from that moment, so a stall is not hidden by the requests that were never sent.
// Prints one JSON line: {requests, failed, perSecond, cpuSeconds, p50Ms, p99Ms, maxMs}.
import { connect } from 'node:net'
import { requestMaker } from './requests.mjs'

const options = JSON.parse(process.argv[2])
const { port, connections, seconds, warmupSeconds = 1, ratePerSecond = 0 } = options
const nextRequest = requestMaker(options)

const latencies = []
let failed = 0
let measuring = false
let stopped = false
const idle = []
const due = []

class Connection {
  constructor() {
    this.startedAt = 0
    this.rest = 0
    this.head = ''
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.socket.setNoDelay(true)
    this.socket.on('data', (chunk) => this.read(chunk))
    this.socket.on('error', () => {
      failed += 1
    })
    this.ready = new Promise((resolve) => this.socket.once('connect', resolve))
  }

  send(startedAt) {
    this.startedAt = startedAt
    this.socket.write(nextRequest())
  }

  read(chunk) {
    if (this.rest > 0) {
      this.rest -= chunk.length
      if (this.rest <= 0) this.done()
      return
    }
    this.head = this.head === '' ? chunk.latin1Slice() : this.head + chunk.latin1Slice()
    const end = this.head.indexOf('\r\n\r\n')
    if (end < 0) return
    const at = this.head.toLowerCase().indexOf('content-length:')
    const length = at < 0 || at > end ? 0 : Number.parseInt(this.head.slice(at + 15, at + 30), 10)
    if (this.head.slice(9, 12) !== '200') failed += 1
    const have = this.head.length - end - 4
    this.head = ''
    if (have >= length) this.done()
    else this.rest = length - have
  }

  done() {
    this.rest = 0
    if (measuring) latencies.push(performance.now() - this.startedAt)
    if (stopped) return
    if (ratePerSecond === 0) this.send(performance.now())
    else if (due.length > 0) this.send(due.shift())
    else idle.push(this)
  }
}

const all = Array.from({ length: connections }, () => new Connection())
await Promise.all(all.map((connection) => connection.ready))
if (ratePerSecond === 0) for (const connection of all) connection.send(performance.now())
else {
  idle.push(...all)
  const startedAt = performance.now()
  let sent = 0
  const tick = () => {
    if (stopped) return
    const owed = Math.floor(((performance.now() - startedAt) / 1000) * ratePerSecond)
    for (; sent < owed; sent++) {
      const moment = startedAt + (sent * 1000) / ratePerSecond
      const connection = idle.pop()
      if (connection) connection.send(moment)
      else due.push(moment)
    }
    // Every millisecond: a spinning generator would take the processor that the server needs.
    setTimeout(tick, 1)
  }
  tick()
}
await new Promise((resolve) => setTimeout(resolve, warmupSeconds * 1000))
measuring = true
failed = 0
const cpu = process.cpuUsage()
const from = performance.now()
await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
const elapsed = (performance.now() - from) / 1000
measuring = false
stopped = true
const used = process.cpuUsage(cpu)
const sorted = Float64Array.from(latencies).sort()
const quantile = (q) => Number((sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0).toFixed(3))
process.stdout.write(
  `${JSON.stringify({
    requests: sorted.length,
    failed,
    perSecond: Math.round(sorted.length / elapsed),
    cpuSeconds: (used.user + used.system) / 1e6,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    maxMs: quantile(1),
  })}\n`,
)
process.exit(0)
