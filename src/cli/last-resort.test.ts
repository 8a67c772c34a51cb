import { afterEach, expect, test } from 'vitest'
import type { Log, LogFields } from '../lib/log.ts'
import { silentLog } from '../lib/log.ts'
import { installLastResort } from './last-resort.ts'

let remove = () => {}
afterEach(() => remove())

function faults() {
  const lines: LogFields[] = []
  const exits: number[] = []
  const log: Log = { ...silentLog, error: (_message, fields = {}) => void lines.push(fields) }
  // Vitest listens too and would fail the run; ours is called by hand, as Node would.
  const before = process.listeners('uncaughtException')
  remove = installLastResort(log, (status) => void exits.push(status))
  const [own] = process.listeners('uncaughtException').filter((one) => !before.includes(one))
  return { lines, exits, fall: (error: Error) => own?.(error, 'uncaughtException') }
}

test('a fault is logged under an incident id and the process goes on [SEC-12]', () => {
  const { lines, exits, fall } = faults()
  fall(new Error('unexpected'))
  expect(lines).toMatchObject([{ incident: expect.stringMatching(/^.{12}$/), goesOn: true }])
  expect(exits).toEqual([])
})

test('a damaged store ends the process [SEC-12]', () => {
  const { exits, fall } = faults()
  fall(Object.assign(new Error('checksum'), { code: 'store_corrupt' }))
  expect(exits).toEqual([1])
})
