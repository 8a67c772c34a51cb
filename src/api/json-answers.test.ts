import { expect, test } from 'vitest'
import type { ProfileView } from '../contract.ts'
import { startTestAdmin, TEST_TOKEN } from '../testkit/start-test-admin.ts'

const at = '2026-11-22T12:00:00.000Z'
const profileOf = (traits: number): ProfileView => ({
  profileId: 'd:1',
  kind: 'device',
  deviceId: '1',
  firstSeen: at,
  lastSeen: at,
  region: null,
  ids: [],
  traits: Array.from({ length: traits }, (_, n) => ({
    sid: 100_000 + n,
    name: `Träit "${n}"`,
    count: 1,
    days: [{ day: '2026-11-22', count: 1 }],
    lastRealized: at,
    expires: null,
  })),
  segments: [],
  consent: null,
  optOut: null,
  deliveries: [],
})

test('a long answer comes in pieces and is the same JSON; a short one says how long it is [OPS-52]', async () => {
  let traits = 0
  await using server = await startTestAdmin({
    profiles: { profile: async () => profileOf(traits), find: async () => [], explain: async () => undefined },
  })
  for (traits of [0, 3, 5_000]) {
    const answer = await fetch(`${server.admin.url}/v1/profiles/${'1'.padStart(38, '0')}`, {
      headers: { authorization: `Bearer ${TEST_TOKEN}` },
    })
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(answer.headers.get('transfer-encoding')).toBe(traits === 5_000 ? 'chunked' : null)
    expect(await answer.json()).toEqual(JSON.parse(JSON.stringify(profileOf(traits))))
  }
})

test('of a bulk request of 20,000 each item is checked, and each wrong one is named by its place [SEC-69]', async () => {
  await using server = await startTestAdmin()
  const items: unknown[] = Array.from({ length: 20_000 }, (_, n) => ({ sid: 100_000 + n, traitAlias: `a-${n}` }))
  const refused = async (body: unknown) => {
    const answer = await server.call('POST', '/v1/destinations/1/bulk-create', body)
    return [answer.status, answer.body.details.map(({ field }: { field: string }) => field)]
  }
  expect(await refused(items.with(17_000, { sid: 'x' }).with(19_999, 7))).toEqual([400, ['17000.sid', '19999']])
  expect(await refused(items.with(3, { sid: 1, traitAlias: 'a\u0000' }))).toEqual([400, ['3.traitAlias']])
  expect(await refused([...items, items[0]])).toEqual([400, ['']])
  expect(await refused([])).toEqual([400, ['']])
})
