import type { SegmentTable, TraitTable } from '../model/profile.ts'
import { EMPTY_SEGMENTS, EMPTY_TRAITS } from '../model/profile.ts'
import type { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import { takeColumnMemory } from './column-memory.ts'

/**
 * The two tables of a profile. Ids are written as differences to the one before, shifted left by two bits that hold the
 * form of the entry, so that the common entry costs an id and one more byte.
 *
 * Traits: number of entries, (day buckets - entries), newest day of all; then for each: id and form, days before the
 * newest day, and what the form adds. Worked example: trait 1,000 realized once, two days before the newest day of the
 * profile, is varint(1000 << 2 | ONCE), varint(2): three bytes.
 */
const ONCE = 0 // one day, count 1, total 1
const ONE_DAY = 1 // one day, total = its count: count
const DAYS = 2 // total = sum of counts: the rest of the days
const GENERAL = 3 // total; the rest of the days

/** Longest entry: id and form 5, newest day 3, total 5, number of days 3, its count 5; 8 for each further day. */
const TRAIT_BYTES_MAX = 21
const DAY_BYTES_MAX = 8

export function writeTraits(writer: ByteWriter, traits: TraitTable): void {
  const { sids, totals, dayStart, days, dayCounts } = traits
  const count = sids.length
  writer.reserve(16 + count * TRAIT_BYTES_MAX + days.length * DAY_BYTES_MAX)
  writer.varint(count)
  if (count === 0) return
  writer.varint(days.length - count)
  let newest = 0
  for (let i = 1; i <= count; i++) {
    const day = days[(dayStart[i] as number) - 1] as number
    if (day > newest) newest = day
  }
  writer.varint(newest)
  let before = 0
  let first = 0
  const bytes = writer.bytes
  let at = writer.at
  for (let i = 0; i < count; i++) {
    const sid = sids[i] as number
    const end = dayStart[i + 1] as number
    const step = sid - before
    const age = newest - (days[end - 1] as number)
    before = sid
    const total = totals[i] as number
    // The common entries without a call: this loop is most of the cost of writing a profile.
    if (
      end === first + 1 &&
      total === dayCounts[first] &&
      total < 0x80 &&
      step >= 0x20 &&
      step < 0x1000 &&
      age < 0x80
    ) {
      const form = total === 1 ? ONCE : ONE_DAY
      bytes[at] = ((step << 2) & 0x7f) | 0x80 | form
      bytes[at + 1] = step >>> 5
      bytes[at + 2] = age
      bytes[at + 3] = total
      at += 3 + form
    } else {
      writer.at = at
      writeTrait(writer, step, age, total, first, end, days, dayCounts)
      at = writer.at
    }
    first = end
  }
  writer.at = at
}

function writeTrait(
  writer: ByteWriter,
  step: number,
  age: number,
  total: number,
  first: number,
  end: number,
  days: Uint16Array,
  dayCounts: Uint32Array,
): void {
  const form = formOf(total, first, end, dayCounts)
  writer.varint(step * 4 + form)
  writer.varint(age)
  if (form === ONE_DAY) writer.varint(total)
  else if (form !== ONCE) writeDays(writer, form, total, first, end, days, dayCounts)
}

function formOf(total: number, first: number, end: number, dayCounts: Uint32Array): number {
  if (end - first === 1) {
    if (total !== dayCounts[first]) return GENERAL
    return total === 1 ? ONCE : ONE_DAY
  }
  let sum = 0
  for (let i = first; i < end; i++) sum += dayCounts[i] as number
  return sum === total ? DAYS : GENERAL
}

/** Newest day first: its count, then for each earlier day the distance, its lowest bit set when a count other than 1 follows. */
function writeDays(
  writer: ByteWriter,
  form: number,
  total: number,
  first: number,
  end: number,
  days: Uint16Array,
  counts: Uint32Array,
): void {
  if (form === GENERAL) writer.varint(total)
  writer.varint(end - first)
  writer.varint(counts[end - 1] as number)
  for (let i = end - 2; i >= first; i--) {
    const distance = (days[i + 1] as number) - (days[i] as number)
    const count = counts[i] as number
    writer.varint(distance * 2 + (count === 1 ? 0 : 1))
    if (count !== 1) writer.varint(count)
  }
}

export function readTraits(reader: ByteReader): TraitTable {
  const count = reader.varint()
  if (count === 0) return EMPTY_TRAITS
  const dayTotal = count + reader.varint()
  const newest = reader.varint()
  const { memory, offset } = takeColumnMemory((3 * count + 1 + dayTotal) * 4 + dayTotal * 2)
  const sids = new Int32Array(memory, offset, count)
  const totals = new Uint32Array(memory, offset + count * 4, count)
  const dayStart = new Uint32Array(memory, offset + count * 8, count + 1)
  const dayCounts = new Uint32Array(memory, offset + count * 12 + 4, dayTotal)
  const days = new Uint16Array(memory, offset + (3 * count + 1 + dayTotal) * 4, dayTotal)
  dayStart[0] = 0
  let sid = 0
  let first = 0
  const bytes = reader.bytes
  let at = reader.at
  for (let i = 0; i < count; i++) {
    // The common entries without a call: this loop is most of the cost of reading a profile.
    const low = bytes[at] as number
    const high = bytes[at + 1] as number
    const age = bytes[at + 2] as number
    const common = low & 3
    const once = common === ONCE ? 1 : (bytes[at + 3] as number)
    if (common <= ONE_DAY && low >= 0x80 && high < 0x80 && age < 0x80 && once < 0x80) {
      at += 3 + common
      sid += ((low & 0x7f) | (high << 7)) >>> 2
      sids[i] = sid
      totals[i] = once
      dayCounts[first] = once
      days[first++] = newest - age
      dayStart[i + 1] = first
      continue
    }
    reader.at = at
    const head = reader.varint()
    const form = head & 3
    // Beyond 2^31 (ids from 2^29 on) a shift would lose bits.
    sid += head < 0x4000 ? head >>> 2 : (head - form) / 4
    sids[i] = sid
    const day = newest - reader.varint()
    if (form <= ONE_DAY) {
      const total = form === ONCE ? 1 : reader.varint()
      totals[i] = total
      dayCounts[first] = total
      days[first++] = day
    } else {
      const total = form === GENERAL ? reader.varint() : 0
      const end = first + reader.varint()
      const sum = readDays(reader, day, first, end, days, dayCounts)
      totals[i] = form === GENERAL ? total : sum
      first = end
    }
    dayStart[i + 1] = first
    at = reader.at
  }
  reader.at = at
  return { sids, totals, dayStart, days, dayCounts }
}

/** @returns the sum of the counts */
function readDays(
  reader: ByteReader,
  newest: number,
  first: number,
  end: number,
  days: Uint16Array,
  counts: Uint32Array,
): number {
  let day = newest
  let sum = reader.varint()
  days[end - 1] = day
  counts[end - 1] = sum
  for (let i = end - 2; i >= first; i--) {
    const head = reader.varint()
    const count = (head & 1) === 0 ? 1 : reader.varint()
    day -= head >>> 1
    days[i] = day
    counts[i] = count
    sum += count
  }
  return sum
}

/**
 * Segments: number of entries; then for each id and form, and `since` as a difference to the entry before, because
 * segments entered by one event share their second.
 */
const FRESH = 0 // in the segment, verified = since
const VERIFIED = 1 // in the segment: verified - since
const LEFT = 2 // left, verified = since: reason
const LEFT_VERIFIED = 3 // left: reason, verified - since

const SEGMENT_BYTES_MAX = 17

/** @param baseSeconds what the first `since` is written against */
export function writeSegments(writer: ByteWriter, segments: SegmentTable, baseSeconds: number): void {
  const { sids, left, sinceSeconds, verifiedSeconds } = segments
  writer.reserve(8 + sids.length * SEGMENT_BYTES_MAX)
  writer.varint(sids.length)
  let sidBefore = 0
  let sinceBefore = baseSeconds
  for (let i = 0; i < sids.length; i++) {
    const sid = sids[i] as number
    const since = sinceSeconds[i] as number
    const verified = verifiedSeconds[i] as number
    const reason = left[i] as number
    const form = (reason === 0 ? FRESH : LEFT) + (verified === since ? 0 : 1)
    writer.varint((sid - sidBefore) * 4 + form)
    writer.difference(since, sinceBefore)
    if (reason !== 0) writer.varint(reason)
    if (verified !== since) writer.difference(verified, since)
    sidBefore = sid
    sinceBefore = since
  }
}

export function readSegments(reader: ByteReader, baseSeconds: number): SegmentTable {
  const count = reader.varint()
  if (count === 0) return EMPTY_SEGMENTS
  const { memory, offset } = takeColumnMemory(count * 13)
  const sids = new Int32Array(memory, offset, count)
  const sinceSeconds = new Uint32Array(memory, offset + count * 4, count)
  const verifiedSeconds = new Uint32Array(memory, offset + count * 8, count)
  const left = new Uint8Array(memory, offset + count * 12, count)
  let sid = 0
  let since = baseSeconds
  for (let i = 0; i < count; i++) {
    const head = reader.varint()
    const form = head % 4
    sid += (head - form) / 4
    since = reader.difference(since)
    sids[i] = sid
    sinceSeconds[i] = since
    left[i] = form >= LEFT ? reader.varint() : 0
    verifiedSeconds[i] = form === VERIFIED || form === LEFT_VERIFIED ? reader.difference(since) : since
  }
  return { sids, left, sinceSeconds, verifiedSeconds }
}
