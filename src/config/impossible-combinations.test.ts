import { expect, test } from 'vitest'
import { ConfigError, type ConfigSources, loadConfig } from '../config.ts'

function issuesOf(sources: ConfigSources): readonly string[] {
  try {
    loadConfig({ env: {}, ...sources })
  } catch (error) {
    if (error instanceof ConfigError) return error.issues
    throw error
  }
  return []
}

test.each([
  ['3155760000000', '21'],
  ['-3155760000000', '19'],
  ['8640000000000000', 'no date'],
])(
  'a shift of the clock by %s ms would lose what comes in, so it stops the start with what is allowed [OPS-27] [OPS-20]',
  (ms, year) => {
    const [issue = ''] = issuesOf({ env: { USHER_CLOCK_OFFSET_MS: ms } })
    expect(issue).toMatch(
      /^clockOffsetMs \(USHER_CLOCK_OFFSET_MS\): would put the clock at .+, and times are kept from 1970 to 2106-02-07\. Allowed now: -\d+ to \d+$/,
    )
    expect(issue).toContain(`at ${year}`)
    const [, from = '', to = ''] = /Allowed now: (-\d+) to (\d+)/.exec(issue) ?? []
    for (const [allowed, more] of [
      [Number(from) + 60_000, -120_000],
      [Number(to) - 60_000, 120_000],
    ] as const) {
      expect(issuesOf({ env: { USHER_CLOCK_OFFSET_MS: String(allowed) } })).toEqual([])
      expect(issuesOf({ env: { USHER_CLOCK_OFFSET_MS: String(allowed + more) } })).toHaveLength(1)
    }
  },
)

test('a file that cannot be read is named', () => {
  expect(issuesOf({ options: { config: '/no/such.yaml' } })[0]).toContain('/no/such.yaml')
})
