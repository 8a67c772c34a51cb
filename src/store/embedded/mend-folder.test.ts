import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Damage } from '../damage.ts'
import { crc32c, maskCrc } from './files/crc32c.ts'
import { readLog } from './files/log-file.ts'
import { readBatch } from './files/write-batch.ts'
import { mendLogs, writeLogFile } from './mend-folder.ts'
import { SetAside } from './set-aside.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'usher-mend-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Record n is n bytes of it, larger ones over many blocks. */
const record = (bytes: number, n: number) => Buffer.alloc(bytes, n)

test.each([
  ['nothing', []],
  ['a few', [record(1, 1), record(0, 2), record(500, 3)]],
  ['several megabytes', Array.from({ length: 60 }, (_, n) => record(70_000 + n, n))],
  ['one of three megabytes', [record(3 * 1024 * 1024, 7), record(5, 8)]],
])('a log that is written anew holds every record in its order: %s [SEC-60~]', async (_, records) => {
  const path = join(folder, '000001.log')
  await writeLogFile(path, records)
  const found: Buffer[] = []
  for await (const item of readLog(path)) {
    if (item.kind !== 'record') expect.unreachable('it is damaged')
    found.push(item.content)
  }
  expect(found.length).toBe(records.length)
  expect(found.every((one, at) => one.equals(records[at] as Buffer))).toBe(true)
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

/** One write of LevelDB: its number, one put. */
function batch(sequence: number, value: Buffer): Buffer {
  const head = Buffer.alloc(12)
  head.writeBigUInt64LE(BigInt(sequence))
  head.writeUInt32LE(1, 8)
  const length = Buffer.of((value.length & 0x7f) | 0x80, value.length >> 7)
  return Buffer.concat([head, Buffer.of(1, 3, 0, 1, 0x50), length, value])
}

/** As it would stand in a log of its own: checksum, length, type, content. */
function asRecord(content: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.of(1), content])
  const head = Buffer.alloc(6)
  head.writeUInt32LE(maskCrc(crc32c(typed)))
  head.writeUInt16LE(content.length, 4)
  return Buffer.concat([head, typed])
}

/** Numbers of the writes in a log whose second write, a value with another's bytes in it, lost its beginning. */
async function mendedWith(hidden: Buffer): Promise<number[]> {
  const path = join(folder, '000003.log')
  const sent = Buffer.concat([Buffer.alloc(400, 0x61), hidden, Buffer.alloc(400, 0x62)])
  await writeLogFile(path, [batch(10, Buffer.from('a')), batch(11, sent), batch(12, Buffer.from('c'))])
  const bytes = readFileSync(path)
  bytes.fill(0x5a, bytes.indexOf(sent) - 24, bytes.indexOf(sent) + 200)
  writeFileSync(path, bytes)
  const damage: Damage = { file: '000003.log', kind: 'log', places: 1, bytes: 0, isLost: true, ranges: [] }
  await mendLogs(folder, [damage], new SetAside(join(folder, 'damaged'), () => 0))
  const numbers: number[] = []
  for await (const item of readLog(path))
    if (item.kind === 'record') numbers.push(readBatch(item.content)?.sequence as number)
  return numbers
}

test.each([1, 9, 10, 12, 13, 2 ** 40])(
  'what somebody sent in the form of a write with number %i becomes none when the write around it is damaged [SEC-60~]',
  async (sequence) => {
    expect(await mendedWith(asRecord(batch(sequence, Buffer.from('forged'))))).toEqual([10, 12])
  },
)

test('behind damage the writes that stand at their place are found again [SEC-60~]', async () => {
  expect(await mendedWith(Buffer.alloc(0))).toEqual([10, 12])
})
