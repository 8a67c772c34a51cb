import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError, loadConfig } from '../../src/config.ts'
import { createLog } from '../../src/lib/log.ts'
import { freePort } from '../../src/testkit/free-port.ts'
import { ADMIN_TOKEN } from '../../src/testkit/spawn-usher.ts'
import { startWholeServer } from '../../src/testkit/start-whole-server.ts'
import { acts, type Check, pair, shown } from './check.ts'

/** Keys of the process: each is set by its variable, and the whole server shows it. */
type Env = Readonly<Record<string, string>>
type Server = Awaited<ReturnType<typeof startWholeServer>>

const newFolder = () => mkdtempSync(join(tmpdir(), 'usher-process-'))

async function withServer(env: Env, observe: (usher: Server) => Promise<unknown> | unknown, folder = newFolder()) {
  await using usher = await startWholeServer(folder, { env })
  // Awaited here: the server ends with this function.
  return await observe(usher)
}

/** Both values lead to a server that is looked at. */
function see(
  name: string,
  values: readonly [string, string],
  observe: (usher: Server) => Promise<unknown> | unknown,
): Check {
  return acts(() => pair(values, (value) => withServer({ [`USHER_${name}`]: value }, observe)))
}

/** Is it taken, or what stops the start? */
async function starts(env: Env, folder = newFolder()): Promise<string> {
  try {
    return String(await withServer(env, () => 'started', folder))
  } catch (error) {
    return (error as Error).message
  }
}

function loads(env: Env): string {
  try {
    loadConfig({ env })
    return 'taken'
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
}

const create = (usher: Server, s2s: object) =>
  fetch(`${usher.adminUrl}/v1/destinations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'd', destinationType: 'S2S', s2s }),
  })
const makeSource = (usher: Server) =>
  usher.api<{ dataSourceId: number; createTime: number }>('POST', '/v1/datasources', { name: 's' })

/** Whether each of these events was flushed; the store flushes now and then for reasons of its own. */
async function flushesEach(usher: Server, events: number): Promise<boolean> {
  const before = await flushes(usher)
  for (let i = 0; i < events; i++) await fetch(`${usher.edgeUrl}/event?c_a=1`)
  return (await flushes(usher)) - before >= events
}

async function flushes(usher: Server): Promise<number> {
  const text = await (
    await fetch(`${usher.adminUrl}/metrics`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } })
  ).text()
  return Number(/^usher_store_flush_seconds_count(?:\{[^}]*\})? ([0-9]+)/m.exec(text)?.[1] ?? Number.NaN)
}

/** The same folder under the key it was made with, and under another one. */
async function opensUnder(secondKey: string): Promise<string> {
  const folder = newFolder()
  const key = (fill: string) => Buffer.alloc(32, fill).toString('base64')
  await starts({ USHER_MASTER_KEY: key('a') }, folder)
  return (await starts({ USHER_MASTER_KEY: key(secondKey) }, folder)).replaceAll(folder, '')
}

const PEM = join(newFolder(), 'no.pem')
writeFileSync(PEM, 'no certificate')

export const processChecks: Readonly<Record<string, Check>> = {
  dataDir: acts(async () => {
    const folders = [newFolder(), newFolder()] as const
    return pair(folders, (folder) =>
      withServer(
        { USHER_DATA_DIR: folder },
        () => existsSync(join(folders[0], 'catalog.sqlite')) && existsSync(join(folders[1], 'catalog.sqlite')),
      ),
    )
  }),
  'optOuts.listFile': acts(async () => {
    const files = [join(newFolder(), 'list'), join(newFolder(), 'list')] as const
    return pair(files, (file) =>
      withServer({ USHER_DATA_DIR: newFolder(), USHER_OPT_OUTS_LIST_FILE: file }, async (usher) => {
        await fetch(`${usher.edgeUrl}/demoptout.jpg?d_uuid=${'1'.repeat(38)}`)
        return files.map((path) => existsSync(path) && readFileSync(path, 'utf8').length > 1)
      }),
    )
  }),
  host: see('HOST', ['127.0.0.1', '127.0.0.2'], (usher) => usher.edgeUrl.replace(/:[0-9]+$/, '')),
  roles: see('ROLES', ['edge', 'admin'], (usher) => [usher.edgeUrl === '', usher.adminUrl === '']),
  store: acts(async () => pair(['embedded', 'redis://a'], (value) => loads({ USHER_STORE: value }))),
  catalog: acts(async () => pair(['sqlite', 'postgres://a'], (value) => loads({ USHER_CATALOG: value }))),
  durability: acts(() =>
    pair(['disk', 'memory'], (value) => withServer({ USHER_DURABILITY: value }, (usher) => flushesEach(usher, 30))),
  ),
  masterKey: acts(() => pair(['a', 'b'], opensUnder)),
  allowPrivateDestinations: see('ALLOW_PRIVATE_DESTINATIONS', ['0', '1'], async (usher) => {
    const { dataSourceId } = await makeSource(usher)
    return (await create(usher, { url: 'http://127.0.0.1:9/in', userDpid: dataSourceId })).status
  }),
  extraCa: acts(() => pair([{}, { USHER_EXTRA_CA: PEM }], (env) => starts(env as Env))),
  clockOffsetMs: see('CLOCK_OFFSET_MS', ['0', '86400000'], async (usher) =>
    Math.round(((await makeSource(usher)).createTime - Date.now()) / 3_600_000),
  ),
  logLevel: acts(() =>
    pair(['info', 'warn'], (value) => {
      const lines: string[] = []
      const log = createLog({
        level: loadConfig({ env: { USHER_LOG_LEVEL: value } }).logLevel,
        destination: { write: (line) => void lines.push(line) },
      })
      log.info('said')
      return lines.length
    }),
  ),
  'admin.port': acts(async () =>
    pair([await freePort(), await freePort()], (port) =>
      withServer({ USHER_ADMIN_PORT: String(port) }, (usher) => usher.adminUrl),
    ),
  ),
  'admin.token': see(
    'ADMIN_TOKEN',
    [ADMIN_TOKEN, 'another-token-of-24-letters'],
    async (usher) =>
      (await fetch(`${usher.adminUrl}/v1/datasources`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } })).status,
  ),
  'edge.port': acts(async () =>
    pair([await freePort(), await freePort()], (port) =>
      withServer({ USHER_EDGE_PORT: String(port) }, (usher) => usher.edgeUrl),
    ),
  ),
  'delivery.historyDays': shown('src/main/retention.test.ts', 'they are kept %d days where that is configured'),
  'delivery.diskShare': shown('src/main/quota.test.ts', 'a destination whose dead letters fill its share is paused'),
  'tls.cert': acts(() => pair([{}, { USHER_TLS_CERT: PEM, USHER_TLS_KEY: PEM }], (env) => starts(env as Env))),
  'tls.key': shown(
    'src/main/certificates.test.ts',
    'a file that is missing, or a key of another certificate, stops the start',
  ),
  'tls.endedInFront': shown('src/main/exposure.test.ts', 'a certificate, or TLS ended in front, silences it'),
  'partner.port': shown(
    'test/demo/demo-command.test.ts',
    'a taken port is named, with the variables that choose another',
  ),
  'shop.port': shown('test/demo/demo-command.test.ts', 'a taken port is named, with the variables that choose another'),
}
