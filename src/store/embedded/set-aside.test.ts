import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Damage } from '../damage.ts'
import { SetAside } from './set-aside.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'usher-aside-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const AT = Date.UTC(2026, 10, 30, 3)
const open = () => new SetAside(join(folder, 'damaged'), () => AT)
const damage = (file: string): Damage => ({ file, kind: 'log', places: 1, bytes: 3, isLost: true, ranges: [] })
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

test('a damaged file is kept as it was found, and the mended one stands in its place [SEC-60~]', async () => {
  const aside = open()
  const noted = await aside.replace(file('1.log', 'bad'), damage('1.log'), file('mended', 'good'))
  expect(readFileSync(join(folder, '1.log'), 'utf8')).toBe('good')
  expect(readFileSync(noted.setAside as string, 'utf8')).toBe('bad')
  expect(await aside.notes()).toEqual([{ ...damage('1.log'), setAside: noted.setAside, atMs: AT }])
})

test('two files of one name that are set aside in one second are both kept [SEC-60~]', async () => {
  const aside = open()
  const first = await aside.replace(file('1.log', 'bad'), damage('1.log'), undefined)
  rmSync(join(folder, '1.log'))
  const second = await aside.replace(file('1.log', 'worse'), damage('1.log'), undefined)
  expect([first, second].map(({ setAside }) => readFileSync(setAside as string, 'utf8'))).toEqual(['bad', 'worse'])
  expect(await aside.notes()).toHaveLength(2)
})

test('what cannot be set aside is not called so [SEC-60~]', async () => {
  const aside = open()
  await expect(aside.replace(join(folder, 'none.log'), damage('none.log'), undefined)).rejects.toThrow('ENOENT')
  expect(await aside.notes()).toEqual([])
})

test('settled notes are shown no more, and the files stay; a note that is damaged itself still says that there was damage', async () => {
  const aside = open()
  await aside.missing(damage('2.ldb'))
  await aside.settle()
  expect(await aside.notes()).toEqual([])
  expect(readdirSync(aside.folder)).toHaveLength(1)
  writeFileSync(join(aside.folder, 'x.json'), '{')
  expect(await aside.notes()).toMatchObject([{ file: 'x.json', isLost: true }])
})
