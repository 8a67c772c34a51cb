import { writeSync } from 'node:fs'
import type { Durability } from '../durability.ts'
import { startKey } from '../keys.ts'
import { sealRecord } from '../record.ts'
import { Kind } from '../record-kinds.ts'
import { openEmbeddedRecordStore } from './embedded-record-store.ts'
import { type Level, openLevel } from './level.ts'

/**
 * A process made to be killed: `node crash-writer FOLDER LEVEL FIRST COUNT BYTES [hold]` commits pairs of records with
 * the numbers FIRST to FIRST + COUNT - 1, several at a time, and prints `+N` for each one acknowledged and `-N` for each
 * one refused. With `hold` the database never gets to write: `held` tells when it first wants to, `waited` some time later.
 */
const WRITERS = 8
const PARTITIONS_USED = 16
const HOLD_MS = 100

/** The two keys of a number: one commit, so both are there or neither is. */
export function pairKeys(number: number): readonly [Buffer, Buffer] {
  return [Kind.profile, Kind.due].map((kind) => {
    const key = startKey(number % PARTITIONS_USED, kind, 4)
    key.writeUInt32BE(number, 3)
    return key
  }) as unknown as readonly [Buffer, Buffer]
}

async function openHeld(folder: string): Promise<Level> {
  const level = await openLevel(folder)
  const batch = (): ReturnType<Level['batch']> => ({
    ...level.batch(),
    write() {
      writeSync(1, 'held\n')
      setTimeout(() => writeSync(1, 'waited\n'), HOLD_MS)
      return new Promise(() => {})
    },
  })
  return { ...level, batch }
}

async function main([folder = '', level, first, count, bytes, hold]: string[]): Promise<void> {
  const options = { folder, durability: level as Durability }
  const store = await openEmbeddedRecordStore(hold === 'hold' ? { ...options, open: () => openHeld(folder) } : options)
  let next = Number(first)
  const end = next + Number(count)
  const write = async (): Promise<void> => {
    while (next < end) {
      const number = next++
      const puts = pairKeys(number).map((key) => ({
        key,
        record: sealRecord(1, 1, Buffer.alloc(Number(bytes), number)),
      }))
      const [{ key }] = puts as [(typeof puts)[number]]
      const isCommitted = await store.commit({ guard: { key, revision: 0 }, puts, deletes: [] }).catch(() => false)
      // Synchronous, so that the line is out before the next kill can strike.
      writeSync(1, `${isCommitted ? '+' : '-'}${number}\n`)
    }
  }
  await Promise.all(Array.from({ length: WRITERS }, write))
  await store.close()
  writeSync(1, 'closed\n')
}

if (process.argv[1]?.endsWith('crash-writer.conformance.js')) await main(process.argv.slice(2))
