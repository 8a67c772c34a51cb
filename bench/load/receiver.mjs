// Partners for benchmarks, in a process of their own: one port each, which answers 200, 500 or never, as told over IPC.
// Counts messages and users; of users whose ID begins with `t` it keeps the time of arrival.
import { createServer } from 'node:http'

const partners = new Map()

for (const text of process.argv.slice(2)) await open(Number(text))
process.send({ isReady: true })

async function open(port) {
  const partner = { behaviour: 'ok', requests: 0, accepted: 0, users: new Set(), arrivals: [] }
  partners.set(port, partner)
  const server = createServer((request, response) => {
    partner.requests += 1
    const parts = []
    request.on('data', (part) => parts.push(part))
    request.on('end', () => {
      if (partner.behaviour === 'never') return
      if (partner.behaviour === 'fails') return response.writeHead(500).end()
      partner.accepted += 1
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': 2 }).end('ok')
      if (partner.isCounting) take(partner, Buffer.concat(parts).toString('utf8'))
    })
  })
  // A client that gives up its request is answered no more.
  server.on('clientError', (_error, socket) => socket.destroy())
  server.keepAliveTimeout = 60_000
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve))
}

function take(partner, body) {
  const atMs = performance.timeOrigin + performance.now()
  for (const { DataPartner_UUID: id } of JSON.parse(body).Users) {
    if (id.startsWith('t')) partner.arrivals.push([id, atMs])
    else partner.users.add(id)
  }
}

process.on('message', ({ id, port, behaviour, isCounting }) => {
  const partner = partners.get(port)
  if (behaviour !== undefined) partner.behaviour = behaviour
  if (isCounting !== undefined) partner.isCounting = isCounting
  process.send({
    id,
    requests: partner.requests,
    accepted: partner.accepted,
    users: partner.users.size,
    arrivals: partner.arrivals.splice(0),
  })
})
process.on('disconnect', () => process.exit(0))
