import { PARTITIONS } from '../../model/partition.ts'
import { afterPrefix, Kind, kindRange, partitionOfKey } from '../keys.ts'
import type { Level } from './level.ts'

/**
 * Which opt-outs there may be. Every event asks for one, and almost nobody has one: knowing that in memory saves half of
 * the reads. Four bytes of each key are kept; they are bytes of a hash, so others share them only by chance, which costs
 * one read in vain.
 */
export class RareKeys {
  readonly #known = new Set<number>()
  /** Every key that is stored is known. */
  #isComplete = false

  /**
   * Reads the keys that are there. One owning process writes them all, so nothing is missed afterwards. Where a damaged
   * block hides some, every one may be there: each is asked for, as if there were no memory of them [SEC-60].
   */
  static async open(level: Level, onIncomplete: (error: unknown) => void): Promise<RareKeys> {
    const rare = new RareKeys()
    try {
      await rare.#readAll(level)
      rare.#isComplete = true
    } catch (error) {
      onIncomplete(error)
    }
    return rare
  }

  async #readAll(level: Level): Promise<void> {
    for (const head of await level.heads(Kind.optOut, PARTITIONS)) {
      const { to } = kindRange(partitionOfKey(head), Kind.optOut)
      for (let from = head; ; ) {
        const page = await level.range(from, to, PAGE, false)
        for (const { key } of page) this.add(key)
        const last = page.at(-1)
        if (page.length < PAGE || last === undefined) break
        from = afterPrefix(last.key)
      }
    }
  }

  add(key: Buffer): void {
    if (isRare(key)) this.#known.add(prefixOf(key))
  }

  /** False: no record has this key. */
  mayHave(key: Buffer): boolean {
    return !this.#isComplete || !isRare(key) || this.#known.has(prefixOf(key))
  }
}

const PAGE = 1_000

function isRare(key: Buffer): boolean {
  return key[2] === Kind.optOut && key.length >= 7
}

function prefixOf(key: Buffer): number {
  return key.readInt32LE(3)
}
