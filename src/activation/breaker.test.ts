import { expect, test } from 'vitest'
import { Breaker, type Verdict } from './breaker.ts'
import { manualTimers } from './workbench.conformance.ts'

const NOW = Date.UTC(2026, 10, 22, 12)

function breaker(timers = manualTimers()) {
  const subject = new Breaker(timers.after, () => {})
  const record = (verdict: Verdict, count = 1, atMs = NOW) => {
    let change: ReturnType<Breaker['record']>
    for (let n = 0; n < count; n++) change = subject.record(verdict, false, atMs)
    return change
  }
  return { subject, record, timers }
}

test('it opens at the twentieth failure in a row, and one success in between begins anew [SEC-47]', () => {
  const { subject, record } = breaker()
  record('failure', 19)
  record('success')
  expect([record('failure', 19), subject.state]).toEqual([undefined, 'closed'])
  expect([record('failure'), subject.state, subject.pass()]).toEqual(['opened', 'open', undefined])
})

test('it opens when more than half of at least 100 attempts in a minute fail [SEC-47]', () => {
  const { subject, record } = breaker()
  // Alternating, so that none of them is a row: 99 attempts say nothing yet.
  for (let n = 0; n < 49; n++) [record('failure'), record('success')]
  expect(subject.state).toBe('closed')
  record('failure')
  expect(subject.state).toBe('closed')
  expect([record('failure'), subject.state]).toEqual(['opened', 'open'])
})

test('exactly half is not too much, and what is older than a minute no longer counts [SEC-47]', () => {
  const { subject, record } = breaker()
  for (let n = 0; n < 500; n++) [record('success'), record('failure')]
  expect(subject.state).toBe('closed')
  record('failure', 15, NOW + 61_000)
  expect(subject.state).toBe('closed')
})

test('refused bodies are no failure of the destination [SEC-46] [SEC-47]', () => {
  const { subject, record } = breaker()
  record('alive', 500)
  expect([subject.state, subject.failuresInRow]).toEqual(['closed', 0])
})

test('one probe at a time, at rising intervals from 5 s to 5 min; its success closes it [SEC-47]', () => {
  const { subject, record, timers } = breaker()
  record('failure', 20)
  const waits: number[] = []
  for (let n = 0; n < 9; n++) {
    const [waitMs = 0] = timers.waits()
    waits.push(waitMs / 1000)
    expect(subject.pass()).toBeUndefined()
    timers.advance(waitMs)
    expect(subject.pass()).toBe('probe')
    subject.probing()
    expect([subject.state, subject.pass()]).toEqual(['half_open', undefined])
    if (n < 8) subject.record('failure', true, NOW)
  }
  expect(waits).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300])
  expect([subject.record('success', true, NOW), subject.state, subject.pass()]).toEqual(['closed', 'closed', 'any'])
  record('failure', 20)
  expect(timers.waits()).toEqual([5_000])
})

test('a late answer from before it opened neither closes it nor makes it wait longer [SEC-47]', () => {
  const { subject, record, timers } = breaker()
  record('failure', 20)
  record('success')
  record('failure')
  expect([subject.state, timers.waits()]).toEqual(['open', [5_000]])
})

test('a probe that left before everything began anew does not open it again [SEC-47]', () => {
  const { subject, record, timers } = breaker()
  record('failure', 20)
  timers.advance(5_000)
  subject.probing()
  subject.reset()
  expect([subject.record('failure', true, NOW), subject.state, timers.waits()]).toEqual([undefined, 'closed', []])
})

test('a probe that finds nothing to send leaves the next message to be it [SEC-47]', () => {
  const { subject, record, timers } = breaker()
  record('failure', 20)
  timers.advance(5_000)
  subject.probing()
  subject.unused()
  expect([subject.state, subject.pass()]).toEqual(['open', 'probe'])
})

test('it goes on after a restart: still open, with the interval it had reached [SEC-47]', () => {
  const timers = manualTimers()
  const subject = new Breaker(timers.after, () => {}, { isOpen: true, probeWaitMs: 80_000, failuresInRow: 24 })
  expect([subject.state, subject.failuresInRow, timers.waits()]).toEqual(['open', 24, [80_000]])
})
