import { expect, test } from 'vitest'
import { createProgress, renderBar } from './progress.ts'

function terminal(isTTY: boolean) {
  let text = ''
  const write = (part: string) => {
    text += part
    return true
  }
  const stream = { isTTY, write } as unknown as NodeJS.WriteStream
  return { stream, text: () => text }
}

test('a bar appears on a terminal once a second has passed, and is wiped at the end [OPS-14~]', () => {
  const { stream, text } = terminal(true)
  let nowMs = 0
  const progress = createProgress(stream, () => nowMs)
  progress.show(1, 10, 'records')
  expect(text()).toBe('')
  nowMs = 1_000
  progress.show(5, 10, 'records')
  expect(text()).toContain('50 % records')
  progress.end()
  expect(text().endsWith('\r\u001b[K')).toBe(true)
})

test('nothing is drawn into a file or a pipe [OPS-14~]', () => {
  const { stream, text } = terminal(false)
  let nowMs = 0
  const progress = createProgress(stream, () => nowMs)
  nowMs = 5_000
  progress.show(5, 10, 'records')
  progress.end()
  expect(text()).toBe('')
})

test.each([
  [0, 10, '  0 %'],
  [10, 10, '100 %'],
  [20, 10, '100 %'],
  [0, 0, '  0 %'],
])('%d of %d is drawn as %s', (done, total, expected) => {
  expect(renderBar(done, total)).toContain(expected)
})
