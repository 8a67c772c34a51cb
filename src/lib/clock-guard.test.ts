import { expect, onTestFinished, test } from 'vitest'
import { makeFakeMachine } from '../testkit/fake-machine.ts'
import { type ClockChange, type ClockRecord, guardClock } from './clock-guard.ts'

const SECOND = 1_000
const MINUTE = 60_000
const HOUR = 3_600_000
const DAY = 86_400_000
const NOON = Date.UTC(2026, 5, 10, 12)

function guarded(stored?: ClockRecord, machine = makeFakeMachine(NOON)) {
  const changes: ClockChange[] = []
  const guard = guardClock({ stored, machine, onChange: (change) => changes.push(change) })
  onTestFinished(guard.close)
  /** Lets time go by in steps, with a look at the clock after each, as the timer would. */
  const run = (ms: number, stepMs = 30 * SECOND) => {
    for (let passed = 0; passed < ms; passed += stepMs) {
      machine.pass(Math.min(stepMs, ms - passed))
      guard.check()
    }
  }
  return { guard, machine, run, events: () => changes.map(({ event }) => event), changes }
}

const state = (guard: ReturnType<typeof guarded>['guard']) => guard.reading().state

test('a clock that leaps for four seconds, ahead or back, near or far, moves nothing: time goes on as before [SEC-82~] [SEC-91]', () => {
  for (const leapMs of [40 * DAY, -40 * DAY, 23 * HOUR, -2 * HOUR, 11 * MINUTE, 36_500 * DAY, -NOON]) {
    const { guard, machine, events, changes } = guarded()
    machine.pass(10 * SECOND)
    machine.leap(leapMs)
    // The first reading after the leap is right already.
    expect(guard.now()).toBe(NOON + 10 * SECOND)
    expect(guard.mayForget()).toBe(false)
    machine.pass(4 * SECOND)
    expect(guard.now()).toBe(NOON + 14 * SECOND)
    expect(guard.judgedMs(guard.now())).toBe(NOON + 14 * SECOND)
    machine.leap(-leapMs)
    guard.check()
    expect([guard.now(), guard.mayForget(), state(guard)]).toEqual([NOON + 14 * SECOND, true, 'trusted'])
    expect(events()).toEqual(['leapt', 'returned'])
    expect(changes.map((change) => [change.leapMs, change.isToReview])).toEqual([
      [leapMs, false],
      [leapMs, false],
    ])
  }
})

test('a time that cannot be kept is left as soon as the clock is elsewhere, which is judged by the line before it [SEC-82~]', () => {
  const FAR = 36_500 * DAY
  const { guard, machine, run } = guarded()
  machine.leap(FAR)
  run(4 * MINUTE)
  expect(state(guard)).toBe('waiting')
  // Back, though not to where it was: that is a leap of its own.
  machine.leap(40 * DAY - FAR)
  guard.check()
  expect(guard.reading()).toMatchObject({ state: 'held', nowMs: NOON + 4 * MINUTE, leapMs: 40 * DAY })
  machine.leap(-40 * DAY)
  guard.check()
  expect(guard.reading()).toMatchObject({ state: 'trusted', nowMs: NOON + 4 * MINUTE })

  // Where nothing was trusted before, the first time that can be kept is.
  const fresh = guarded(undefined, makeFakeMachine(NOON + FAR))
  fresh.machine.leap(-FAR)
  fresh.guard.check()
  expect([fresh.guard.reading().state, fresh.guard.now()]).toEqual(['trusted', NOON])
  expect(fresh.changes.at(-1)).toMatchObject({ event: 'returned', isToReview: true })
})

test('small steps, which keep a clock right, are followed at once', () => {
  for (const stepMs of [9 * MINUTE, -9 * MINUTE, 1, -1]) {
    const { guard, machine, events } = guarded()
    machine.leap(stepMs)
    expect([guard.now(), guard.mayForget()]).toEqual([NOON + stepMs, true])
    expect(events()).toEqual([])
  }
})

test('a leap ahead that stays is followed after three minutes, expires things after an hour, and deletes after as long as it leapt, an hour to seven days [SEC-82~]', () => {
  for (const [leapMs, deletesAfterMs] of [
    [20 * MINUTE, HOUR],
    [5 * HOUR, 5 * HOUR],
    [40 * DAY, 7 * DAY],
  ] as const) {
    const { guard, machine, run } = guarded()
    machine.leap(leapMs)
    guard.check()
    run(3 * MINUTE - SECOND)
    expect([state(guard), guard.now()]).toEqual(['held', NOON + 3 * MINUTE - SECOND])
    run(SECOND)
    expect([state(guard), guard.now()]).toEqual(['waiting', NOON + 3 * MINUTE + leapMs])
    expect(guard.judgedMs(guard.now())).toBe(NOON + 3 * MINUTE)

    run(57 * MINUTE - SECOND)
    expect([state(guard), guard.judgedMs(guard.now())]).toEqual(['waiting', NOON + HOUR - SECOND])
    run(SECOND)
    expect(guard.judgedMs(guard.now())).toBe(guard.now())
    expect(state(guard)).toBe(deletesAfterMs === HOUR ? 'trusted' : 'followed')
    if (deletesAfterMs > HOUR) {
      run(deletesAfterMs - HOUR - SECOND)
      expect([state(guard), guard.mayForget()]).toEqual(['followed', false])
      run(SECOND)
    }
    expect([state(guard), guard.mayForget(), guard.now()]).toEqual(['trusted', true, NOON + deletesAfterMs + leapMs])
  }
})

test('a clock that returns later is trusted at once, and what was judged meanwhile is to be looked at again [SEC-82~]', () => {
  for (const wrongMs of [10 * MINUTE, 2 * HOUR, 6 * DAY]) {
    for (const leapMs of [40 * DAY, -40 * DAY]) {
      const { guard, machine, run, changes } = guarded()
      machine.leap(leapMs)
      guard.check()
      run(wrongMs)
      machine.leap(-leapMs)
      expect([guard.now(), guard.mayForget(), state(guard)]).toEqual([NOON + wrongMs, true, 'trusted'])
      expect(changes.at(-1)).toMatchObject({ event: 'returned', isToReview: true, leapMs, state: 'trusted' })
    }
  }
})

test('a leap back that stays is looked at again when it is followed and when it is trusted; nothing is judged by the time before', () => {
  const { guard, machine, run, changes } = guarded()
  machine.leap(-40 * DAY)
  guard.check()
  run(4 * MINUTE)
  expect([guard.now(), guard.judgedMs(guard.now())]).toEqual([
    NOON + 4 * MINUTE - 40 * DAY,
    NOON + 4 * MINUTE - 40 * DAY,
  ])
  run(7 * DAY)
  expect(changes.map(({ event, isToReview }) => [event, isToReview])).toEqual([
    ['leapt', false],
    ['moved', true],
    ['followed', false],
    ['trusted', true],
  ])
})

test('a second leap while the first is in doubt is held on its own', () => {
  const { guard, machine, run, events } = guarded()
  machine.leap(40 * DAY)
  guard.check()
  run(2 * HOUR)
  machine.leap(300 * DAY)
  expect(guard.now()).toBe(NOON + 2 * HOUR + 40 * DAY)
  run(MINUTE)
  machine.leap(-300 * DAY)
  guard.check()
  expect([state(guard), guard.now()]).toEqual(['followed', NOON + 2 * HOUR + MINUTE + 40 * DAY])
  machine.leap(-40 * DAY)
  expect(guard.now()).toBe(NOON + 2 * HOUR + MINUTE)
  expect(events()).toEqual(['leapt', 'moved', 'followed', 'leapt', 'returned', 'returned'])
})

test('a machine that slept did not leap: its uptime went on [SEC-82~]', () => {
  const { guard, machine, events } = guarded()
  machine.pass(90 * DAY)
  expect([guard.now(), guard.mayForget()]).toEqual([NOON + 90 * DAY, true])
  expect(events()).toEqual([])
})

test('an operator who says that the clock is right ends every doubt [SEC-82~]', () => {
  for (const waitMs of [0, 5 * MINUTE, 2 * HOUR]) {
    for (const leapMs of [40 * DAY, -40 * DAY]) {
      const { guard, machine, run, changes } = guarded()
      machine.leap(leapMs)
      guard.check()
      run(waitMs)
      guard.confirm()
      expect([state(guard), guard.mayForget()]).toEqual(['trusted', true])
      expect([guard.now(), guard.judgedMs(guard.now())]).toEqual([NOON + waitMs + leapMs, NOON + waitMs + leapMs])
      expect(changes.at(-1)).toMatchObject({ event: 'trusted', isToReview: leapMs < 0, leapMs })
    }
  }
  const { guard, events } = guarded()
  guard.confirm()
  expect(events()).toEqual([])
})

function later(
  change: (machine: ReturnType<typeof makeFakeMachine>) => void,
  runFirst = (_: ReturnType<typeof guarded>) => {},
) {
  const machine = makeFakeMachine(NOON)
  const first = guarded(undefined, machine)
  runFirst(first)
  const stored = JSON.parse(JSON.stringify(first.guard.record())) as ClockRecord
  first.guard.close()
  change(machine)
  return guarded(stored, machine)
}

test('a start at a wrong time of the same machine is noticed at once, however long Usher was stopped [SEC-82~]', () => {
  for (const leapMs of [40 * DAY, -40 * DAY, -2 * HOUR]) {
    const { guard, events, machine } = later((machine) => {
      machine.pass(3 * DAY)
      machine.leap(leapMs)
    })
    expect([state(guard), guard.now()]).toEqual(['held', NOON + 3 * DAY])
    machine.leap(-leapMs)
    expect([guard.now(), state(guard)]).toEqual([NOON + 3 * DAY, 'trusted'])
    expect(events()).toEqual(['leapt', 'returned'])
  }
  // Stopped for 40 days on a machine that ran on: nothing is wrong.
  const { guard, events } = later((machine) => machine.pass(40 * DAY))
  expect([state(guard), guard.now(), events()]).toEqual(['trusted', NOON + 40 * DAY, []])
})

test('after a restart of the machine a start up to a day later is trusted; a later one expires nothing for an hour and deletes nothing for days [SEC-82~]', () => {
  expect(state(later((machine) => machine.restart(DAY)).guard)).toBe('trusted')
  const { guard, run, events, changes } = later((machine) => machine.restart(40 * DAY))
  // What comes in bears the time of the machine.
  expect([state(guard), guard.now()]).toEqual(['waiting', NOON + 40 * DAY])
  expect([guard.judgedMs(guard.now()), guard.mayForget()]).toEqual([NOON, false])
  run(HOUR)
  expect([state(guard), guard.judgedMs(guard.now())]).toEqual(['followed', NOON + 40 * DAY + HOUR])
  run(7 * DAY)
  expect([state(guard), guard.mayForget()]).toEqual(['trusted', true])
  expect(events()).toEqual(['leapt', 'followed', 'trusted'])
  expect(changes[0]).toMatchObject({ leapMs: 40 * DAY })
})

test('after a restart of the machine a clock of the past is held: time did not run backwards [SEC-82~]', () => {
  const { guard, machine } = later((machine) => machine.restart(-40 * DAY))
  expect([state(guard), guard.now()]).toEqual(['held', NOON])
  machine.pass(MINUTE)
  machine.leap(40 * DAY + HOUR)
  expect([guard.now(), state(guard)]).toEqual([NOON + HOUR + MINUTE, 'trusted'])
})

test('a doubt outlives the process, and so does what was trusted before it [SEC-82~]', () => {
  const doubtful = ({ machine, guard, run }: ReturnType<typeof guarded>) => {
    machine.leap(40 * DAY)
    guard.check()
    run(30 * MINUTE)
  }
  const again = later((machine) => machine.pass(10 * MINUTE), doubtful)
  expect([state(again.guard), again.events()]).toEqual(['waiting', []])
  again.run(20 * MINUTE)
  expect(state(again.guard)).toBe('followed')

  const right = later((machine) => {
    machine.pass(10 * MINUTE)
    machine.leap(-40 * DAY)
  }, doubtful)
  expect([state(right.guard), right.guard.now()]).toEqual(['trusted', NOON + 40 * MINUTE])
  expect(right.changes).toMatchObject([{ event: 'returned', isToReview: true }])
})
