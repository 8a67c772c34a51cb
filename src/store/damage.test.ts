import { expect, test } from 'vitest'
import { damagedRange, mayHoldOptOuts } from './damage.ts'
import { startKey } from './keys.ts'
import { Kind } from './record-kinds.ts'

const key = (partition: number, kind: number) => startKey(partition, kind, 0)

test('damage within one partition names the kinds from the first key to the last, both included', () => {
  // D, F, G, H lie between; B, and J and what follows, do not.
  const range = damagedRange(key(7, Kind.deliveryOfProfile), key(7, Kind.endedDelivery))
  expect(range).toMatchObject({ firstPartition: 7, lastPartition: 7 })
  expect([...range.kinds].sort()).toEqual(['deliveryOfProfile', 'destinationState', 'endedDelivery', 'followUp'])
  expect(damagedRange(key(4095, Kind.told), key(4095, Kind.told)).kinds).toEqual(['told'])
})

test('damage over several partitions may be of any kind, and what has no beginning begins at the first', () => {
  expect(damagedRange(key(258, Kind.told), key(259, Kind.told))).toEqual({
    firstPartition: 258,
    lastPartition: 259,
    kinds: Object.keys(Kind),
  })
  expect(damagedRange(undefined, key(3, Kind.told))).toMatchObject({ firstPartition: 0, lastPartition: 3 })
})

test('opt-outs may be lost with a table of which one damaged part may hold some, and with anything else that is lost [SEC-60]', () => {
  const within = (...kinds: string[]) => ({ firstPartition: 7, lastPartition: 7, kinds })
  const damage = { file: '000009.ldb', kind: 'table', places: 2, bytes: 9, isLost: true } as const
  const ranges = [within('due'), within('told', 'optOut')]
  expect(mayHoldOptOuts({ ...damage, ranges })).toBe(true)
  expect(mayHoldOptOuts({ ...damage, ranges: ranges.slice(0, 1) })).toBe(false)
  expect(mayHoldOptOuts({ ...damage, ranges: [] })).toBe(false)
  expect(mayHoldOptOuts({ ...damage, ranges, isLost: false })).toBe(false)
  expect(mayHoldOptOuts({ ...damage, kind: 'log', ranges: [] })).toBe(true)
})
