import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { openRecord, sealRecord } from './record.ts'

/** What stands in an outbox record: the destination must hear of the profile as it is from `revision` on. */
export interface OutboxMarker {
  /** Revision of the profile after the commit that wrote the marker. */
  readonly revision: number
  /** When that was; whole seconds. */
  readonly atMs: number
}

const VERSION = 1
const writer = new ByteWriter()
const reader = new ByteReader()

export function sealOutboxMarker(marker: OutboxMarker): Buffer {
  writer.start()
  writer.varint(marker.revision)
  writer.varint(Math.floor(marker.atMs / 1000))
  return sealRecord(VERSION, 0, writer.written())
}

/** @throws RecordCorruptError when the record is damaged */
export function openOutboxMarker(record: Buffer): OutboxMarker {
  reader.start(openRecord(record).body)
  return { revision: reader.varint(), atMs: reader.varint() * 1000 }
}
