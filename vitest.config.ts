import { defineConfig } from 'vitest/config'

// Of everything that is generated. Printed, so that a run can be repeated: TEST_SEED=N npm test.
const seed = process.env['TEST_SEED'] ?? String(Date.now() % 1_000_000)

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'web/src/**/*.test.ts'],
    // How long until a test counts as hung. Nothing here measures time: shared machines are slow at any moment.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A test that asserts nothing cannot fail.
    expect: { poll: { timeout: 30_000 }, requireAssertions: true },
    allowOnly: process.env['CI'] !== 'true',
    env: { TEST_SEED: seed },
    pool: 'forks',
    maxWorkers: 2,
    reporters: ['default', './test/one-line-reporter.ts'],
  },
})
