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

test.each([
  ['EADDRINUSE', 'listen', { port: 8080 }, 'port 8080 is in use. Stop what uses it, or choose others: USHER_EDGE_PORT'],
  ['EACCES', 'listen', { port: 80 }, 'this user may not listen on port 80. Choose one above 1023: USHER_EDGE_PORT'],
  [
    'EADDRNOTAVAIL',
    'listen',
    { address: '192.0.2.1' },
    'this machine has no address 192.0.2.1. Choose another: USHER_HOST',
  ],
  [
    'ENOTFOUND',
    'getaddrinfo',
    { hostname: 'nowhere' },
    'this machine has no address nowhere. Choose another: USHER_HOST',
  ],
])('a listener that cannot open, %s of %s, is said with what to do [OPS-22~]', (code, syscall, more, said) => {
  expect(explainFailure(Object.assign(new Error(code), { code, syscall, ...more })).text).toContain(said)
})

test('a file that may not be read is no listener that may not listen', () => {
  const error = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES', syscall: 'open' })
  expect(explainFailure(error).text).not.toMatch(/listen|no address/)
})
