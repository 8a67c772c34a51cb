import type { Reporter, TestModule } from 'vitest/node'

/** Ends the run with `N passed, N failed[, N skipped]` alone on the last line [OPS-3]. */
export default class OneLineReporter implements Reporter {
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
    process.on('exit', () => {
      process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`)
    })
  }
}
