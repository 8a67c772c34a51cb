import { afterAll, beforeAll, expect, test } from 'vitest'
import type { DeliveryDetail, Found } from '../contract.ts'
import { startTestAdmin, type TestAdmin } from '../testkit/start-test-admin.ts'

const DEVICE = '12345678901234567890123456789012345678'
const message: DeliveryDetail = {
  deliveryId: 'dl_AAAAAAAAAAAAAAAAAAAAAA',
  destinationId: 1,
  destinationName: null,
  status: 'dead',
  reason: 'http_400',
  users: 1,
  createdAt: '2026-11-22T12:00:00.000Z',
  finishedAt: '2026-11-22T12:00:01.000Z',
  attemptsBefore: 0,
  aamWouldDrop: false,
  replayOf: null,
  replayedBy: null,
  request: { method: 'POST', url: 'https://in.halden.example/aam', headers: {}, body: '{}' },
  nextAttempt: null,
  signature: null,
  recipients: [],
  attempts: [],
}

let server: TestAdmin
const ids: Record<string, number> = {}
beforeAll(async () => {
  server = await startTestAdmin({
    deliveries: {
      list: async () => ({ total: 0, list: [] }),
      get: async (id) => (id === message.deliveryId ? message : undefined),
    },
    profiles: {
      async find(text) {
        if (text === DEVICE) return [{ id: DEVICE, dataSource: null }]
        return text === 'hd-9f21' ? [{ id: '77052:hd-9f21', dataSource: 'Halden IDs' }] : []
      },
      profile: async () => undefined,
      explain: async () => undefined,
    },
  })
  const made = async (path: string, body: object) => {
    const answer = await server.call('POST', path, body)
    expect(answer.status, answer.text).toBe(201)
    return answer.body
  }
  const { dataSourceId } = await made('/v1/datasources/', { name: 'Boots shop', idType: 'COOKIE' })
  ids['source'] = dataSourceId
  const rest = { dataSourceId, folderId: 0 }
  for (const name of ['Viewed boots', 'BOOTS', 'Rubberboots', 'Boots 50%_off'])
    ids[name] = (
      await made('/v1/traits/', { ...rest, name, traitType: 'RULE_BASED_TRAIT', traitRule: 'c_page == "x"' })
    ).sid
  ids['segment'] = (
    await made('/v1/segments/', { ...rest, name: 'Boots intenders', segmentRule: `${ids['BOOTS']}T` })
  ).sid
  const s2s = { url: 'https://in.halden.example/aam', userDpid: dataSourceId, clientId: '1', auth: { type: 'none' } }
  ids['destination'] = (
    await made('/v1/destinations/', { name: 'Halden DSP', destinationType: 'S2S', s2s })
  ).destinationId
})
afterAll(() => server[Symbol.asyncDispose]())

const find = async (q: string): Promise<Found[]> =>
  (await server.call('GET', `/v1/search?q=${encodeURIComponent(q)}`)).body
const names = async (q: string) => (await find(q)).map(({ kind, name }) => `${kind} ${name}`)

test('a part of a name finds everything that has it, in any case; the nearest fit first [OPS-40]', async () => {
  expect(await names('bOOts')).toEqual([
    'trait BOOTS',
    'segment Boots intenders',
    'trait Boots 50%_off',
    'data_source Boots shop',
    'trait Viewed boots',
    'trait Rubberboots',
  ])
  expect(await find('halden')).toEqual([
    { kind: 'destination', id: ids['destination'], name: 'Halden DSP', detail: null },
  ])
  expect(await names('%_')).toEqual(['trait Boots 50%_off'])
  expect(await names("'; drop table traits")).toEqual([])
})

test('an id finds its object, whole ids only [OPS-40]', async () => {
  expect((await find(String(ids['segment'])))[0]).toMatchObject({ kind: 'segment', id: ids['segment'] })
  expect(await names(String(ids['segment']).slice(0, -1))).toEqual([])
})

test('a message and a profile are found by their ID, a declared one with its data source [OPS-51] [OPS-52]', async () => {
  expect(await find(message.deliveryId)).toEqual([
    { kind: 'message', id: message.deliveryId, name: message.deliveryId, detail: 'dead' },
  ])
  expect(await find(` ${DEVICE} `)).toEqual([{ kind: 'profile', id: DEVICE, name: DEVICE, detail: null }])
  expect(await find('hd-9f21')).toEqual([
    { kind: 'profile', id: '77052:hd-9f21', name: '77052:hd-9f21', detail: 'Halden IDs' },
  ])
})

test('there are at most 20 answers, for a caller who is known, to a question that is asked [OPS-40] [SEC-69]', async () => {
  for (let n = 0; n < 25; n++) await server.call('POST', '/v1/datasources/', { name: `Many ${n}`, idType: 'COOKIE' })
  expect(await find('many')).toHaveLength(20)
  expect((await server.call('GET', '/v1/search?q=many', undefined, { authorization: '' })).status).toBe(401)
  for (const query of ['', '?q=', '?q=%20', `?q=${'x'.repeat(601)}`])
    expect((await server.call('GET', `/v1/search${query}`)).body.details[0].field).toBe('q')
})

test('what was looked for stays out of the request log [SEC-88]', async () => {
  await find(DEVICE)
  expect(JSON.stringify(server.log)).not.toContain(DEVICE)
})
