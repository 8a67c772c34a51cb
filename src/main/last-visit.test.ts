import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defineOverApi } from '../testkit/define-over-api.ts'
import { startReceiver } from '../testkit/receiver.ts'
import { startWholeServer } from '../testkit/start-whole-server.ts'

/** Visitors who never come again: their partner hears of it, by the ID it knows them by. */
let dataDir = ''
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'usher-last-visit-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

const DAY = 86_400_000
/** Traits that end before the visitor is forgotten, on the same day, and never. */
const TTLS = { short: 119, same: 120, never: 0 } as const

async function withVisitors(run: (scene: Awaited<ReturnType<typeof openScene>>) => Promise<void>): Promise<void> {
  await using receiver = await startReceiver()
  await using usher = await startWholeServer(dataDir)
  await run(await openScene(usher, receiver))
}

async function openScene(
  usher: Awaited<ReturnType<typeof startWholeServer>>,
  receiver: Awaited<ReturnType<typeof startReceiver>>,
) {
  const names = Object.keys(TTLS) as (keyof typeof TTLS)[]
  const defined = await defineOverApi<keyof typeof TTLS>(usher, {
    traits: names.map((name) => ({ name, ttl: TTLS[name] })),
    segments: names.map((name) => ({ name, rule: (sids) => `${sids[name]}T` })),
    url: `${receiver.url}/aam`,
    auth: { type: 'none' },
  })
  for (const name of names)
    await fetch(`${usher.edgeUrl}/event?d_cid=${defined.dataSourceId}%01of-${name}&c_do=${name}`)
  const members = () => defined.segmentIds.flatMap((sid) => receiver.state.members(String(sid))).toSorted()
  const all = ['of-never', 'of-same', 'of-short']
  await expect.poll(members, { timeout: 10_000 }).toEqual(all)
  return {
    members,
    all,
    advance: (days: number) => usher.api('POST', '/v1/test/clock', { advanceMs: days * DAY }),
    setPaused: (isPaused: boolean) =>
      usher.api('POST', `/v1/destinations/${defined.destinationId}/${isPaused ? 'pause' : 'resume'}`),
  }
}

test('whoever never comes again is told out, whatever the life of the trait, when the visitor is forgotten [OUT-51] [OUT-53] [OUT-55~]', async () => {
  await withVisitors(async ({ members, all, advance }) => {
    await advance(119)
    expect(members()).toEqual(all)
    await advance(1)
    await expect.poll(members, { timeout: 10_000 }).toEqual(['of-never', 'of-same'])
    await advance(1)
    await expect.poll(members, { timeout: 10_000 }).toEqual([])
  })
})

test('also by a destination that was paused while the visitor was forgotten [OUT-55~] [SEC-48~]', async () => {
  await withVisitors(async ({ members, all, advance, setPaused }) => {
    await advance(110)
    await setPaused(true)
    for (let day = 111; day <= 140; day++) await advance(1)
    expect(members()).toEqual(all)
    await setPaused(false)
    await expect.poll(members, { timeout: 10_000 }).toEqual([])
  })
})

test('whoever was in a message that failed is kept until that has ended, however far the clock went, and is told out [OUT-55] [OUT-51~]', async () => {
  await using receiver = await startReceiver({ behaviour: { answer: [503] } })
  await using usher = await startWholeServer(dataDir)
  const { dataSourceId, segmentIds, destinationId } = await defineOverApi(usher, {
    traits: [{ name: 'look', ttl: 0 }],
    segments: [{ name: 'lookers', rule: ({ look }) => `${look}T` }],
    url: `${receiver.url}/aam`,
    auth: { type: 'none' },
  })
  const advance = (days: number) => usher.api('POST', '/v1/test/clock', { advanceMs: days * DAY })
  const said = (status: string) => receiver.records.filter(({ body }) => body.includes(`"Status":"${status}"`)).length
  await fetch(`${usher.edgeUrl}/event?d_cid=${dataSourceId}%01anna&c_do=look`)
  await expect.poll(() => said('1'), { timeout: 10_000 }).toBeGreaterThan(0)
  await usher.api('POST', `/v1/destinations/${destinationId}/pause`)
  await advance(400)
  for (let day = 1; day <= 5; day++) await advance(1)
  receiver.setBehaviour({})
  await usher.api('POST', `/v1/destinations/${destinationId}/resume`)
  await expect.poll(() => said('0'), { timeout: 20_000 }).toBeGreaterThan(0)
  expect(receiver.state.members(String(segmentIds[0]))).toEqual([])
})
