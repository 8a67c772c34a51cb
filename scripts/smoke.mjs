// `npm run smoke`: one event in, one signed message out, verified, in under 20 s once built [OPS-4].
import { performance } from 'node:perf_hooks'
import { built, freePort, startServer } from './server.mjs'
import { setUp } from './setup.mjs'

const KEY = 'a signing key of the smoke test'
const PARTNER_IDS = 77052
const DEADLINE_MS = 10_000

setUp()
const startedMs = performance.now()
const said = []
const note = (what) => {
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(2).padStart(6)
  said.push(what)
  console.log(`${seconds} s  ${what}`)
}

const { startPartner } = await built('partner/partner.js')
const partner = await startPartner({ port: await freePort(), signing: { keys: [KEY] }, nowMs: Date.now })
let server
try {
  server = await startServer({ USHER_ALLOW_PRIVATE_DESTINATIONS: '1' })
  note(`server ready (durability ${server.durability})`)
  const segmentId = await define(server.api, partner.url)
  note(`a data source, a trait, segment ${segmentId}, a destination and its mapping exist`)
  const record = await oneEvent(server, partner, segmentId)
  const [user] = record.message.Users
  check(record.signature.status === 'verified', `the signature is ${record.signature.status}`)
  check(record.complaints.length === 0, record.complaints.join('; '))
  check(user.DataPartner_UUID === 'smoke-visitor', `the message is about ${user.DataPartner_UUID}`)
  note('the partner has it: signature verified, shape as documented')
  const status = await server.stop()
  server = undefined
  check(status === 0, `the server ended with status ${status}`)
  note('the server stopped in order')
  console.log('\nsmoke: passed')
} catch (error) {
  console.error(`\nsmoke: FAILED after "${said.at(-1) ?? 'nothing'}": ${error.message}`)
  if (server !== undefined) console.error(server.output())
  process.exitCode = 1
} finally {
  await server?.stop()
  await partner.close()
}

async function define(api, partnerUrl) {
  const shop = await api.post('/v1/datasources/', { name: 'Shop' })
  await api.post('/v1/datasources/', { dataSourceId: PARTNER_IDS, name: 'Partner IDs', idType: 'COOKIE' })
  const { dataSourceId } = shop
  const trait = await api.post('/v1/traits/', {
    name: 'Looked at shoes',
    traitType: 'RULE_BASED_TRAIT',
    traitRule: 'c_category == "shoes"',
    dataSourceId,
    folderId: 0,
  })
  const segment = await api.post('/v1/segments/', {
    name: 'Shoe lovers',
    segmentRule: `${trait.sid}T`,
    dataSourceId,
    folderId: 0,
  })
  const { destinationId } = await api.post('/v1/destinations', {
    name: 'Smoke partner',
    destinationType: 'S2S',
    s2s: {
      protocol: 'https',
      delivery: 'realtime',
      format: 'aam-json',
      mode: 'durable',
      url: `${partnerUrl}/aam`,
      userDpid: PARTNER_IDS,
      clientId: 'smoke',
      auth: { type: 'hmac', header: 'X-Signature', algorithm: 'sha256', keys: [{ key: KEY }] },
    },
  })
  await api.post(`/v1/destinations/${destinationId}/mappings/`, {
    sid: segment.sid,
    traitType: 'SEGMENT',
    traitAlias: String(segment.sid),
  })
  return segment.sid
}

/** Definitions take effect within 5 s; until then the ID sync and the event are sent again, once a second. */
async function oneEvent({ edgeUrl, http }, receiver, segmentId) {
  let cookie = ''
  for (let sent = 1; sent * 1000 <= DEADLINE_MS; sent++) {
    const sync = await http.call(`${edgeUrl}/ibs:dpid=${PARTNER_IDS}&dpuuid=smoke-visitor`, {
      headers: cookie === '' ? {} : { cookie },
    })
    if (cookie === '') cookie = (sync.headers['set-cookie'] ?? []).map((line) => line.split(';')[0]).join('; ')
    check(cookie.includes('demdex='), `the ID sync set no visitor cookie (status ${sync.status})`)
    const sentMs = performance.now()
    const event = await http.call(`${edgeUrl}/event?d_rtbd=json&d_jsonv=1&c_category=shoes`, { headers: { cookie } })
    check(
      event.status === 200 && JSON.parse(event.body).uuid !== undefined,
      `the event was answered ${event.status}: ${event.body.slice(0, 200)}`,
    )
    note(`ID sync and event ${sent} were answered`)
    const names = (record) =>
      record.message?.Users[0].Segments.some((one) => one.Segment_ID === String(segmentId) && one.Status === '1')
    const record = await receiver.waitFor((one) => names(one) === true, 1000).catch(() => undefined)
    if (record !== undefined) {
      note(`a message arrived ${Math.round(performance.now() - sentMs)} ms after the event was sent`)
      return record
    }
  }
  throw new Error(
    `no message within ${DEADLINE_MS} ms; ${receiver.records.length} requests arrived: ${receiver.records.at(-1)?.complaints.join('; ') ?? ''}`,
  )
}

function check(holds, message) {
  if (!holds) throw new Error(message)
}
