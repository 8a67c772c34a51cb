import { expect, test } from 'vitest'
import {
  deviceIn,
  manualTimers,
  NOW,
  OTHER,
  openWorkbench,
  profileIdOf,
  startReceiver,
  told,
  until,
} from './workbench.conformance.ts'

/** Both modes against a real receiver. */

test.each([201, 202, 204, 301, 302, 307, 400, 404, 500, 503])(
  'compat: status %d is a failure, repeated once with the same bytes, then dead [OUT-21] [OUT-23] [OUT-24~] [SEC-45]',
  async (status) => {
    await using receiver = await startReceiver((response) =>
      response.writeHead(status, { location: '/elsewhere' }).end(status === 204 ? undefined : 'sorry'),
    )
    await using bench = await openWorkbench({ destinations: [{ config: { url: receiver.url, mode: 'compat' } }] })
    await bench.commit(deviceIn(1, [100]))
    await bench.idle()
    expect(receiver.requests).toHaveLength(2)
    expect(receiver.requests.map((request) => request.url)).toEqual(['/in', '/in'])
    expect(receiver.requests[1]?.body).toBe(receiver.requests[0]?.body)
    const reason = status >= 300 && status < 400 ? 'redirect_refused' : `http_${status}`
    const excerpt = status === 204 ? '' : 'sorry'
    expect(bench.ended).toMatchObject([
      {
        status: 'dead',
        reason,
        aamWouldDrop: true,
        attempts: [{ httpStatus: status, outcome: 'failed', responseExcerpt: excerpt }, { number: 2 }],
      },
    ])
    // The change is recorded as not delivered; the destination may still have taken it.
    const [known] = await bench.deliveries.lookUp(bench.ended[0]?.destinationId ?? (0 as never), [deviceIn(1, []).id])
    expect(known).toMatchObject({ isOwed: false, told: { state: 'dead', active: [100], acknowledgedAtMs: 0 } })
  },
)

test('compat: the deadline runs to the headers, connecting included; a slow body does not matter [OUT-22]', async () => {
  const delays = [0, 60_000, 0]
  await using receiver = await startReceiver((response, _request, number) => {
    const timer = setTimeout(
      () => {
        response.writeHead(200).write('begun')
        if (number !== 1) response.end()
      },
      delays[number - 1],
    )
    response.on('close', () => clearTimeout(timer))
  })
  await using bench = await openWorkbench(
    { destinations: [{ config: { url: receiver.url, mode: 'compat' } }] },
    { limits: { compatTimeoutMs: 1_000 } },
  )
  await bench.commit(deviceIn(1, [100]))
  await bench.idle()
  expect(bench.ended[0]).toMatchObject({
    status: 'acknowledged',
    attempts: [{ httpStatus: 200, responseExcerpt: 'begun' }],
  })
  await bench.commit(deviceIn(1, [100]))
  await bench.idle()
  expect(bench.ended[1]).toMatchObject({
    status: 'acknowledged',
    attempts: [{ outcome: 'unknown', error: 'timeout', httpStatus: null }, { httpStatus: 200 }],
  })
})

test('durable: the waits are those of the schedule, each attempt has the same bytes, and the tenth is the last [SEC-46] [SEC-41~]', async () => {
  await using receiver = await startReceiver((response) => response.writeHead(500).end())
  const timers = manualTimers()
  await using bench = await openWorkbench(
    { destinations: [{ config: { url: receiver.url } }] },
    { after: timers.after, random: () => 0.5 },
  )
  await bench.commit(deviceIn(1, [100]))
  const waited: number[] = []
  for (let attempt = 1; attempt < 10; attempt++) {
    await until(() => timers.waits().length === 1)
    const waitMs = timers.waits()[0] ?? 0
    waited.push(waitMs / 1000)
    timers.advance(waitMs)
  }
  await bench.idle()
  expect(waited).toEqual([5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400])
  expect(receiver.requests).toHaveLength(10)
  expect(new Set(receiver.requests.map((request) => request.body)).size).toBe(1)
  const keys = receiver.requests.map((request) => request.headers['webhook-id'])
  expect(new Set(keys)).toEqual(new Set([bench.ended[0]?.deliveryId]))
  expect(bench.ended).toMatchObject([{ status: 'dead', reason: 'http_500', aamWouldDrop: false, finishedAtMs: NOW }])
})

test('a key names each message in durable mode, without a dot or an ID of a person; compat sends none [SEC-41~]', async () => {
  await using receiver = await startReceiver()
  await using bench = await openWorkbench({
    destinations: [
      { config: { url: receiver.url, usersPerMessage: 1 } },
      { id: OTHER, config: { url: receiver.url, mode: 'compat' } },
    ],
  })
  for (const n of [1, 2]) await bench.commit(deviceIn(n, [100]))
  await bench.commit(deviceIn(3, [100]), [OTHER])
  await bench.idle()
  const keysOf = (user: string) =>
    receiver.requests
      .filter((request) => request.body.includes(user))
      .map((request) => String(request.headers['webhook-id']))
  const keys = [...keysOf('user-1'), ...keysOf('user-2')]
  expect(keys).toEqual([expect.stringMatching(/^[A-Za-z0-9_-]{16,}$/), expect.stringMatching(/^[A-Za-z0-9_-]{16,}$/)])
  expect(keys[0]).not.toBe(keys[1])
  expect(keysOf('user-3')).toEqual(['undefined'])
})

test('durable: any 2xx is success [SEC-46]', async () => {
  await using receiver = await startReceiver((response) => response.writeHead(204).end())
  await using bench = await openWorkbench({ destinations: [{ config: { url: receiver.url } }] })
  await bench.commit(deviceIn(1, [100]))
  await bench.idle()
  expect(bench.ended).toMatchObject([{ status: 'acknowledged', attempts: [{ httpStatus: 204 }] }])
})

test('what is kept of a request and its answer holds no secret and is bounded [SEC-27] [SEC-63~] [OUT-64~] [OUT-80]', async () => {
  const secret = 'hunter2-hunter2-hunter2'
  await using receiver = await startReceiver((response, request) => {
    response.writeHead(200, { 'x-echo': request.headers.authorization, 'set-cookie': 'session=1' })
    response.end(`${secret} ${request.headers.authorization} ${request.headers['x-api-key']} 7 ${'x'.repeat(5_000)}`)
  })
  const auth = { type: 'basic', username: 'usher', password: secret }
  const headers = { 'X-Account': '7', 'X-Api-Key': 'key-of-a-free-header', Accept: 'application/json' }
  await using bench = await openWorkbench({
    destinations: [{ config: { url: receiver.url, auth, headers } }],
  })
  await bench.commit(deviceIn(1, [100]))
  await bench.idle()
  expect(receiver.requests[0]?.headers).toMatchObject({
    authorization: `Basic ${Buffer.from(`usher:${secret}`).toString('base64')}`,
    'x-account': '7',
    'x-api-key': 'key-of-a-free-header',
    accept: 'application/json',
    'user-agent': 'Usher/test',
  })
  const stored = await bench.deliveries.get(bench.ended[0]?.deliveryId ?? ('' as never))
  expect(stored?.headers).toContainEqual(['Authorization', 'Basic ***'])
  for (const name of Object.keys(headers)) expect(stored?.headers).toContainEqual([name, '***'])
  expect(stored?.attempts[0]?.responseExcerpt.slice(0, 15)).toBe('*** *** *** 7 x')
  expect(stored?.attempts[0]?.responseExcerpt.length).toBeLessThanOrEqual(1024)
  const text = JSON.stringify(stored)
  for (const canary of [secret, headers['X-Api-Key'], Buffer.from(`usher:${secret}`).toString('base64'), 'session=1'])
    expect(text).not.toContain(canary)
})

test('a body that does not end holds up nobody else, and what was read of it is on record [OUT-22] [SEC-44~]', async () => {
  let endedAtSecond: number | undefined
  let end = () => {}
  await using receiver = await startReceiver((response, _request, number) => {
    if (number === 1) {
      response.writeHead(200).write('begun')
      end = () => response.destroy()
    } else {
      endedAtSecond ??= bench.ended.length
      response.end()
    }
  })
  const config = { url: receiver.url, usersPerMessage: 1, concurrency: 1 }
  await using bench = await openWorkbench({ destinations: [{ config }] }, { limits: { bodyTimeoutMs: 10_000 } })
  await bench.commit(deviceIn(1, [100]))
  await receiver.count(1)
  await bench.commit(deviceIn(2, [100]))
  // Its own next message waits until it has ended [SEC-42].
  await bench.commit(deviceIn(1, [100, 101]))
  await receiver.count(2)
  expect([endedAtSecond, receiver.requests.map(told)]).toEqual([0, [['user-1: 100+'], ['user-2: 100+']]])
  end()
  await bench.idle()
  const first = bench.ended.find(({ users }) => users[0]?.profileId === profileIdOf(1))
  expect(first?.attempts).toMatchObject([{ httpStatus: 200, responseExcerpt: 'begun', responseNote: 'cut' }])
  expect(receiver.requests).toHaveLength(3)
})
