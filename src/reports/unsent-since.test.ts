import { expect, test } from 'vitest'
import type { DestinationId, ProfileId } from '../model/ids.ts'
import { UnsentSince } from './unsent-since.ts'

const to = 423 as DestinationId
const user = (name: string) => ({ profileId: name as ProfileId })
const message = (createdAtMs: number, ...names: string[]) => ({
  destinationId: to,
  createdAtMs,
  users: names.map(user),
})

test('a message counts from the oldest change it carries, and once', () => {
  const unsent = new UnsentSince()
  unsent.committed('d:1' as ProfileId, [to], 100)
  unsent.committed('d:1' as ProfileId, [to], 150)
  unsent.committed('d:2' as ProfileId, [to], 120)
  expect(unsent.ended(message(200, 'd:2', 'd:1', 'd:3'))).toBe(100)
  expect(unsent.ended(message(300, 'd:1'))).toBeUndefined()
})

test('a change that came after the message was built waits for the next one', () => {
  const unsent = new UnsentSince()
  unsent.committed('d:1' as ProfileId, [to], 100)
  unsent.committed('d:1' as ProfileId, [to], 250)
  expect(unsent.ended(message(200, 'd:1'))).toBe(100)
  expect(unsent.ended(message(260, 'd:1'))).toBe(250)
  unsent.committed('d:1' as ProfileId, [to], 400)
  expect(unsent.ended(message(390, 'd:1'))).toBeUndefined()
  expect(unsent.ended(message(410, 'd:1'))).toBe(400)
})

test('memory is bounded: beyond it the longest wait is forgotten and not measured', () => {
  const unsent = new UnsentSince(2)
  for (const [at, name] of ['d:1', 'd:2', 'd:3'].entries()) unsent.committed(name as ProfileId, [to], at)
  expect(['d:1', 'd:2', 'd:3'].map((name) => unsent.ended(message(9, name)))).toEqual([undefined, 1, 2])
})
