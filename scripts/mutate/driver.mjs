// A process of its own that keeps Vitest loaded in a copy of the checkout and runs test files as it is told, so that starting and
// transforming is paid for once. Message in: the files; out: of each its time in milliseconds and what failed first.
import { resolve } from 'node:path'
import { createVitest } from 'vitest/node'

const vitest = await createVitest('test', {
  ...{ watch: false, maxWorkers: 1, reporters: [{}], bail: 1 },
  // What a break holds up is noticed sooner than in a run that must not fail by mistake.
  ...{ testTimeout: 30_000, hookTimeout: 30_000, expect: { poll: { timeout: 10_000 }, requireAssertions: true } },
})

process.on('message', async (files) => {
  const startedMs = performance.now()
  const paths = files.map((file) => resolve(file))
  const { testModules, unhandledErrors } = await vitest.runTestFiles(paths)
  const red = testModules
    .filter((module) => paths.includes(module.moduleId) && module.state() === 'failed')
    .map((module) => ({ file: files[paths.indexOf(module.moduleId)], title: firstFailed(module) }))
  process.send({
    ms: performance.now() - startedMs,
    red: red[0] ?? (unhandledErrors.length > 0 ? { title: 'an error that no test caught' } : undefined),
  })
})
process.once('disconnect', () => process.exit())
process.send('ready')

function firstFailed(module) {
  for (const test of module.children.allTests('failed')) return test.fullName
  return 'did not load'
}
