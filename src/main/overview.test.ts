import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Overview } from '../contract.ts'
import { defineOverApi } from '../testkit/define-over-api.ts'
import { startReceiver } from '../testkit/receiver.ts'
import { startWholeServer } from '../testkit/start-whole-server.ts'

/** The whole server, judged by what its visitors did and what its partner received. */
let dataDir = ''
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'usher-overview-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

async function start(env: Record<string, string> = {}) {
  const usher = await startWholeServer(dataDir, { env })
  const overview = (window = '1h') => usher.api<Overview>('GET', `/v1/overview?window=${window}`)
  return Object.assign(usher, { overview })
}

const deviceOf = (visitor: number) => String(visitor).padStart(38, '7')

test('figures are what visitors did and the partner received, and outlive a restart [OPS-40]', async () => {
  await using receiver = await startReceiver()
  let received = 0
  receiver.onMessage(() => {
    received += 1
  })
  let before: Overview
  {
    await using usher = await start()
    const { dataSourceId, destinationId, sids, segmentIds } = await defineOverApi(usher, {
      traits: [{ name: 'look' }, { name: 'buy' }],
      segments: [
        { name: 'lookers', rule: ({ look, buy }) => `${look}T AND NOT ${buy}T` },
        { name: 'buyers', rule: ({ buy }) => `${buy}T` },
      ],
      url: `${receiver.url}/aam`,
      auth: { type: 'none' },
    })
    const [lookers, buyers] = segmentIds
    const call = async (visitor: number, what: string) =>
      fetch(
        `${usher.edgeUrl}/event?d_uuid=${deviceOf(visitor)}&d_cid=${dataSourceId}%01p${visitor}&d_rtbd=json&${what}`,
      )
    for (let visitor = 1; visitor <= 6; visitor++) await call(visitor, 'c_do=look')
    for (let visitor = 1; visitor <= 2; visitor++) await call(visitor, 'c_do=buy')
    await call(3, 'c_do=nothing')
    await fetch(`${usher.edgeUrl}/ibs:dpid=${dataSourceId}&dpuuid=p9`)

    // Each of them told for the last time, and each message counted.
    await expect.poll(() => receiver.state.members(String(buyers)).toSorted()).toEqual(['p1', 'p2'])
    await expect.poll(() => receiver.state.members(String(lookers)).toSorted()).toEqual(['p3', 'p4', 'p5', 'p6'])
    const standing = async () => {
      const { figures, flow } = await usher.overview()
      return { isCounted: figures.acknowledged === received, waiting: flow.destinations[0]?.waiting }
    }
    await expect.poll(standing).toEqual({ isCounted: true, waiting: 0 })
    before = await usher.overview()
    expect(before.figures).toMatchObject({ events: 9, entered: 8, left: 2, dead: 0, acknowledgedShare: 1 })
    // Six visitors, and the device of the ID sync.
    expect(before.figures.profilesSeen).toBe(7)
    expect(before.figures.eventToPartnerMs?.median).toBeGreaterThan(0)
    expect(before.flow).toMatchObject({
      sources: [{ dataSourceId, name: 'partner', events: 8 }],
      traits: [
        { sid: sids.look, name: 'look', realized: 6 },
        { sid: sids.buy, name: 'buy', realized: 2 },
      ],
      segments: [
        { sid: lookers, name: 'lookers', entered: 6 },
        { sid: buyers, name: 'buyers', entered: 2 },
      ],
      destinations: [{ destinationId, name: 'receiver', acknowledged: received, waiting: 0, dead: 0 }],
    })
    const counts = Object.fromEntries(before.flow.links.map(({ from, to, count }) => [`${from} ${to}`, count]))
    expect(counts).toMatchObject({
      [`source:${dataSourceId} trait:${sids.look}`]: 6,
      [`trait:${sids.look} segment:${lookers}`]: 6,
      [`trait:${sids.buy} segment:${buyers}`]: 2,
    })
    expect(counts[`trait:${sids.buy} segment:${lookers}`]).toBeUndefined()
    expect(counts[`segment:${buyers} destination:${destinationId}`]).toBeGreaterThanOrEqual(2)
    expect(before.ledger).toEqual([
      {
        ...{ destinationId, name: 'receiver', acknowledged: received, waiting: 0, dead: 0, blocked: 0 },
        ...{ state: 'delivering', reason: null, since: null, nextAttempt: null },
        ...{ waitingUsers: 0, moreOnDisk: false, openMessages: 0 },
      },
    ])
    expect(before.needsAttention.map(({ kind }) => kind)).toEqual(['private_destinations'])
    expect(before.series.reduce((sum, { events }) => sum + events, 0)).toBe(9)
  }
  await using again = await start()
  const after = await again.overview('24h')
  expect(after.since).toBe(before.since)
  const stays = ({ events, entered, left, acknowledged, profilesSeen, eventToPartnerMs }: Overview['figures']) => {
    return { events, entered, left, acknowledged, profilesSeen, eventToPartnerMs }
  }
  expect(stays(after.figures)).toEqual(stays(before.figures))
  expect(after.flow.links).toEqual(before.flow.links)
})

test('a clock that was moved needs attention, and the figures of yesterday are gone', async () => {
  await using usher = await start({ USHER_ALLOW_PRIVATE_DESTINATIONS: '0' })
  await fetch(`${usher.edgeUrl}/event?d_uuid=${deviceOf(1)}&d_rtbd=json`)
  const first = await usher.overview('24h')
  expect([first.figures.events, first.needsAttention]).toEqual([1, []])
  expect(first.since < first.at).toBe(true)
  await usher.api('POST', '/v1/test/clock', { advanceMs: 25 * 3_600_000 })
  const later = await usher.overview('24h')
  expect([later.figures.events, later.figures.profilesSeen]).toEqual([0, 0])
  expect(later.needsAttention.map(({ kind }) => kind)).toEqual(['clock'])
  expect(Date.parse(later.at) - Date.parse(later.since)).toBeGreaterThan(23.9 * 3_600_000)
  await expect(usher.overview('7d')).rejects.toThrow('400')
})

test('gauges of delivery are fed [SEC-87~]', async () => {
  await using usher = await start()
  const text = await (await fetch(`${usher.adminUrl}/metrics`)).text()
  expect(text).toContain('usher_outbox_messages{state="waiting"} 0')
  expect(text).toMatch(/^usher_outbox_oldest_seconds 0$/m)
  expect(text).toMatch(/^usher_breaker_open 0$/m)
})
