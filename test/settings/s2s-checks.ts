import { generateKeyPairSync } from 'node:crypto'
import { acts, type Check, forPeople, pair, refused, shown } from './check.ts'
import { statusOf, withWorld } from './object-scene.ts'
import { type Answer, unique, until, type World } from './world.ts'

/** Settings of a server-to-server destination: what arrives at the partner shows that each is read. */
type Message = World['received'][number]
type Look = (message: Message) => unknown

interface Scene {
  readonly w: World
  readonly dpid: number
  readonly other: number
}

/** One visitor is told to two destinations that differ in their settings. */
function sent(settings: (scene: Scene) => readonly [object, object], look: Look): Check {
  return acts(async () => {
    const w = await withWorld()
    const source = async () => (await w.make('/v1/datasources', { name: unique() })).dataSourceId as number
    const [dpid, other] = [await source(), await source()]
    const key = unique()
    const trait = await w.make('/v1/traits', {
      ...{ name: key, folderId: 0, traitType: 'RULE_BASED_TRAIT' },
      traitRule: `${key} == 1`,
      dataSourceId: dpid,
    })
    const segment = await w.make('/v1/segments', {
      name: key,
      segmentRule: `${trait.sid}T`,
      folderId: 0,
      dataSourceId: dpid,
    })
    const paths: string[] = []
    for (const setting of settings({ w, dpid, other })) {
      const path = `/${unique()}/`
      const s2s: Answer = { url: w.partnerUrl + path, userDpid: dpid, batchMaxWaitMs: 0, ...setting }
      // A GET goes where its template says.
      paths.push(s2s.urlTemplate?.split('?')[0] ?? path)
      const { destinationId } = await w.make('/v1/destinations', { name: path, destinationType: 'S2S', s2s })
      await w.make(`/v1/destinations/${destinationId}/mappings`, { sid: segment.sid })
    }
    await w.settled()
    await w.event(`${key}=1&d_cid=${dpid}%01user-${dpid}&d_cid=${other}%01user-${other}`)
    return pair([0, 1], async (at) =>
      look(await until(() => w.received.find(({ url }) => url.split('?')[0] === paths[at]))),
    )
  })
}

const header =
  (name: string): Look =>
  ({ headers }) =>
    headers[name]
const key = (more: object = {}) => ({ key: 'a-signing-key-of-24-signs', ...more })
const hmac = (more: object = {}) => ({ auth: { type: 'hmac', keys: [key()], ...more } })
const oauth = ({ w }: Scene, more: object) => ({
  auth: { type: 'oauth2', tokenUrl: `${w.partnerUrl}/token`, clientId: 'a', clientSecret: 'b', ...more },
})
const basic = (more: object = {}) => ({ auth: { type: 'basic', username: 'a', password: 'b', ...more } })
const ed25519Key = `whsk_${(generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' }) as Buffer).subarray(-32).toString('base64')}`

const taken = (member: string, values: readonly [unknown, unknown]): Check =>
  acts(async () => {
    const w = await withWorld()
    const { dataSourceId } = await w.make('/v1/datasources', { name: unique() })
    return pair(values, (value) =>
      statusOf(w, '/v1/destinations', {
        name: 'x',
        destinationType: 'S2S',
        s2s: { url: `${w.partnerUrl}/x`, userDpid: dataSourceId, [member]: value },
      }),
    )
  })

/** A destination of its own, and what tells it of a new visitor. */
async function lone(w: World, settings: object) {
  const { dataSourceId } = await w.make('/v1/datasources', { name: unique() })
  const name = unique()
  const ruled = { folderId: 0, traitType: 'RULE_BASED_TRAIT', traitRule: `${name} == 1` }
  const trait = await w.make('/v1/traits', { name, ...ruled, dataSourceId })
  const segment = await w.make('/v1/segments', { name, segmentRule: `${trait.sid}T`, folderId: 0, dataSourceId })
  const s2s = { url: `${w.partnerUrl}/${name}`, userDpid: dataSourceId, batchMaxWaitMs: 0, ...settings }
  const { destinationId } = await w.make('/v1/destinations', { name, destinationType: 'S2S', s2s })
  await w.make(`/v1/destinations/${destinationId}/mappings`, { sid: segment.sid })
  await w.settled()
  return {
    tell: () => w.event(`${name}=1&d_cid=${dataSourceId}%01${unique()}`),
    messages: () => w.received.filter(({ url }) => url === `/${name}`).length,
    async attempts() {
      const { body } = await w.send('GET', `/v1/deliveries?destinationId=${destinationId}`)
      return body.list.flatMap(({ attempts }: Answer) => attempts)
    },
  }
}

/** The partner answers 202: is the message over? */
const over202: Check = acts(async () => {
  const w = await withWorld()
  w.status = 202
  try {
    return await pair([[200], [200, 202]], async (successStatuses) => {
      const one = await lone(w, { mode: 'compat', successStatuses })
      await one.tell()
      return (await until(async () => (await one.attempts())[0])).outcome
    })
  } finally {
    w.status = 200
  }
})

/** The partner answers nothing: the one gives up after a second, the other still waits then. */
const timesOut: Check = acts(async () => {
  const w = await withWorld()
  const [soon, late] = [await lone(w, { timeoutMs: 1_000 }), await lone(w, { timeoutMs: 30_000 })]
  w.isHolding = true
  try {
    await late.tell()
    await until(() => late.messages() || undefined)
    await soon.tell()
    await until(async () => (await soon.attempts())[0])
    return [(await soon.attempts()).length > 0, (await late.attempts()).length > 0]
  } finally {
    w.isHolding = false
  }
})

/** Three visitors at once, a message each: when the one partner has all of them, how many has the other? */
function burst(all: object, few: object, isHolding: boolean): Check {
  return acts(async () => {
    const w = await withWorld()
    const [a, b] = [await lone(w, { usersPerMessage: 1, ...all }), await lone(w, { usersPerMessage: 1, ...few })]
    w.isHolding = isHolding
    try {
      for (const one of [b, a]) for (let i = 0; i < 3; i++) await one.tell()
      await until(() => a.messages() === 3 || undefined)
      await until(() => b.messages() > 0 || undefined)
      return [a.messages(), b.messages()]
    } finally {
      w.isHolding = false
    }
  })
}

const AT = 'destinations.s2s.'
export const s2sChecks: Readonly<Record<string, Check>> = Object.fromEntries(
  Object.entries({
    protocol: taken('protocol', ['https', 's3']),
    delivery: taken('delivery', ['realtime', 'hybrid']),
    format: taken('format', ['aam-json', 'mapp']),
    mode: sent(
      () => [{ mode: 'compat' }, { mode: 'durable' }],
      (message) => 'webhook-id' in message.headers,
    ),
    url: sent(
      () => [{}, {}],
      ({ url }) => url,
    ),
    method: sent(
      () => [{}, { method: 'GET', urlTemplate: `/${unique()}?id=<DP_UUID>` }],
      ({ method }) => method,
    ),
    urlTemplate: sent(
      () => [
        { method: 'GET', urlTemplate: `/${unique()}?id=<DP_UUID>` },
        { method: 'GET', urlTemplate: `/${unique()}?user=<DP_UUID>` },
      ],
      ({ url }) => url.split('?')[1],
    ),
    successStatuses: over202,
    userDpid: sent(
      ({ dpid, other }) => [{ userDpid: dpid }, { userDpid: other }],
      (message) => /"DataPartner_UUID":"([^"]*)"/.exec(message.body)?.[1],
    ),
    clientId: sent(
      () => [{ clientId: 'a' }, { clientId: 'b' }],
      (message) => /"Client_ID":"([^"]*)"/.exec(message.body)?.[1],
    ),
    usersPerMessage: shown(
      'src/activation/dispatcher.test.ts',
      'a message leaves when it is full or when the first user has waited',
    ),
    batchMaxWaitMs: shown(
      'src/activation/dispatcher.test.ts',
      'a message leaves when it is full or when the first user has waited',
    ),
    timeoutMs: timesOut,
    concurrency: burst({ concurrency: 3 }, { concurrency: 1 }, true),
    requestsPerSecond: burst({}, { requestsPerSecond: 0.01 }, false),
    'auth.type': sent(() => [{ auth: { type: 'none' } }, basic()], header('authorization')),
    'auth.header': sent(
      () => [hmac({ header: 'X-One' }), hmac({ header: 'X-Two' })],
      (message) => 'x-one' in message.headers,
    ),
    'auth.algorithm': sent(
      () => [hmac({ algorithm: 'md5' }), hmac({ algorithm: 'sha256' })],
      (message) => String(message.headers['x-signature']).length,
    ),
    'auth.keys.key': sent(
      () => [hmac(), hmac({ keys: [key(), { key: 'another-key-of-24-letters' }] })],
      (message) => 'x-signature-next' in message.headers,
    ),
    'auth.keys.from': forPeople('Since when the partner knows the key; it signs once it is saved.'),
    'auth.keys.createdAt': forPeople('When the key was made.'),
    'auth.keys.algorithm': sent(
      () => [hmac({ keys: [key({ algorithm: 'md5' })] }), hmac({ keys: [key({ algorithm: 'sha256' })] })],
      (message) => String(message.headers['x-signature']).length,
    ),
    'auth.keys.header': sent(
      () => [hmac({ keys: [key({ header: 'X-One' })] }), hmac()],
      (message) => 'x-one' in message.headers,
    ),
    'auth.rotationHeader': sent(
      () => [hmac({ rotationHeader: 'X-Second' }), hmac()],
      (message) => 'x-second' in message.headers,
    ),
    'auth.webhook': sent(
      () => [hmac({ webhook: true }), hmac({ webhook: false })],
      (message) => 'webhook-signature' in message.headers,
    ),
    'auth.ed25519Key': sent(
      () => [hmac({ ed25519Key }), hmac()],
      (message) => String(message.headers['webhook-signature']).includes('v1a,'),
    ),
    'auth.tokenUrl': sent(
      (scene) => [oauth(scene, {}), oauth(scene, { tokenUrl: `${scene.w.partnerUrl}/token-2` })],
      header('authorization'),
    ),
    'auth.clientId': sent((scene) => [oauth(scene, {}), oauth(scene, { clientId: 'c' })], header('authorization')),
    'auth.clientSecret': sent(
      (scene) => [oauth(scene, {}), oauth(scene, { clientSecret: 'c' })],
      header('authorization'),
    ),
    'auth.rawCredentials': sent(
      (scene) => [oauth(scene, { clientId: 'a b' }), oauth(scene, { clientId: 'a b', rawCredentials: true })],
      header('authorization'),
    ),
    'auth.credentials': sent(
      (scene) => [
        oauth(scene, {}),
        { auth: { type: 'oauth2', tokenUrl: `${scene.w.partnerUrl}/token`, credentials: 'cmVhZHk6bWFkZQ==' } },
      ],
      header('authorization'),
    ),
    'auth.username': sent(() => [basic(), basic({ username: 'c' })], header('authorization')),
    'auth.password': sent(() => [basic(), basic({ password: 'c' })], header('authorization')),
    headers: sent(() => [{}, { headers: { 'X-Account': '7' } }], header('x-account')),
    userAgent: sent(() => [{}, { userAgent: 'aam' }], header('user-agent')),
    numbersAs: sent(
      () => [{ numbersAs: 'string' }, { numbersAs: 'number' }],
      (message) => message.body.includes('"User_count":"1"'),
    ),
    destinationIdKey: sent(
      () => [{ destinationIdKey: 'AAM_Destination_Id' }, { destinationIdKey: 'AAM_Destination_ID' }],
      (message) => message.body.includes('AAM_Destination_ID'),
    ),
    includeRegions: sent(
      () => [{ includeRegions: true }, { includeRegions: false }],
      (message) => message.body.includes('AAM_Regions'),
    ),
    sendWithoutPartnerId: shown(
      'src/activation/dispatcher.test.ts',
      'a user without a partner ID is not sent, unless the destination takes such users',
    ),
    supportsUnsegment: shown(
      'src/activation/user-entries.test.ts',
      'a partner that cannot take back gets no Status 0, and it stays owed',
    ),
    unsegmentOnUnmap: shown(
      'src/activation/user-entries.test.ts',
      'unmapping sends nothing unless the destination asks for it',
    ),
    onlyWhileSeen: shown(
      'src/activation/plan.test.ts',
      'a change without a visit is told at once, unless the destination wants visits only',
    ),
    schedule: refused({ every: '24h', mode: 'incremental' }),
    file: refused({}),
    mapp: refused({}),
  }).map(([member, check]) => [AT + member, check]),
)
