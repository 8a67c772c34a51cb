import { expect, test } from 'vitest'
import type { PartnerMessage } from './message-shape.ts'
import { OwedMessages } from './owed-messages.ts'

const message = (...users: string[]) =>
  ({
    User_DPID: '77052',
    Users: users.map((name) => ({ AAM_UUID: `device of ${name}`, DataPartner_UUID: name, Segments: [] })),
  }) as unknown as PartnerMessage

test('a refused message is owed until it comes again and is taken', () => {
  const owed = new OwedMessages(10)
  expect([owed.received('dl_1', message('anna'), false), owed.size]).toEqual([0, 1])
  expect([owed.received('dl_1', message('anna'), false), owed.size]).toEqual([0, 1])
  expect([owed.received('dl_2', message('bert'), true), owed.size]).toEqual([0, 1])
  expect([owed.received('dl_1', message('anna'), true), owed.size]).toEqual([1, 0])
})

test('or until all of its users came in newer ones: what an opt-out replaced is owed no more', () => {
  const owed = new OwedMessages(10)
  owed.received('dl_1', message('anna', 'bert'), false)
  expect([owed.received('dl_2', message('anna'), true), owed.has('dl_1')]).toEqual([0, true])
  expect([owed.received('dl_3', message('bert'), true), owed.size]).toEqual([1, 0])
})

test('a newer one that is refused is owed in its place; what arrives counts once', () => {
  const owed = new OwedMessages(10)
  owed.received('dl_1', message('anna'), false)
  expect([owed.received('dl_2', message('anna'), false), owed.has('dl_1'), owed.has('dl_2')]).toEqual([0, false, true])
  expect([owed.received('dl_2', message('anna'), true), owed.size]).toEqual([1, 0])
})

test('of one that cannot be read only its own return tells; memory has a bound', () => {
  const owed = new OwedMessages(2)
  for (const id of ['dl_1', 'dl_2', 'dl_3']) owed.received(id, undefined, false)
  expect([owed.size, owed.has('dl_1')]).toEqual([2, false])
  expect([owed.received('dl_3', message('anna'), true), owed.size]).toEqual([1, 1])
})
