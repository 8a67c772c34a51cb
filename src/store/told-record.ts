import type { DeliveryId } from '../model/ids.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { openRecord, sealRecord } from './record.ts'

/** What one destination was told of one profile. */
export interface ToldState {
  /** Messages ended so far; orders what the destination was told [SEC-42]. */
  readonly sequence: number
  /** Segments the destination possibly believes active, ascending; a Status 0 takes one out once acknowledged [OUT-57]. */
  readonly active: readonly number[]
  /** 0: never. Whole seconds. */
  readonly acknowledgedAtMs: number
  /** When the last message ended, however it did. Whole seconds. */
  readonly endedAtMs: number
  /** The last message, and how it ended. */
  readonly deliveryId: DeliveryId
  readonly state: 'acknowledged' | 'dead' | 'superseded'
}

const VERSION = 1
const states = ['acknowledged', 'dead', 'superseded'] as const
const writer = new ByteWriter()
const reader = new ByteReader()

export function sealTold(told: ToldState): Buffer {
  writer.start()
  writer.text(told.deliveryId)
  writer.reserve(40 + told.active.length * 6)
  writer.varint(states.indexOf(told.state))
  writer.varint(Math.floor(told.acknowledgedAtMs / 1000))
  writer.varint(Math.floor(told.endedAtMs / 1000))
  writer.varint(told.active.length)
  let last = 0
  for (const sid of told.active) {
    writer.varint(sid - last)
    last = sid
  }
  return sealRecord(VERSION, told.sequence, writer.written())
}

/** @throws RecordCorruptError */
export function openTold(record: Buffer): ToldState {
  const { revision, body } = openRecord(record)
  reader.start(body)
  const deliveryId = reader.text() as DeliveryId
  const state = states[reader.varint()] ?? 'dead'
  const acknowledgedAtMs = reader.varint() * 1000
  const endedAtMs = reader.varint() * 1000
  const active: number[] = []
  let last = 0
  for (let rest = reader.varint(); rest > 0; rest--) {
    last += reader.varint()
    active.push(last)
  }
  return { sequence: revision, active, acknowledgedAtMs, endedAtMs, deliveryId, state }
}
