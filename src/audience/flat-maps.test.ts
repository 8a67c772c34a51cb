import { expect, test } from 'vitest'
import { IdIndex } from './id-index.ts'
import { SteadyMap } from './steady-map.ts'
import { NOT_REMEMBERED, TextMemo } from './text-memo.ts'

test('a steady map answers like a map, before and after it splits', () => {
  const map = new SteadyMap()
  for (let i = 0; i < 10_000; i++) map.set(`value-${i}`, i)
  map.set('value-7', 70)
  expect([map.get('value-0'), map.get('value-7'), map.get('value-9999')]).toEqual([0, 70, 9999])
  expect([map.get('value-10000'), map.get('')]).toEqual([undefined, undefined])
})

test('an id index answers for ids far apart, colliding ones included', () => {
  const index = new IdIndex()
  const ids = [1, 2, 1025, 2049, 2 ** 31 - 1, ...Array.from({ length: 5000 }, (_, i) => 100_000 + 3 * i)]
  for (const [at, id] of ids.entries()) index.set(id, at)
  expect(ids.map((id) => index.get(id))).toEqual([...ids.keys()])
  expect([index.get(3), index.get(100_001), index.get(0)]).toEqual([-1, -1, -1])
  expect(() => index.set(0, 1)).toThrow(RangeError)
})

test('a memory of texts never answers for another text or owner, however many share its slots', () => {
  const memo = new TextMemo(16)
  const numberOf = (owner: number, at: number): number => owner * 1_000 + at
  let remembered = 0
  for (let round = 0; round < 2; round++) {
    for (let owner = -1; owner < 3; owner++) {
      for (let at = 0; at < 200; at++) {
        const text = at % 2 === 0 ? `v${at}` : `a text that is cut from a longer one ${at}`
        const found = memo.get(owner, text)
        if (found !== NOT_REMEMBERED) remembered += 1
        expect([NOT_REMEMBERED, numberOf(owner, at)]).toContain(found)
        memo.set(owner, text, numberOf(owner, at))
        expect(memo.get(owner, text)).toBe(numberOf(owner, at))
      }
    }
  }
  memo.set(1, 'x'.repeat(65), 7)
  expect([memo.get(1, 'x'.repeat(65)), memo.get(1, '')]).toEqual([NOT_REMEMBERED, NOT_REMEMBERED])
  expect(remembered).toBeLessThan(100)
})
