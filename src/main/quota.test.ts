import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { DestinationHealthView, Overview } from '../contract.ts'
import type { Partner } from '../partner/partner.ts'
import { defineOverApi } from '../testkit/define-over-api.ts'
import { startReceiver } from '../testkit/receiver.ts'
import { startWholeServer } from '../testkit/start-whole-server.ts'

/** The whole server on a disk that the test makes small: what visitors did, what two partners received. */
const IN_EFFECT_MS = 1_500
let dataDir = ''
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'usher-quota-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

/** @param diskBytes the whole disk; one destination may take a tenth of a percent */
async function start(diskBytes: number) {
  const readDiskSpace = async () => ({ state: 'ok' as const, freeBytes: diskBytes, totalBytes: diskBytes })
  const usher = await startWholeServer(dataDir, { env: { USHER_DELIVERY_DISK_SHARE: '0.001' }, readDiskSpace })
  const { api } = usher
  return Object.assign(usher, {
    health: (id: number) => api<DestinationHealthView>('GET', `/v1/destinations/${id}/health`),
    resume: (id: number) => api('POST', `/v1/destinations/${id}/resume`),
    /** Retention looks at once when the clock is moved, and not a minute later. */
    look: () => api('POST', '/v1/test/clock', { advanceMs: 1_000 }),
    async trouble(id: number) {
      const { needsAttention } = await api<Overview>('GET', '/v1/overview?window=1h')
      return needsAttention
        .filter(({ kind, destinationId }) => destinationId === id && kind !== 'dead_letters')
        .map(({ kind, reason }) => `${kind} ${reason}`)
    },
  })
}

const visitors = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at)
const accepted = (partner: Partner) => new Set(partner.state.entries().map(({ partnerId }) => partnerId))
const partnerIds = (all: readonly number[]) => new Set(all.map((visitor) => `p${visitor}`))

test('a destination whose dead letters fill its share is paused; another goes on, and nothing is lost [SEC-44] [SEC-48]', async () => {
  await using broken = await startReceiver({ behaviour: { answer: 500 } })
  await using healthy = await startReceiver()
  let destinationId = 0
  let otherId = 0
  let dataSourceId = 0
  const visit = (edgeUrl: string, all: readonly number[]) =>
    Promise.all(
      all.map((visitor) => {
        const deviceId = String(1_000 + visitor).padStart(38, '7')
        return fetch(`${edgeUrl}/event?d_uuid=${deviceId}&d_cid=${dataSourceId}%01p${visitor}&d_rtbd=json&c_do=look`)
      }),
    )

  {
    await using usher = await start(1e12)
    const defined = await defineOverApi(usher, {
      traits: [{ name: 'look' }],
      segments: [{ name: 'lookers', rule: ({ look }) => `${look}T` }],
      url: `${healthy.url}/aam`,
      auth: { type: 'none' },
    })
    dataSourceId = defined.dataSourceId
    otherId = defined.destinationId
    const made = await usher.api<{ destinationId: number }>('POST', '/v1/destinations/', {
      name: 'broken',
      destinationType: 'S2S',
      s2s: {
        ...{ protocol: 'https', delivery: 'realtime', format: 'aam-json', mode: 'compat', auth: { type: 'none' } },
        ...{ url: `${broken.url}/aam`, userDpid: dataSourceId, clientId: '1', usersPerMessage: 1, batchMaxWaitMs: 0 },
      },
    })
    destinationId = made.destinationId
    await usher.api('POST', `/v1/destinations/${destinationId}/mappings/`, {
      ...{ sid: defined.segmentIds[0], traitType: 'SEGMENT', startDate: '2026-01-01' },
    })
    await new Promise((resolve) => setTimeout(resolve, IN_EFFECT_MS))
    await visit(usher.edgeUrl, visitors(1, 60))
    const dead = () => usher.api<{ total: number }>('GET', `/v1/deliveries?destinationId=${destinationId}&status=dead`)
    await expect.poll(async () => (await dead()).total).toBe(60)
    await expect.poll(() => accepted(healthy)).toEqual(partnerIds(visitors(1, 60)))
    await usher.look()
    expect(await usher.trouble(destinationId)).toEqual(['failing http_500'])
  }

  // The dead letters lie in tables now; the disk, and with it the share of 10 KB, is smaller than they are.
  await using usher = await start(1e7)
  const pausedFor = async (id: number) => (await usher.health(id)).paused?.reason
  await expect.poll(() => pausedFor(destinationId)).toBe('quota')
  expect(await usher.trouble(destinationId)).toEqual(['paused quota', 'disk_share full'])

  const before = broken.records.length
  await visit(usher.edgeUrl, visitors(61, 80))
  await expect.poll(() => accepted(healthy)).toEqual(partnerIds(visitors(1, 80)))
  expect(await pausedFor(otherId)).toBeUndefined()
  expect(broken.records).toHaveLength(before)
  expect(await usher.health(destinationId)).toMatchObject({ waitingUsers: 20, openMessages: 0 })

  // Healthy again and resumed, it gets what waited; but its dead letters still fill the share.
  broken.setBehaviour({})
  await usher.resume(destinationId)
  await expect.poll(() => accepted(broken)).toEqual(partnerIds(visitors(61, 80)))
  await usher.look()
  await expect.poll(() => pausedFor(destinationId)).toBe('quota')

  // Sent again, they are dead letters no more: the oldest go, and there is room.
  const replayed = await usher.api('POST', '/v1/deliveries/replay', { destinationId, status: 'dead' })
  expect(replayed).toMatchObject({ matched: 60, queued: 60 })
  await usher.resume(destinationId)
  await expect.poll(() => accepted(broken)).toEqual(partnerIds(visitors(1, 80)))
  await expect.poll(async () => (await usher.health(destinationId)).openMessages).toBe(0)
  await usher.look()
  await expect.poll(async () => (await usher.trouble(destinationId)).includes('disk_share full')).toBe(false)
  expect(await pausedFor(destinationId)).toBeUndefined()
})

test('a destination that is paused as soon as it is made stays paused once it is in effect [SEC-47]', async () => {
  await using receiver = await startReceiver()
  await using usher = await start(1_000_000_000)
  const { dataSourceId } = await usher.api<{ dataSourceId: number }>('POST', '/v1/datasources/', { name: 'p' })
  const s2s = {
    protocol: 'https',
    delivery: 'realtime',
    format: 'aam-json',
    url: `${receiver.url}/aam`,
    userDpid: dataSourceId,
    clientId: '1',
    auth: { type: 'none' },
  }
  const { destinationId } = await usher.api<{ destinationId: number }>('POST', '/v1/destinations/', {
    name: 'early',
    destinationType: 'S2S',
    s2s,
  })
  await usher.api('POST', `/v1/destinations/${destinationId}/pause`)
  await new Promise((resolve) => setTimeout(resolve, IN_EFFECT_MS))
  expect((await usher.health(destinationId)).paused?.reason).toBe('operator')
})
