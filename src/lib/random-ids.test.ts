import { expect, test } from 'vitest'
import { randomDeliveryId, randomDeviceId, randomEventId, randomToken } from './random-ids.ts'

const many = <T>(make: () => T, count = 20_000): T[] => Array.from({ length: count }, make)

test('an event ID is 8 bytes in Base64 [COL-104]', () => {
  for (const id of many(randomEventId, 500)) expect(id).toMatch(/^[A-Za-z0-9+/]{11}=$/)
})

test('a delivery ID has no dot and the documented form [SEC-41~]', () => {
  for (const id of many(randomDeliveryId, 500)) expect(id).toMatch(/^dl_[A-Za-z0-9_-]{22}$/)
})

test('a token has 256 bits', () => {
  expect(randomToken()).toMatch(/^[A-Za-z0-9_-]{43}$/)
})

test('IDs do not repeat, across refills of the pool', () => {
  for (const make of [randomEventId, randomDeliveryId, randomDeviceId]) expect(new Set(many(make)).size).toBe(20_000)
})

test('a device ID has 38 digits, and every digit is equally likely at every place', () => {
  const counts = Array.from({ length: 38 }, () => new Array<number>(10).fill(0))
  for (const id of many(randomDeviceId)) {
    expect(id).toMatch(/^[0-9]{38}$/)
    for (let place = 0; place < 38; place++) {
      const row = counts[place] as number[]
      row[Number(id[place])] = (row[Number(id[place])] as number) + 1
    }
  }
  // 2,000 expected in each of 380 cells, standard deviation 42: eight of them never happen by chance, a biased place does.
  for (const cell of counts.flat()) expect(Math.abs(cell - 2_000)).toBeLessThan(340)
})
