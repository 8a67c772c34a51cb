import { expect, test } from 'vitest'
import { exactJson } from './exact-json.ts'

test('an ID beyond 2^53 keeps its digits, everything else is what JSON says', () => {
  const text =
    '{"id":9007199254740993,"in":[-9007199254740993,1,0.12345678901234567890],"text":"\\"9007199254740993","e":1e21}'
  expect(exactJson(text)).toEqual({
    id: '9007199254740993',
    in: ['-9007199254740993', 1, 0.12345678901234568],
    text: '"9007199254740993',
    e: 1e21,
  })
  expect(exactJson('9007199254740991')).toBe(9007199254740991)
  expect(exactJson('0.1234567890123456789')).toBe(0.12345678901234568)
})

test('what is no JSON is undefined', () => {
  for (const text of ['', '{', 'OK', '"open', '[1,]']) expect(exactJson(text)).toBeUndefined()
})
