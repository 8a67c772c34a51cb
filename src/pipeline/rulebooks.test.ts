import { expect, test } from 'vitest'
import type { Definitions } from '../model/definitions.ts'
import { makeDefinitions, makeSegment, makeTrait } from '../testkit/make-definitions.ts'
import { openRulebooks } from './rulebooks.ts'

const TRAITS = 20_000

/** Definitions that can change, be closed like a catalogue, and say when they are read. */
async function makeBench() {
  const failed: unknown[] = []
  let version = 1
  let isOpen = true
  let isBroken = false
  let reads = 0
  let changed: () => void = () => {}
  const traits = Array.from({ length: TRAITS }, (_, n) => makeTrait(101 + n, `a == "${n}"`))
  function* whileOpen<T>(list: readonly T[]): Generator<T> {
    reads += 1
    for (const one of list) {
      if (!isOpen || isBroken) throw new Error('the definitions cannot be read')
      yield one
    }
  }
  const definitions = async (): Promise<Definitions> => ({
    ...makeDefinitions({ segments: [makeSegment(201, '101T')] }),
    version,
    traits: whileOpen(traits) as unknown as Definitions['traits'],
  })
  const source = {
    version: () => version,
    definitions,
    onChange(listener: () => void) {
      changed = listener
    },
  }
  const rulebooks = await openRulebooks(source, { allowPrivate: true, onFailed: (error) => failed.push(error) })
  return {
    rulebooks,
    failed,
    reads: () => reads,
    change() {
      version += 1
      changed()
      return version
    },
    breakIt(broken: boolean) {
      isBroken = broken
    },
    closeCatalogue() {
      isOpen = false
    },
  }
}

test('every change is followed, those that come together by one build, and listeners hear of each rulebook', async () => {
  const bench = await makeBench()
  const heard: number[] = []
  bench.rulebooks.onSwap(({ version }) => heard.push(version))
  for (let round = 0; round < 3; round++) {
    bench.change()
    await bench.rulebooks.settled(bench.change())
  }
  expect(heard).toEqual([3, 5, 7])
  expect(bench.rulebooks.current().version).toBe(7)
  expect(bench.reads()).toBe(4)
  await bench.rulebooks.close()
})

test('definitions that cannot be read leave the rulebook in force, are told, and are tried again', async () => {
  const bench = await makeBench()
  bench.breakIt(true)
  const wanted = bench.change()
  await expect.poll(() => bench.failed.length).toBe(1)
  expect(bench.rulebooks.current().version).toBe(1)
  bench.breakIt(false)
  await bench.rulebooks.settled(wanted)
  expect(bench.rulebooks.current().version).toBe(2)
  await bench.rulebooks.close()
})

test('a stop waits for a build at work, so that no definition is read behind it, and nothing is told as failed', async () => {
  const bench = await makeBench()
  bench.change()
  await expect.poll(() => bench.reads(), { interval: 1 }).toBe(2)
  await bench.rulebooks.close()
  bench.closeCatalogue()
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(bench.failed).toEqual([])
  bench.change()
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(bench.reads()).toBe(2)
})
