import type { TraitTable } from '../model/profile.ts'

/**
 * Writes a trait table trait by trait, ascending. All arrays of a table share one block of memory: allocating five costs
 * more than filling them.
 */
export class TraitTableWriter {
  readonly #sids: Int32Array
  readonly #totals: Uint32Array
  readonly #dayStart: Uint32Array
  readonly #dayCounts: Uint32Array
  readonly #days: Uint16Array
  #length = 0
  #used = 0

  /** @param traits exactly as many as will be written @param daysMax room; some of it may stay unused */
  constructor(traits: number, daysMax: number) {
    const block = new ArrayBuffer(4 * (3 * traits + 1 + daysMax) + 2 * daysMax)
    this.#sids = new Int32Array(block, 0, traits)
    this.#totals = new Uint32Array(block, 4 * traits, traits)
    this.#dayStart = new Uint32Array(block, 8 * traits, traits + 1)
    this.#dayCounts = new Uint32Array(block, 4 * (3 * traits + 1), daysMax)
    this.#days = new Uint16Array(block, 4 * (3 * traits + 1 + daysMax), daysMax)
  }

  /** A trait with one realization. */
  start(sid: number, day: number): void {
    this.#days[this.#used] = day
    this.#dayCounts[this.#used] = 1
    this.#used += 1
    this.#end(sid, 1)
  }

  /** @param days ascending, at least one @param counts of each day */
  add(sid: number, total: number, days: readonly number[], counts: readonly number[]): void {
    this.#days.set(days, this.#used)
    this.#dayCounts.set(counts, this.#used)
    this.#used += days.length
    this.#end(sid, total)
  }

  /** The trait at `index` of another table with one realization more, on a later day than all of its own. */
  append(table: TraitTable, index: number, day: number): void {
    this.copy(table, index, index + 1)
    this.#days[this.#used] = day
    this.#dayCounts[this.#used] = 1
    this.#used += 1
    this.#totals[this.#length - 1] = (table.totals[index] as number) + 1
    this.#dayStart[this.#length] = this.#used
  }

  /** Traits `from` to `to - 1` of another table as they are. */
  copy(table: TraitTable, from: number, to: number): void {
    const sids = this.#sids
    const totals = this.#totals
    const dayStart = this.#dayStart
    const firstDay = table.dayStart[from] as number
    const shift = this.#used - firstDay
    let next = this.#length
    for (let index = from; index < to; index++, next++) {
      sids[next] = table.sids[index] as number
      totals[next] = table.totals[index] as number
      dayStart[next + 1] = (table.dayStart[index + 1] as number) + shift
    }
    const days = this.#days
    const dayCounts = this.#dayCounts
    const lastDay = table.dayStart[to] as number
    for (let at = firstDay; at < lastDay; at++) {
      days[at + shift] = table.days[at] as number
      dayCounts[at + shift] = table.dayCounts[at] as number
    }
    this.#length = next
    this.#used = lastDay + shift
  }

  finish(): TraitTable {
    const used = this.#used
    const isFull = used === this.#days.length
    return {
      sids: this.#sids,
      totals: this.#totals,
      dayStart: this.#dayStart,
      days: isFull ? this.#days : this.#days.subarray(0, used),
      dayCounts: isFull ? this.#dayCounts : this.#dayCounts.subarray(0, used),
    }
  }

  #end(sid: number, total: number): void {
    this.#sids[this.#length] = sid
    this.#totals[this.#length] = total
    this.#length += 1
    this.#dayStart[this.#length] = this.#used
  }
}

/** The same traits and days, with counts of its own. */
export function copyCounts(table: TraitTable): TraitTable {
  const block = new ArrayBuffer(4 * (table.totals.length + table.dayCounts.length))
  const totals = new Uint32Array(block, 0, table.totals.length)
  const dayCounts = new Uint32Array(block, 4 * table.totals.length, table.dayCounts.length)
  totals.set(table.totals)
  dayCounts.set(table.dayCounts)
  return { sids: table.sids, totals, dayStart: table.dayStart, days: table.days, dayCounts }
}
