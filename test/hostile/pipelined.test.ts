import { expect, test } from 'vitest'
import { DESTINATION, deviceIn, openWorkbench, until } from '../../src/activation/workbench.conformance.ts'
import { manualTime, quiet } from '../delivery/manual-time.ts'
import { startHostile } from './start-hostile.ts'

/** Answers that nobody asked for must not speak for a message that was refused. */

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const REFUSED = 'HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n'
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

test.each([
  { name: 'in the same packet, the next message waiting', extraAfterMs: 0, nextAfterMs: -1 },
  { name: 'in the same packet, the next message later', extraAfterMs: 0, nextAfterMs: 50 },
  { name: 'while the connection is idle', extraAfterMs: 30, nextAfterMs: 150 },
])(
  'a second 200 $name, is not taken for the answer of the next request [SEC-40] [SEC-46]',
  async ({ extraAfterMs, nextAfterMs }) => {
    let asked = 0
    const receiver = await startHostile({
      name: 'answers twice',
      ends: 'acknowledged',
      asked(socket) {
        if (++asked > 1) socket.write(REFUSED)
        else if (extraAfterMs === 0) socket.write(OK + OK + OK)
        else socket.write(OK, () => setTimeout(() => socket.write(OK), extraAfterMs))
      },
    })
    const config = { url: receiver.url, usersPerMessage: 1, concurrency: 1 }
    try {
      await using bench = await openWorkbench({ destinations: [{ config }] }, manualTime())
      await bench.commit(deviceIn(1, [100]))
      if (nextAfterMs < 0) await bench.commit(deviceIn(2, [100]))
      await until(() => bench.ended.length === 1)
      if (nextAfterMs >= 0) {
        await pause(nextAfterMs)
        await bench.commit(deviceIn(2, [100]))
      }
      await until(() => asked === 2)
      await quiet(bench, DESTINATION)
      expect(bench.ended).toMatchObject([{ status: 'acknowledged', attempts: [{ httpStatus: 200 }] }])
      const waiting = await bench.deliveries.list({ page: 0, pageSize: 10, status: 'retrying' })
      expect(waiting.list).toMatchObject([{ reason: 'http_500', attempts: [{ httpStatus: 500 }] }])
      expect(receiver.accepted()).toBe(2)
    } finally {
      await receiver.close()
    }
  },
)

test('whole answers share a connection, and none is opened for a message that was given up [SEC-27]', async () => {
  let asked = 0
  const receiver = await startHostile({
    name: 'falls silent',
    ends: 'timeout',
    asked: (socket) => void (++asked <= 3 && socket.write(OK)),
  })
  try {
    const config = { url: receiver.url, usersPerMessage: 1, concurrency: 1, timeoutMs: 2_000 }
    const time = manualTime()
    await using bench = await openWorkbench({ destinations: [{ config }] }, { ...time, random: () => 0.5 })
    for (let n = 1; n <= 4; n++) {
      await bench.commit(deviceIn(n, [100]))
      await until(() => asked === n && bench.ended.length === Math.min(n, 3))
      await pause(20)
    }
    await quiet(bench, DESTINATION)
    expect(bench.ended).toHaveLength(3)
    await until(() => receiver.open() === 0)
    await pause(200)
    expect([receiver.accepted(), receiver.open()]).toEqual([1, 0])
    time.advance(5_000)
    await until(() => asked === 5)
    expect(receiver.accepted()).toBe(2)
  } finally {
    await receiver.close()
  }
})

test('of many messages that get no answer at once, none leaves a connection behind [SEC-27] [SEC-44]', async () => {
  let asked = 0
  const receiver = await startHostile({ name: 'is silent', ends: 'timeout', asked: () => void ++asked })
  try {
    const config = { url: receiver.url, usersPerMessage: 1, concurrency: 8, timeoutMs: 2_000 }
    await using bench = await openWorkbench({ destinations: [{ config }] }, manualTime())
    for (let n = 1; n <= 8; n++) await bench.commit(deviceIn(n, [100]))
    await until(() => asked === 8)
    await quiet(bench, DESTINATION)
    await until(() => receiver.open() === 0)
    await pause(200)
    expect([receiver.accepted(), receiver.open()]).toEqual([8, 0])
  } finally {
    await receiver.close()
  }
})
