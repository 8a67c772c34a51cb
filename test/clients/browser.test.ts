import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { chromiumPath, hasBrowser } from './browser.mjs'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'usher-chromium-'))
  vi.stubEnv('USHER_CHROMIUM', undefined)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

test('a browser that was installed meanwhile is found: it is looked for each time it is asked for [OPS-3~]', () => {
  const [shell, whole] = [join(folder, 'shell'), join(folder, 'whole')]
  expect(chromiumPath([shell, whole])).toBe('/usr/bin/chromium')
  writeFileSync(whole, '')
  expect(chromiumPath([shell, whole])).toBe(whole)
  writeFileSync(shell, '')
  expect(chromiumPath([shell, whole])).toBe(shell)
})

test('a browser that is named counts from then on, and only where there is one [OPS-3~]', () => {
  const named = join(folder, 'chromium')
  vi.stubEnv('USHER_CHROMIUM', named)
  expect([chromiumPath(), hasBrowser()]).toEqual([named, false])
  writeFileSync(named, '')
  expect(hasBrowser()).toBe(true)
})
