import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { createBoundedWriter } from './bounded-writer.ts'

const WAITING_BYTES_MAX = 65_536

/** A stream whose reader takes nothing until it is told to. */
function stuckStream() {
  const taken: string[] = []
  let take: (() => void) | undefined
  const stream = new Writable({
    write(chunk, _encoding, done) {
      taken.push(String(chunk))
      take = done
    },
  })
  const takeOne = async () => {
    const done = take
    take = undefined
    done?.()
    await new Promise(setImmediate)
  }
  return { stream, taken, takeOne }
}

test('what waits for a slow reader is bounded; it gets whole texts, and goes on when it takes again [OPS-45~]', async () => {
  const { stream, taken, takeOne } = stuckStream()
  const write = createBoundedWriter(stream)
  for (let at = 0; at < 10_000; at++) write(`${at} ${'ä'.repeat(500)}\n`)
  expect(stream.writableLength).toBeLessThanOrEqual(WAITING_BYTES_MAX)
  expect(stream.writableLength).toBeGreaterThan(WAITING_BYTES_MAX - 1_100)
  for (let at = 0; at < 200; at++) await takeOne()
  write('again')
  await takeOne()
  expect(taken.at(-1)).toBe('again')
  expect(taken.slice(0, -1).every((text) => /^\d+ ä{500}\n$/.test(text))).toBe(true)
})

test('a reader that took nothing for a minute is cut off, one that is only slow is not', async () => {
  let nowMs = 0
  const { stream, takeOne } = stuckStream()
  const write = createBoundedWriter(stream, () => nowMs)
  const text = 'x'.repeat(40_000)
  write(text)
  nowMs = 59_000
  write(text)
  expect(stream.destroyed).toBe(false)
  await takeOne()
  write(text)
  nowMs += 59_000
  write(text)
  expect(stream.destroyed).toBe(false)
  nowMs += 2_000
  write(text)
  expect(stream.destroyed).toBe(true)
})
