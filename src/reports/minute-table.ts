/** Slots of a row, one for each minute of the last 24 hours. */
export const MINUTES = 1_440
export const MINUTE_MS = 60_000
/** Small steps of the clock, which keep it right. */
const BACK_MINUTES_MAX = 10

/** Counts by minute: slot `minute % MINUTES`. Signed, because a count may be moved from one minute to a later one. */
export type Row = Int32Array

/**
 * Counts of the last 24 hours by minute, in rows that all turn together: when a minute begins, the slots of the same minute
 * of yesterday are cleared. A clock that runs backwards a little goes on counting in the latest minute; one that was far
 * ahead takes what it counted there with it.
 */
export class MinuteTable {
  readonly #rows = new Set<Row>()
  #minute: number

  constructor(nowMs: number) {
    this.#minute = minuteOf(nowMs)
  }

  /** The latest minute, counted from 1970. */
  get minute(): number {
    return this.#minute
  }

  openRow(): Row {
    const row = new Int32Array(MINUTES)
    this.#rows.add(row)
    return row
  }

  closeRow(row: Row): void {
    this.#rows.delete(row)
  }

  /** @returns the slot to count in */
  turnTo(nowMs: number): number {
    const minute = minuteOf(nowMs)
    if (minute > this.#minute) this.#clearUntil(minute)
    else if (minute < this.#minute - BACK_MINUTES_MAX) this.#turnBack(minute)
    return this.#minute % MINUTES
  }

  /** Sum of the `minutes` slots that end with the one `minutesAgo` before the latest. */
  sum(row: Row, minutes: number, minutesAgo = 0): number {
    let sum = 0
    const last = this.#minute - minutesAgo
    for (let minute = last - minutes + 1; minute <= last; minute++) sum += row[minute % MINUTES] as number
    return sum
  }

  #turnBack(minute: number): void {
    const gone = Math.min(this.#minute - minute, MINUTES)
    for (const row of this.#rows) for (let at = minute + 1; at <= minute + gone; at++) row[at % MINUTES] = 0
    this.#minute = minute
  }

  #clearUntil(minute: number): void {
    const first = Math.max(this.#minute + 1, minute - MINUTES + 1)
    for (const row of this.#rows) for (let at = first; at <= minute; at++) row[at % MINUTES] = 0
    this.#minute = minute
  }
}

export function minuteOf(ms: number): number {
  return Math.floor(ms / MINUTE_MS)
}

/**
 * A row for each name, up to a bound; what has no row of its own is counted in `others`. A name that was not counted for a
 * day gives its row to a new one.
 */
export class NamedRows<Name> {
  readonly #table: MinuteTable
  readonly #rows = new Map<Name, Row>()
  readonly #namesMax: number
  readonly others: Row
  #reclaimedAt = -1

  constructor(table: MinuteTable, namesMax: number) {
    this.#table = table
    this.#namesMax = namesMax
    this.others = table.openRow()
  }

  of(name: Name): Row {
    return this.#rows.get(name) ?? this.#open(name)
  }

  entries(): IterableIterator<[Name, Row]> {
    return this.#rows.entries()
  }

  /** What was counted under one name is counted under another one. @returns whether there was anything */
  move(from: Name, to: Name): boolean {
    const row = this.#rows.get(from)
    if (row === undefined) return false
    this.#rows.delete(from)
    this.#table.closeRow(row)
    const target = this.of(to)
    row.forEach((count, at) => {
      target[at] = (target[at] as number) + count
    })
    return true
  }

  #open(name: Name): Row {
    if (this.#rows.size >= this.#namesMax) this.#reclaim()
    if (this.#rows.size >= this.#namesMax) return this.others
    const row = this.#table.openRow()
    this.#rows.set(name, row)
    return row
  }

  /** Looks through everything, so at most once a minute. */
  #reclaim(): void {
    if (this.#reclaimedAt === this.#table.minute) return
    this.#reclaimedAt = this.#table.minute
    for (const [name, row] of this.#rows) {
      if (row.some((count) => count !== 0)) continue
      this.#rows.delete(name)
      this.#table.closeRow(row)
    }
  }
}
