import { request } from 'undici'
import { expect, test } from 'vitest'
import { startReceiver } from '../testkit/receiver.ts'
import { followPartner } from './partner-view.ts'

const DateTime = 'Wed Jul 27 16:17:42 UTC 2016'
interface Told {
  readonly device?: string
  readonly id: string
  readonly joins?: readonly string[]
  readonly leaves?: readonly string[]
}
function bodyOf(...users: readonly Told[]): string {
  return JSON.stringify({
    ProcessTime: DateTime,
    User_DPID: '77052',
    Client_ID: '1',
    AAM_Destination_Id: '1',
    User_count: String(users.length),
    Users: users.map(({ device = '1'.repeat(38), id, joins = [], leaves = [] }) => ({
      AAM_UUID: device,
      DataPartner_UUID: id,
      AAM_Regions: ['7'],
      Segments: [
        ...joins.map((Segment_ID) => ({ Segment_ID, Status: '1', DateTime })),
        ...leaves.map((Segment_ID) => ({ Segment_ID, Status: '0', DateTime })),
      ],
    })),
  })
}

const nameOf = (segmentId: string) => (segmentId === '100007' ? 'Bag lovers' : segmentId)
async function openPartner() {
  const partner = await startReceiver({})
  const view = followPartner(partner, nameOf)
  let sent = 0
  return {
    partner,
    view,
    async send(body: string, id = `msg-${sent}`) {
      sent += 1
      const headers = { 'content-type': 'application/json', 'webhook-id': id }
      const { statusCode, body: answer } = await request(partner.url, { method: 'POST', body, headers })
      await answer.dump()
      return statusCode
    },
    [Symbol.asyncDispose]: () => partner.close(),
  }
}

test('the page shows who joined and who left under the name of the segment, and whether the visitor who looks is in it', async () => {
  await using bench = await openPartner()
  await bench.send(bodyOf({ id: 'ada', joins: ['100007'] }, { id: 'bob', joins: ['100007', '100008'] }))
  await bench.send(bodyOf({ id: 'ada', leaves: ['100007'] }))
  const view = bench.view('bob')
  expect(view).toMatchObject({
    behaviour: 'fine',
    received: 2,
    accepted: 2,
    refused: 0,
    owed: 0,
    recovered: 0,
    you: 'bob',
  })
  expect(view.messages.map(({ number, users }) => ({ number, users }))).toEqual([
    { number: 2, users: [{ id: 'ada', joined: [], left: ['Bag lovers'] }] },
    {
      number: 1,
      users: [
        { id: 'ada', joined: ['Bag lovers'], left: [] },
        { id: 'bob', joined: ['Bag lovers', '100008'], left: [] },
      ],
    },
  ])
  expect(view.audiences).toEqual([
    { id: '100008', name: '100008', size: 1, latest: ['bob'], isYours: true },
    { id: '100007', name: 'Bag lovers', size: 1, latest: ['bob'], isYours: true },
  ])
  expect(bench.view('ada').audiences.map(({ isYours }) => isYours)).toEqual([false, false])
  expect(bench.view(undefined).audiences.map(({ isYours }) => isYours)).toEqual([false, false])
})

test('a refused message is owed until it comes again; then it is told as a repeat that arrived', async () => {
  await using bench = await openPartner()
  bench.partner.setBehaviour({ answer: 503 })
  expect(await bench.send(bodyOf({ id: 'ada', joins: ['100007'] }), 'first')).toBe(503)
  expect(bench.view(undefined)).toMatchObject({ behaviour: 'down', accepted: 0, refused: 1, owed: 1, recovered: 0 })
  expect(bench.view(undefined).messages[0]).toMatchObject({ answer: '503', isRepeat: false, shape: 'good' })
  bench.partner.setBehaviour({})
  expect(await bench.send(bodyOf({ id: 'ada', joins: ['100007'] }), 'first')).toBe(200)
  expect(bench.view(undefined)).toMatchObject({ behaviour: 'fine', accepted: 1, refused: 1, owed: 0, recovered: 1 })
  expect(bench.view(undefined).messages[0]).toMatchObject({ answer: '200', isRepeat: true })
})

test('a bad message is told with what is wrong in it, and a behaviour of no preset has a name of its own', async () => {
  await using bench = await openPartner()
  bench.partner.setBehaviour({ delayMs: 1 })
  expect(await bench.send('{"Users": 1}')).toBe(400)
  const view = bench.view(undefined)
  expect(view.behaviour).toBe('own')
  expect(view.messages[0]).toMatchObject({
    shape: 'bad',
    users: [],
    signature: 'not_asked',
    answer: '400',
  })
  expect(view.messages[0]?.complaints.length).toBeGreaterThan(0)
  expect(view.messages[0]?.complaints.length).toBeLessThanOrEqual(5)
})

test('of what came, the last 30 messages, 8 of each audience and the 50 largest audiences are shown, and no long text', async () => {
  await using bench = await openPartner()
  const many = Array.from({ length: 10 }, (_, n) => ({ id: `user-${n}`, joins: ['100007'] }))
  await bench.send(bodyOf(...many))
  expect(bench.view(undefined).audiences[0]?.latest).toEqual([9, 8, 7, 6, 5, 4, 3, 2].map((n) => `user-${n}`))
  const segments = Array.from({ length: 51 }, (_, n) => String(200_000 + n))
  await bench.send(bodyOf({ id: 'x'.repeat(200), joins: segments }))
  const { messages, audiences } = bench.view(undefined)
  expect(messages[0]?.users[0]?.joined).toHaveLength(20)
  expect(messages[0]?.users[0]?.id).toBe(`${'x'.repeat(120)}…`)
  expect(audiences).toHaveLength(50)
  expect(audiences.map(({ name }) => name)).toContain('Bag lovers')
  for (let n = 0; n < 29; n++) await bench.send(bodyOf({ id: 'ada', joins: ['100007'] }))
  const { messages: last } = bench.view(undefined)
  expect(last.map(({ number }) => number)).toEqual(Array.from({ length: 30 }, (_, n) => 31 - n))
})
