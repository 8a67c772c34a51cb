import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadConfig } from '../config.ts'
import { startWarnings } from './start-warnings.ts'

const NOW = Date.UTC(2026, 10, 30)
const warnings = (env: Record<string, string>, isDemo = false, nowMs = NOW) =>
  startWarnings(loadConfig({ env }), nowMs, isDemo)

test('a start says that the test switch is open, and what closes it [OPS-27]', () => {
  const [warning = '', ...others] = warnings({})
  expect(warning).toMatch(/^POST \/v1\/test\/clock is open to whoever holds the token, .* set NODE_ENV=production/)
  expect(others).toEqual([])
})

test('in production, in the demo and without the role admin no switch is open, and none is told [OPS-27]', () => {
  expect(warnings({ NODE_ENV: 'production' })).toEqual([])
  expect(warnings({}, true)).toEqual([])
  expect(warnings({ USHER_ROLES: 'edge, delivery' })).toEqual([])
})

test('a clock whose time cannot be kept is told at the start, beside what else there is [SEC-82~] [SEC-92~]', () => {
  const said = warnings({ NODE_ENV: 'production', USHER_HOST: '0.0.0.0' }, false, Date.UTC(2126, 0, 1))
  expect(said).toEqual([
    expect.stringContaining('Other machines can reach 0.0.0.0'),
    'The clock says 2126-01-01T00:00:00.000Z, and times are kept from 1970 to 2106-02-07: no event is taken before it is set right.',
  ])
})

test.each(['README.md', 'docs/configuration.md', 'docs/behind-a-proxy.md', 'docs/clock-and-disk.md'])(
  '%s tells who runs it for real to set NODE_ENV=production, and of the switch that it closes [OPS-27]',
  (page) => {
    const text = readFileSync(join(import.meta.dirname, '../..', page), 'utf8')
    expect(text.split(/\n\n|\n\|/).some((part) => /NODE_ENV=production/.test(part) && /test\/clock/.test(part))).toBe(
      true,
    )
  },
)
