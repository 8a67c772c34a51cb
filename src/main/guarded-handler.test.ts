import { expect, test } from 'vitest'
import type { Parts } from '../pipeline/parts.ts'
import { StoreUnavailableError } from '../store/record-store.ts'
import { deviceId, makeCall, newEventId } from '../testkit/make-call.ts'
import { makeOptOut } from '../testkit/make-opt-out.ts'
import { guardedHandler } from './guarded-handler.ts'

/** A handler over a store that refuses `failures` times, then records. */
function makeHandler(failures: number, error: Error = new StoreUnavailableError('no room'), isDiskFull = false) {
  const seen = { tries: 0, failed: 0, levels: [] as string[], accepted: 0 }
  const refuse = () => {
    seen.tries += 1
    if (seen.tries <= failures) throw error
  }
  const profiles = {
    getMany: async () => [undefined],
    optOuts: async () => [undefined],
    getWithOptOuts: async () => ({ profiles: [undefined], optOuts: [undefined] }),
    recordOptOut: async () => {
      refuse()
      return []
    },
  }
  const parts = { profiles, rulebook: () => ({}), clock: () => 0, ecids: {}, newEventId } as unknown as Parts
  const handler = guardedHandler(parts, {
    isDiskFull: () => isDiskFull,
    isTimeKept: () => true,
    onAccepted: () => seen.accepted++,
    onOptOut: (level) => seen.levels.push(level),
    onStoreFailed: () => seen.failed++,
  })
  return { seen, handler }
}
const call = makeOptOut({ deviceId: deviceId(1) })

test('an opt-out that finds no room is tried four times, and is not the one that is refused for it [SEC-61~]', async () => {
  const { seen, handler } = makeHandler(3)
  await handler.optOut(call)
  expect(seen).toEqual({ tries: 4, failed: 0, levels: [call.level], accepted: 0 })
})

test('an opt-out that finds no room a fourth time is refused, once, and counts as none [SEC-61~]', async () => {
  const { seen, handler } = makeHandler(4)
  await expect(handler.optOut(call)).rejects.toThrow('no room')
  expect(seen).toEqual({ tries: 4, failed: 1, levels: [], accepted: 0 })
})

test('a fault that is none of the store is not tried again, nor told as one', async () => {
  const { seen, handler } = makeHandler(1, new Error('a fault of ours'))
  await expect(handler.optOut(call)).rejects.toThrow('a fault of ours')
  expect(seen).toEqual({ tries: 1, failed: 0, levels: [], accepted: 0 })
})

test('with the disk full an event is refused before anything is read [SEC-11~]', async () => {
  const { seen, handler } = makeHandler(0, undefined, true)
  await expect(handler.process(makeCall(1, { a: '1' }))).rejects.toThrow('the disk is nearly full')
  expect(seen.accepted).toBe(0)
})
