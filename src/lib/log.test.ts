import { describe, expect, test } from 'vitest'
import { createLog, type LogOptions } from './log.ts'

function recording(options: Partial<LogOptions> = {}) {
  const lines: string[] = []
  const log = createLog({ level: 'info', destination: { write: (line) => lines.push(line) }, ...options })
  return { log, lines, parsed: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) }
}

test('a line is one JSON object with time, level, message and fields [OPS-43] [SEC-88]', () => {
  const { log, lines, parsed } = recording()
  log.info('ready', { edgeUrl: 'http://127.0.0.1:8080' })
  expect(lines).toHaveLength(1)
  expect(lines[0]?.endsWith('}\n')).toBe(true)
  expect(parsed()[0]).toMatchObject({ level: 'info', msg: 'ready', edgeUrl: 'http://127.0.0.1:8080' })
  expect(parsed()[0]?.['time']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
})

test('user text cannot start a line of its own [SEC-88]', () => {
  const { log, lines } = recording()
  log.warn('collect.rejected', { reason: 'bad\n{"level":"info","msg":"forged"}' })
  expect(lines[0]?.trimEnd()).not.toContain('\n')
})

describe('planted canaries', () => {
  const canary = 'canary-7f3a'
  test.each([
    { cookie: canary },
    { headers: { 'set-cookie': canary, authorization: `Bearer ${canary}` } },
    { adminToken: canary },
    { access_token: canary },
    { s2s: { auth: { keys: [{ key: canary }] } } },
    { clientSecret: canary },
    { password: canary },
    { masterKey: canary },
    { body: canary },
    { gdpr_consent: canary },
    { consentString: canary },
    { 'x-signature': canary },
    { a: { b: { c: { d: { e: { f: canary } } } } } },
    { payload: Buffer.from(canary) },
  ])('%j is not written [SEC-63~] [SEC-88]', (fields) => {
    const { log, lines } = recording({ level: 'debug' })
    for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level]('x', fields)
    expect(lines).toHaveLength(4)
    expect(lines.join('')).not.toContain(canary)
  })
})

test('a device ID appears as a keyed hash, the same within a run and another under another key [SEC-88]', () => {
  const id = '19393572368547369350319949416899715727'
  const one = recording({ hashKey: Buffer.from('a') })
  one.log.info('x', { deviceId: id, text: `seen ${id} and /event?d_uuid=${id}`, error: new Error(`no ${id}`) })
  expect(one.lines.join('')).not.toContain(id)
  const [line] = one.parsed()
  expect(line?.['deviceId']).toMatch(/^id:[0-9a-f]{12}$/)
  expect(line?.['text']).toBe(`seen ${line?.['deviceId']} and /event?d_uuid=${line?.['deviceId']}`)
  const other = recording({ hashKey: Buffer.from('b') })
  other.log.info('x', { deviceId: id })
  expect(other.parsed()[0]?.['deviceId']).not.toBe(line?.['deviceId'])
})

test('a kind of message that comes too often is thinned, and the next line counts what was left out [SEC-88]', () => {
  let now = 0
  const { log, parsed } = recording({ linesPerSecondMax: 3, monotonicMs: () => now })
  for (let i = 0; i < 10; i++) log.info('event.received', { i })
  log.info('delivery.attempted')
  expect(parsed().map((line) => line['msg'])).toEqual([
    'event.received',
    'event.received',
    'event.received',
    'delivery.attempted',
  ])
  now = 1_000
  log.info('event.received', { i: 10 })
  expect(parsed().at(-1)).toMatchObject({ i: 10, linesLeftOut: 7 })
  log.info('event.received', { i: 11 })
  expect(parsed().at(-1)).not.toHaveProperty('linesLeftOut')
})

test('a long text is cut, an error keeps its type, code and cause', () => {
  const { log, parsed } = recording()
  const cause = Object.assign(new Error('ECONNRESET'), { code: 'ECONNRESET' })
  log.error('delivery.failed', { text: 'x'.repeat(5_000), error: new TypeError('broken', { cause }) })
  const [line] = parsed()
  expect(String(line?.['text']).length).toBeLessThan(1_010)
  expect(line?.['error']).toMatchObject({ type: 'TypeError', message: 'broken', cause: { code: 'ECONNRESET' } })
})

test('lines below the level are not written', () => {
  const { log, lines } = recording({ level: 'warn' })
  log.info('x')
  log.warn('y')
  expect(lines).toHaveLength(1)
})
