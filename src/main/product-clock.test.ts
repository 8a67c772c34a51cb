import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Log } from '../lib/log.ts'
import { makeFakeMachine } from '../testkit/fake-machine.ts'
import { openProductClock } from './product-clock.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const NOON = Date.UTC(2027, 5, 10, 12)

let dataDir = ''
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'usher-clock-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

function open(machine = makeFakeMachine(NOON), offsetMs = 0) {
  const lines: { level: string; message: string; fields: Readonly<Record<string, unknown>> }[] = []
  const at =
    (level: string) =>
    (message: string, fields = {}) =>
      void lines.push({ level, message, fields })
  const log: Log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  let leaps = 0
  const clock = openProductClock({ dataDir, offsetMs, log, onLeap: () => leaps++, machine })
  return { clock, machine, lines, leaps: () => leaps }
}

test('the log tells of a leap, what it means and what to do, and of its end; each leap is counted once [SEC-82~] [SEC-87~]', async () => {
  const { clock, machine, lines, leaps } = open()
  machine.leap(40 * DAY)
  clock.now()
  machine.pass(MINUTE)
  clock.now()
  machine.leap(-40 * DAY)
  clock.now()
  expect(lines.map(({ level, message }) => [level, message])).toEqual([
    ['warn', 'clock.leapt'],
    ['info', 'clock.returned'],
  ])
  expect(lines[0]?.fields).toEqual({
    state: 'held',
    leapSeconds: 3_456_000,
    machine: '2027-07-20T12:00:00.000Z',
    now: '2027-06-10T12:00:00.000Z',
    means: expect.stringContaining('usher clock --confirm'),
  })
  expect(leaps()).toBe(1)
  await clock.close()
})

test('the last trusted time stands in the data directory, readable by its owner only, and so does how often all was judged anew [SEC-82~]', async () => {
  const first = open()
  let reviews = 0
  first.clock.keep(() => reviews++)
  first.machine.leap(-40 * DAY)
  first.clock.now()
  first.clock.confirm()
  expect([reviews, first.clock.epoch()]).toEqual([1, 1])
  first.machine.pass(HOUR)
  first.clock.now()
  await first.clock.close()
  const file = join(dataDir, 'clock.json')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
    line: { wallMs: NOON - 40 * DAY + HOUR, uptimeMs: 5_000 + HOUR, bootId: 'start 1' },
    epoch: 1,
  })

  first.machine.leap(40 * DAY)
  const second = open(first.machine)
  expect(second.clock.epoch()).toBe(1)
  expect(second.clock.now()).toBe(NOON - 40 * DAY + HOUR)
  expect(second.lines[0]?.message).toBe('clock.leapt')
  await second.clock.close()
})

test('a start that is refused before the data directory is its own leaves the record alone', async () => {
  const { clock } = open()
  await clock.close()
  expect(() => statSync(join(dataDir, 'clock.json'))).toThrow('ENOENT')
})

test('the test switch shifts the time, also the time by which things expire, and is no leap [OPS-27]', async () => {
  const { clock, machine, lines } = open(makeFakeMachine(NOON), 100 * DAY)
  expect(clock.now()).toBe(NOON + 100 * DAY)
  clock.advance(40 * DAY)
  expect([clock.now(), clock.judgedMs(clock.now()), clock.mayForget()]).toEqual([
    NOON + 140 * DAY,
    NOON + 140 * DAY,
    true,
  ])
  expect(lines).toEqual([])
  machine.leap(5 * DAY)
  clock.now()
  machine.pass(3 * MINUTE)
  clock.now()
  expect([clock.now(), clock.judgedMs(clock.now())]).toEqual([
    NOON + 145 * DAY + 3 * MINUTE,
    NOON + 140 * DAY + 3 * MINUTE,
  ])
  await clock.close()
})
