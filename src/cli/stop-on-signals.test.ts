import { expect, test } from 'vitest'
import { type SignalParts, stopOnSignals } from './stop-on-signals.ts'

function parts(limitMs?: number) {
  const listeners = new Map<string, () => void>()
  const exits: number[] = []
  const made: SignalParts = {
    on: (signal, listener) => void listeners.set(signal, listener),
    exit: (status) => void exits.push(status),
    complain: () => {},
    ...(limitMs === undefined ? {} : { limitMs }),
  }
  return { made, exits, send: (signal: string) => listeners.get(signal)?.() }
}
const later = () => new Promise<void>((resolve) => setTimeout(resolve, 20))

test.each(['SIGTERM', 'SIGINT'])('%s closes in order, then exits 0 [OPS-13] [SEC-89]', async (signal) => {
  const { made, exits, send } = parts()
  let isClosed = false
  stopOnSignals(async () => {
    await later()
    isClosed = true
  }, made)
  send(signal)
  expect(exits).toEqual([])
  await expect.poll(() => exits).toEqual([0])
  expect(isClosed).toBe(true)
})

test('a second signal exits at once [OPS-13]', () => {
  const { made, exits, send } = parts()
  stopOnSignals(() => new Promise(() => {}), made)
  send('SIGTERM')
  send('SIGINT')
  expect(exits).toEqual([130])
})

test('closing that takes too long, or fails, exits 1', async () => {
  const slow = parts(10)
  stopOnSignals(() => new Promise(() => {}), slow.made)
  slow.send('SIGTERM')
  await expect.poll(() => slow.exits).toEqual([1])

  const failing = parts()
  stopOnSignals(() => Promise.reject(new Error('x')), failing.made)
  failing.send('SIGTERM')
  await expect.poll(() => failing.exits).toEqual([1])
})
