import { expect, test } from 'vitest'
import fc from '../testkit/properties.ts'
import { openRecord, RecordCorruptError, readRevision, sealRecord } from './record.ts'

test('version, revision and body come back', () => {
  fc.assert(
    fc.property(
      fc.nat(255),
      fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
      fc.uint8Array({ maxLength: 600 }),
      (version, revision, body) => {
        const record = sealRecord(version, revision, body)
        expect(openRecord(record)).toEqual({ version, revision, body: Buffer.from(body) })
        expect(readRevision(record).revision).toBe(revision)
      },
    ),
  )
})

test('any other bytes are refused, and reading their revision ends [SEC-60]', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      expect(() => openRecord(Buffer.from(bytes))).toThrow(RecordCorruptError)
      expect(readRevision(Buffer.from(bytes)).revision).toBeGreaterThanOrEqual(-1)
    }),
  )
  expect(readRevision(Buffer.alloc(30, 0xff)).revision).toBe(-1)
  expect(readRevision(Buffer.alloc(0)).revision).toBe(-1)
})
