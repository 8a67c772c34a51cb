import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readClockFile, writeClockFile } from './clock-file.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'usher-clock-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const moment = { wallMs: Date.UTC(2026, 10, 30), uptimeMs: 5_000, bootId: 'a boot' }
/** 2106-02-07T06:28:15Z */
const LAST = 0xffff_ffff * 1000
const doubt = { trusted: moment, leapMs: 86_400_000, sinceMs: moment.wallMs, steadyMs: 0 }
const file = () => join(folder, 'clock.json')
const read = () => {
  const errors: unknown[] = []
  return { stored: readClockFile(file(), (error) => errors.push(error)), errors }
}

test.each([
  ['without a doubt', undefined],
  ['with one', doubt],
])('a clock %s is read as it was written, and only its owner can read it [SEC-82~]', async (_, doubted) => {
  const stored = { line: moment, doubt: doubted, epoch: 3 }
  await writeClockFile(file(), stored)
  expect(read()).toEqual({ stored, errors: [] })
  expect(statSync(file()).mode & 0o777).toBe(0o600)
})

test('a new clock takes the place of the old one whole; one that cannot be written leaves the old one and nothing else [SEC-82~]', async () => {
  await writeClockFile(file(), { line: moment, epoch: 1 })
  await writeClockFile(file(), { line: moment, epoch: 2 })
  expect(read().stored?.epoch).toBe(2)
  const before = readFileSync(file(), 'utf8')
  const circular = { line: moment, epoch: 3 } as { line: unknown; epoch: number }
  circular.line = circular
  await expect(writeClockFile(file(), circular as never)).rejects.toThrow()
  expect(readFileSync(file(), 'utf8')).toBe(before)
  expect(existsSync(`${file()}.next`)).toBe(false)
})

test('where there is no file, and where the folder is none, nothing is known and nothing is said', () => {
  expect(read()).toEqual({ stored: undefined, errors: [] })
  writeFileSync(join(folder, 'plain'), '')
  const errors: unknown[] = []
  expect(readClockFile(join(folder, 'plain', 'clock.json'), (error) => errors.push(error))).toBeUndefined()
  expect(errors).toEqual([])
})

test.each([
  ['is empty', ''],
  ['is cut off', JSON.stringify({ line: moment, epoch: 1 }).slice(0, 40)],
  ['is no record', 'null'],
  ['has no line', JSON.stringify({ epoch: 1 })],
  ['has no epoch', JSON.stringify({ line: moment })],
  ['has an epoch that is no whole number', JSON.stringify({ line: moment, epoch: 1.5 })],
  ['has a time without number', JSON.stringify({ line: { ...moment, wallMs: null }, epoch: 1 })],
  ['has a time that cannot be kept', JSON.stringify({ line: { ...moment, wallMs: LAST + 1 }, epoch: 1 })],
  ['has a time of before 1970', JSON.stringify({ line: { ...moment, wallMs: -1 }, epoch: 1 })],
  [
    'has a doubt of a time that cannot be kept',
    JSON.stringify({ line: moment, epoch: 1, doubt: { ...doubt, trusted: { ...moment, wallMs: LAST + 1 } } }),
  ],
  ['has a doubt since no date', JSON.stringify({ line: moment, epoch: 1, doubt: { ...doubt, sinceMs: 8.64e15 + 1 } })],
  ['has a doubt of no size', JSON.stringify({ line: moment, epoch: 1, doubt: { ...doubt, leapMs: -1e300 } })],
  ['has a time since the start that is none', JSON.stringify({ line: { ...moment, uptimeMs: '5' }, epoch: 1 })],
  ['has no boot', JSON.stringify({ line: { ...moment, bootId: 1 }, epoch: 1 })],
  ['has a doubt without its line', JSON.stringify({ line: moment, epoch: 1, doubt: { ...doubt, trusted: {} } })],
  ['has a doubt without its size', JSON.stringify({ line: moment, epoch: 1, doubt: { ...doubt, leapMs: null } })],
])('a file that %s is told as damaged, and counts for nothing [SEC-82~]', (_, text) => {
  writeFileSync(file(), text)
  const { stored, errors } = read()
  expect(stored).toBeUndefined()
  expect(errors).toHaveLength(1)
})

test('the last second that can be kept is a time', () => {
  writeFileSync(file(), JSON.stringify({ line: { ...moment, wallMs: LAST }, epoch: 1 }))
  expect(read().stored?.line.wallMs).toBe(LAST)
})
