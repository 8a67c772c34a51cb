import { expect, test } from 'vitest'
import { planAnswer } from './behaviour.ts'

test('nothing set: the message decides, at once', () => {
  expect(planAnswer({}, 0, 0)).toEqual({ kind: 'judge', delayMs: 0 })
})

test('a status for all, a sequence whose last one stays', () => {
  expect(planAnswer({ answer: 500 }, 9, 0.5)).toMatchObject({ status: 500 })
  expect([0, 1, 2, 3].map((count) => planAnswer({ answer: [503, 500, 200] }, count, 0.5))).toMatchObject([
    { status: 503 },
    { status: 500 },
    { status: 200 },
    { status: 200 },
  ])
})

test('rates split the unit interval: resets, then failures, then the rest', () => {
  const behaviour = { resetRate: 0.1, failRate: 0.2, failStatus: 429, delayMs: 5 }
  expect(planAnswer(behaviour, 0, 0.09)).toEqual({ kind: 'reset', delayMs: 5 })
  expect(planAnswer(behaviour, 0, 0.29)).toEqual({ kind: 'status', status: 429, delayMs: 5 })
  expect(planAnswer(behaviour, 0, 0.31)).toEqual({ kind: 'judge', delayMs: 5 })
})
