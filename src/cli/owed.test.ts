import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Overview } from '../contract.ts'
import { defineOverApi } from '../testkit/define-over-api.ts'
import { startReceiver } from '../testkit/receiver.ts'
import { ADMIN_TOKEN } from '../testkit/spawn-usher.ts'
import { startWholeServer } from '../testkit/start-whole-server.ts'
import { run } from './program.ts'

/** What was promised to partners and visitors, over a backup and over a list that cannot be written. */
let folder = ''
const at = (name: string) => join(folder, name)
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'usher-owed-'))
  vi.stubEnv('TEST_SEED', undefined)
  vi.stubEnv('USHER_MASTER_KEY', 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=')
  for (const stream of [process.stdout, process.stderr]) vi.spyOn(stream, 'write').mockReturnValue(true)
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

const start = (dataDir: string) =>
  startWholeServer(dataDir, {
    env: { USHER_MASTER_KEY: process.env['USHER_MASTER_KEY'] as string, USHER_OPT_OUTS_LIST_FILE: at('list') },
  })

test('what a partner was owed when the backup was made reaches it from the restored server [SEC-90~]', async () => {
  await using receiver = await startReceiver()
  const visitors = ['a', 'b', 'c']
  {
    await using usher = await start(at('data'))
    const { dataSourceId, destinationId } = await defineOverApi(usher, {
      traits: [{ name: 'look' }],
      segments: [{ name: 'lookers', rule: ({ look }) => `${look}T` }],
      url: `${receiver.url}/aam`,
      auth: { type: 'none' },
    })
    await usher.api('POST', `/v1/destinations/${destinationId}/pause`)
    for (const visitor of visitors)
      expect((await fetch(`${usher.edgeUrl}/event?d_cid=${dataSourceId}%01${visitor}&c_do=look`)).status).toBe(200)
    expect(await run(['backup', at('backup'), '--url', usher.adminUrl, '--token', ADMIN_TOKEN])).toBe(0)
    expect(receiver.records).toEqual([])
  }
  expect(await run(['restore', at('backup'), '--data-dir', at('restored'), '--opt-outs', at('list')])).toBe(0)
  await using restored = await start(at('restored'))
  const [row] = (await restored.api<Overview>('GET', '/v1/overview?window=1h')).ledger
  await restored.api('POST', `/v1/destinations/${row?.destinationId}/resume`)
  await expect
    .poll(() => visitors.filter((visitor) => receiver.records.some(({ body }) => body.includes(`"${visitor}"`))), {
      timeout: 20_000,
    })
    .toEqual(visitors)
})

test('a list of opt-outs that cannot be written stands on the overview until it has them all [SEC-79~]', async () => {
  await using usher = await start(at('data'))
  const optOut = async (visitor: number) =>
    expect((await fetch(`${usher.edgeUrl}/demoptout.jpg?d_uuid=${String(visitor).padStart(38, '6')}`)).status).toBe(200)
  const told = async () => {
    const { needsAttention } = await usher.api<Overview>('GET', '/v1/overview?window=1h')
    return needsAttention.filter(({ kind }) => kind === 'opt_out_list').map(({ count }) => count)
  }
  await optOut(1)
  expect(await told()).toEqual([])
  rmSync(at('list'))
  mkdirSync(at('list'))
  await optOut(2)
  await optOut(3)
  expect(await told()).toEqual([2])
  rmSync(at('list'), { recursive: true })
  await optOut(4)
  expect(await told()).toEqual([])
})
