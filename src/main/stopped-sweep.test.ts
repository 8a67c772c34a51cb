import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadConfig } from '../config.ts'
import { defineOverApi } from '../testkit/define-over-api.ts'
import { startReceiver } from '../testkit/receiver.ts'
import { startWholeServer } from '../testkit/start-whole-server.ts'
import { verifyDataDir } from './verify-data-dir.ts'

let dataDir = ''
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'usher-stopped-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

const DAY = 86_400_000
const VISITORS = 100
const deviceOf = (visitor: number) => `4${String(visitor).padStart(37, '0')}`

test('a server that is stopped while it forgets visitors leaves no reference to anybody who is gone [SEC-60] [OUT-51~]', async () => {
  await using receiver = await startReceiver()
  {
    await using usher = await startWholeServer(dataDir)
    const { dataSourceId, segmentIds, destinationId } = await defineOverApi(usher, {
      traits: [{ name: 'look', ttl: 0 }],
      segments: [{ name: 'lookers', rule: ({ look }) => `${look}T` }],
      url: `${receiver.url}/aam`,
      auth: { type: 'none' },
    })
    const advance = (days: number) => usher.api('POST', '/v1/test/clock', { advanceMs: days * DAY })
    const first = () =>
      usher.api<{ segments: { status: string }[] }>('GET', `/v1/profiles/${deviceOf(0)}`).then(
        ({ segments }) => segments[0]?.status,
        () => 'gone',
      )
    const members = () => receiver.state.members(String(segmentIds[0])).length
    for (let visitor = 0; visitor < VISITORS; visitor++)
      await fetch(`${usher.edgeUrl}/event?d_uuid=${deviceOf(visitor)}&d_cid=${dataSourceId}%01p${visitor}&c_do=look`)
    await expect.poll(members, { timeout: 10_000 }).toBe(VISITORS)
    // Nobody can be told, so that markers are left.
    await usher.api('POST', `/v1/destinations/${destinationId}/pause`)
    await advance(400)
    await expect.poll(first, { timeout: 20_000 }).not.toBe('in')
    await advance(40)
    await expect.poll(first, { timeout: 20_000 }).toBe('gone')
  }
  const { findings } = await verifyDataDir(loadConfig({ env: { USHER_DATA_DIR: dataDir } }), () => {})
  expect(Object.values(findings).map(({ count }) => count)).toEqual([0, 0, 0, 0, 0])
})
