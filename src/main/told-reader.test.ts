import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Delivery, ExplainView } from '../contract.ts'
import { defineOverApi } from '../testkit/define-over-api.ts'
import { startReceiver } from '../testkit/receiver.ts'
import { startWholeServer } from '../testkit/start-whole-server.ts'

/** The whole server, asked whom it tells of one membership. */
let dataDir = ''
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'usher-told-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

type Running = Awaited<ReturnType<typeof startWholeServer>>
const ANNA = '7'.repeat(38)

async function define(usher: Running, url: string) {
  const { dataSourceId, destinationId, segmentIds } = await defineOverApi(usher, {
    traits: [{ name: 'look' }, { name: 'buy' }],
    segments: [{ name: 'Lookers', rule: ({ look, buy }) => `${look}T AND NOT ${buy}T` }],
    url,
    auth: { type: 'none' },
  })
  const sid = segmentIds[0] as number
  const add = async (name: string, s2s: object) => {
    const common = { userDpid: dataSourceId, delivery: 'realtime' }
    const draft = { name, destinationType: 'S2S', s2s: { url, ...common, ...s2s } }
    const added = await usher.api<{ destinationId: number }>('POST', '/v1/destinations/', draft)
    const mapping = { sid, traitType: 'SEGMENT', startDate: '2026-01-01' }
    await usher.api('POST', `/v1/destinations/${added.destinationId}/mappings/`, mapping)
    return added.destinationId
  }
  const call = (what: string) =>
    fetch(`${usher.edgeUrl}/event?d_uuid=${ANNA}&d_cid=${dataSourceId}%01anna&d_rtbd=json&c_do=${what}`)
  const told = async () => {
    const path = `/v1/profiles/${ANNA}/explain?segmentId=${sid}`
    return (await usher.api<ExplainView>('GET', path)).told
  }
  return { dataSourceId, destinationId, sid, add, call, told }
}

test('of a membership every partner that maps it is named: told, retried since, waiting while paused, or without an ID [OPS-52]', async () => {
  await using good = await startReceiver()
  await using failing = await startReceiver()
  failing.setBehaviour({ answer: 503 })
  await using usher = await startWholeServer(dataDir)
  const { destinationId, add, call, told } = await define(usher, `${good.url}/aam`)
  const other = await usher.api<{ dataSourceId: number }>('POST', '/v1/datasources/', {
    name: 'Other',
    idType: 'COOKIE',
  })
  const ids = {
    failing: await add('failing', { url: `${failing.url}/aam` }),
    paused: await add('paused', {}),
    stranger: await add('stranger', { userDpid: other.dataSourceId }),
  }
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  await usher.api('POST', `/v1/destinations/${ids.paused}/pause`, {})
  expect((await call('look')).status).toBe(200)

  const states = async () => Object.fromEntries((await told()).map((one) => [one.destinationId, one.state]))
  await expect.poll(states, { timeout: 15_000 }).toEqual({
    [destinationId]: 'acknowledged',
    [ids.failing]: 'retrying',
    [ids.paused]: 'paused',
    [ids.stranger]: 'no_synced_id',
  })
  const list = await usher.api<{ list: Delivery[] }>('GET', `/v1/deliveries?destinationId=${ids.failing}`)
  const whyOf = async (id: number) => (await told()).find((one) => one.destinationId === id)?.why
  // Since the first try that was not accepted.
  expect(await whyOf(ids.failing)).toBe(`retrying since ${list.list[0]?.attempts[0]?.startedAt}`)
  expect(await whyOf(ids.paused)).toMatch(/^paused since 20/)

  // Left: the one that was told is told, the paused one was never told and is owed nothing to be named.
  await call('buy')
  await expect.poll(async () => (await states())[destinationId]).toBe(undefined)
  expect((await states())[ids.paused]).toBe(undefined)
})
