import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Delivery, DeliveryDetail, ReplayAnswer, ReplayDetail } from '../contract.ts'
import { defineOverApi } from '../testkit/define-over-api.ts'
import { startReceiver } from '../testkit/receiver.ts'
import { startWholeServer } from '../testkit/start-whole-server.ts'

/** The whole server, asked to send messages again as its admin UI asks it. */
let dataDir = ''
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'usher-replays-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

const ANNA = '7'.repeat(38)
type Running = Awaited<ReturnType<typeof startWholeServer>>

async function define(usher: Running, url: string) {
  const defined = await defineOverApi(usher, {
    traits: [{ name: 'look' }, { name: 'buy' }],
    segments: [{ name: 'Lookers', rule: ({ look, buy }) => `${look}T AND NOT ${buy}T` }],
    url,
    auth: { type: 'none' },
  })
  const call = (what: string) =>
    fetch(`${usher.edgeUrl}/event?d_uuid=${ANNA}&d_cid=${defined.dataSourceId}%01anna&d_rtbd=json&c_do=${what}`)
  return { ...defined, call }
}
const list = (usher: Running, query = '') =>
  usher.api<{ total: number; list: Delivery[] }>('GET', `/v1/deliveries?${query}`)
const replay = (usher: Running, body: object) => usher.api<ReplayAnswer>('POST', '/v1/deliveries/replay', body)
const resultOf = (usher: Running, id: string | null) =>
  usher.api<ReplayDetail>('GET', `/v1/deliveries/replays/${id}?pageSize=100`)
async function replayed(usher: Running, body: object): Promise<ReplayDetail> {
  const { replayId } = await replay(usher, body)
  await expect.poll(async () => (await resultOf(usher, replayId)).state, { timeout: 10_000 }).toBe('completed')
  return resultOf(usher, replayId)
}

test('told Status 1, later 0: by the old ID, by both, by range and as current something arrives, and the result says by which message [OPS-51] [SEC-42~] [SEC-48] [API-165~]', async () => {
  await using receiver = await startReceiver()
  await using usher = await startWholeServer(dataDir)
  const { destinationId, segmentIds, call } = await define(usher, `${receiver.url}/aam`)
  const ended = (total: number) => expect.poll(async () => (await list(usher, 'status=acknowledged')).total).toBe(total)
  await call('look')
  await ended(1)
  await call('buy')
  await ended(2)
  const [left, came] = (await list(usher)).list
  expect(came?.segments).toMatchObject([{ sid: segmentIds[0], status: 1 }])
  expect(left?.segments).toMatchObject([{ sid: segmentIds[0], status: 0 }])
  const old = came?.deliveryId as string

  const orders = [
    { deliveryIds: [old] },
    { deliveryIds: [old, left?.deliveryId] },
    { destinationId, from: '2020-01-01T00:00:00Z' },
    { deliveryIds: [old], as: 'current' },
  ]
  for (const order of orders) {
    const before = receiver.records.length
    const { plan, matched } = await replay(usher, { ...order, dryRun: true })
    expect(plan).toMatchObject({ nothingToTell: 0, held: 0, unknown: 0 })
    expect((plan?.unchanged ?? 0) + (plan?.rebuilt ?? 0)).toBe(matched)
    expect(receiver.records.length).toBe(before)

    const result = await replayed(usher, order)
    expect(result).toMatchObject({ progress: { done: matched, of: matched, share: 1 }, finishedAt: expect.any(String) })
    expect(result.counts.acknowledged).toBe(matched)
    expect(receiver.records.length).toBeGreaterThan(before)
    for (const { outcome, sentAs } of result.messages.list) {
      expect(outcome).toBe('acknowledged')
      expect(sentAs.length).toBeGreaterThan(0)
    }
    const said = result.messages.list.find(({ deliveryId }) => deliveryId === old)
    expect(said).toMatchObject({ sent: 'current', reason: order.as === 'current' ? null : 'outdated' })
    const sent = await usher.api<DeliveryDetail>('GET', `/v1/deliveries/${said?.sentAs[0]}`)
    expect(sent.recipients).toMatchObject([{ active: [], inactive: [{ sid: segmentIds[0] }] }])
  }
  // Nobody was told anew to be in it.
  expect(receiver.state.members(String(segmentIds[0]))).toEqual([])
})

test('a dead letter that is replayed as current is superseded and points to the message that did it; the headline forgets it [SEC-41~]', async () => {
  await using receiver = await startReceiver()
  await using usher = await startWholeServer(dataDir)
  const { destinationId, call } = await define(usher, `${receiver.url}/aam`)
  receiver.setBehaviour({ answer: 400 })
  const s2s = { url: `${receiver.url}/aam`, userDpid: 1, delivery: 'realtime', mode: 'compat' }
  const shown = await usher.api<{ s2s: { userDpid: number } }>('GET', `/v1/destinations/${destinationId}`)
  await usher.api('PATCH', `/v1/destinations/${destinationId}`, { s2s: { ...s2s, userDpid: shown.s2s.userDpid } })
  await new Promise((resolve) => setTimeout(resolve, 500))
  await call('look')
  await expect.poll(async () => (await list(usher, 'status=dead')).total).toBe(1)
  const deadFigure = async () =>
    (await usher.api<{ figures: { dead: number } }>('GET', '/v1/overview?window=1h')).figures.dead
  expect(await deadFigure()).toBe(1)
  const [dead] = (await list(usher)).list
  receiver.setBehaviour({})
  const result = await replayed(usher, { status: 'dead', as: 'current' })
  const [by] = result.messages.list[0]?.sentAs ?? []
  const detail = await usher.api<DeliveryDetail>('GET', `/v1/deliveries/${dead?.deliveryId}`)
  expect(detail).toMatchObject({ status: 'superseded', reason: 'replayed', replayedBy: by, replayOf: null })
  expect(await usher.api('GET', `/v1/deliveries/${by}`)).toMatchObject({ replayOf: dead?.deliveryId, replayedBy: null })
  expect((await list(usher, 'status=dead')).total).toBe(0)
  expect(await deadFigure()).toBe(0)
})

test('a replay to a paused destination waits, says for what, outlives a restart and is called off [API-165~]', async () => {
  await using receiver = await startReceiver()
  let replayId: string | null
  let destinationId = 0
  {
    await using usher = await startWholeServer(dataDir)
    const defined = await define(usher, `${receiver.url}/aam`)
    destinationId = defined.destinationId
    await defined.call('look')
    await expect.poll(async () => (await list(usher, 'status=acknowledged')).total).toBe(1)
    await usher.api('POST', `/v1/destinations/${destinationId}/pause`, {})
    expect((await replay(usher, { destinationId, dryRun: true })).plan).toMatchObject({ held: 1 })
    replayId = (await replay(usher, { destinationId, perSecond: 1 })).replayId
  }
  await using usher = await startWholeServer(dataDir)
  const waiting = await resultOf(usher, replayId)
  expect(waiting).toMatchObject({ state: 'running', reason: 'operator', counts: { waiting: 1 }, finishedAt: null })
  // Nothing moves, so nobody knows when it ends.
  expect(waiting.progress).toMatchObject({ perSecond: 1, secondsLeft: null })
  const cancelled = await usher.api('POST', `/v1/deliveries/replays/${replayId}/cancel`, {})
  expect(cancelled).toMatchObject({ state: 'cancelled', reason: null, counts: { cancelled: 1 } })
  await expect(usher.api('POST', `/v1/deliveries/replays/${replayId}/cancel`, {})).rejects.toThrow('already_ended')
  await usher.api('POST', `/v1/destinations/${destinationId}/resume`, {})
  const all = await usher.api<{ total: number; list: { state: string }[] }>('GET', '/v1/deliveries/replays')
  expect(all).toMatchObject({ total: 1, list: [{ state: 'cancelled' }] })
  expect(receiver.records).toHaveLength(1)
})
