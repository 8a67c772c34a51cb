import { expect, test } from 'vitest'
import type { Log } from '../lib/log.ts'
import { StoreUnavailableError } from '../store/record-store.ts'
import { openFaultLog } from './fault-log.ts'

test('a store that takes nothing is told once a minute with how many calls it were, any other fault each time', () => {
  const lines: [string, Record<string, unknown>][] = []
  const log = {
    error: (event: string, fields: Record<string, unknown>) => lines.push([event, fields]),
  } as unknown as Log
  let elapsedMs = 5
  const tell = openFaultLog(log, () => elapsedMs)
  const full = new StoreUnavailableError('the disk is nearly full')
  for (const id of ['a', 'b', 'c']) tell(full, id)
  elapsedMs += 59_999
  tell(full, 'd')
  tell(new StoreUnavailableError('the store is closed'), 'e')
  const odd = new TypeError('odd')
  tell(odd, 'f')
  tell(odd, 'g')
  elapsedMs += 1
  tell(full, 'h')
  expect(lines).toEqual([
    ['event.refused', { reason: 'the disk is nearly full', calls: 1, eventId: 'a', cause: undefined }],
    ['event.refused', { reason: 'the store is closed', calls: 1, eventId: 'e', cause: undefined }],
    ['event.fault', { error: odd, eventId: 'f' }],
    ['event.fault', { error: odd, eventId: 'g' }],
    ['event.refused', { reason: 'the disk is nearly full', calls: 4, eventId: 'h', cause: undefined }],
  ])
})
