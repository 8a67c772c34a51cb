import { expect, test } from 'vitest'
import { explainFailure } from './failure.ts'

test('what SQLite says of a damaged file is said with the file and the way out, wherever it was met', () => {
  const met = Object.assign(new Error('database disk image is malformed'), { code: 'SQLITE_CORRUPT' })
  for (const error of [met, new Error('the rulebook could not be built', { cause: met })]) {
    const { text, status } = explainFailure(error)
    expect(status).toBe(1)
    expect(text).toMatch(/catalog\.sqlite .*are damaged: .*Restore a backup \(docs\/damage\.md\)/)
    expect(text).not.toMatch(/\n {4}at /)
  }
})
