import type { Reporter, TestModule, Vitest } from 'vitest/node'

/** Ends the run with `N passed, N failed[, N skipped]` alone on the last line; with CI=true nothing may be skipped [OPS-3]. */
export default class OneLineReporter implements Reporter {
  onInit(vitest: Vitest): void {
    process.stdout.write(`Seed of what is generated: ${vitest.config.env['TEST_SEED']} (TEST_SEED=N repeats)\n`)
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0
    let failed = errors.length
    let skipped = 0
    for (const module of modules) {
      const tests = [...module.children.allTests()]
      for (const test of tests) {
        const { state } = test.result()
        if (state === 'passed') passed += 1
        else if (state === 'skipped') skipped += 1
        else failed += 1
      }
      // A file that did not even load counts as one failure; it has no tests that could.
      if (tests.every((test) => test.result().state !== 'failed') && module.state() === 'failed') failed += 1
    }
    const mayNotSkip = skipped > 0 && process.env['CI'] === 'true'
    process.on('exit', () => {
      if (mayNotSkip) {
        process.stdout.write('\nWith CI=true no test may be skipped.\n')
        process.exitCode ||= 1
      }
      process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`)
    })
  }
}
