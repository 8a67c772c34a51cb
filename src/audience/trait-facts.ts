import type { Folder, Trait } from '../model/definitions.ts'
import type { TraitTable } from '../model/profile.ts'
import { buildFolderTree, type FolderTree } from './folder-tree.ts'
import { GrowingInts } from './growing-ints.ts'
import { IdIndex } from './id-index.ts'

const NONE: readonly number[] = []

/**
 * What evaluation must know of every trait, by position: traits are numbered in the order they were added. -1 stands for
 * a trait that does not exist (any more).
 */
export class TraitFacts {
  readonly #ids = new IdIndex()
  readonly #traits: Trait[] = []
  readonly #ttlDays = new GrowingInts()
  readonly #folders = new GrowingInts()
  /** 1 where only the first realization counts. */
  readonly #once = new GrowingInts()
  readonly tree: FolderTree
  #above: readonly (readonly number[])[] = []

  constructor(folders: Iterable<Folder>) {
    this.tree = buildFolderTree(folders)
  }

  add(trait: Trait): number {
    const position = this.#traits.push(trait) - 1
    this.#ids.set(trait.traitId, position)
    this.#ttlDays.push(trait.ttlDays)
    this.#folders.push(this.tree.numberOf(trait.folderId) ?? -1)
    this.#once.push(trait.traitType === 'RULE_BASED_TRAIT' ? 0 : 1)
    return position
  }

  /** Call once, after the last trait. */
  seal(): void {
    this.#above = this.tree.traitsAbove.map((traits) => traits.map((id) => this.positionOf(id)).filter((at) => at >= 0))
  }

  get count(): number {
    return this.#traits.length
  }

  /** @returns -1 when there is no such trait */
  positionOf(sid: number): number {
    return this.#ids.get(sid)
  }

  at(position: number): Trait {
    return this.#traits[position] as Trait
  }

  get(sid: number): Trait | undefined {
    return this.#traits[this.#ids.get(sid)]
  }

  /** Number of the folder a trait lies in (`folder-tree.ts`); -1 when that does not exist. */
  folderOf(position: number): number {
    return this.#folders.at(position)
  }

  /** Positions of the folder traits that cover a trait. */
  folderTraitsOf(position: number): readonly number[] {
    const folder = this.#folders.at(position)
    return folder < 0 ? NONE : (this.#above[folder] as readonly number[])
  }

  /** A realization counts every time, or once and is then only renewed [AUD-51], [AUD-52], [AUD-345]. */
  countsOnce(position: number): boolean {
    return this.#once.at(position) === 1
  }

  ttlDays(position: number): number {
    return this.#ttlDays.at(position)
  }

  /**
   * Is the trait at `index` of the table live on `day`? It expires at 00:00 UTC of (last realization + TTL + 1) [AUD-87];
   * TTL 0 never does [AUD-69].
   * @param position of that trait; -1 is never live
   */
  isLive(position: number, table: TraitTable, index: number, day: number): boolean {
    if (position < 0) return false
    const ttlDays = this.#ttlDays.at(position)
    return ttlDays === 0 || day <= lastDayOf(table, index) + ttlDays
  }
}

/** UTC day of the latest realization. */
export function lastDayOf(table: TraitTable, index: number): number {
  return table.days[(table.dayStart[index + 1] as number) - 1] as number
}

/** Only rule-based and folder traits of first-party data sources may carry recency or frequency [AUD-132]. */
export function isRecencyAllowed(trait: Pick<Trait, 'traitType' | 'isFirstParty'>): boolean {
  return trait.isFirstParty && (trait.traitType === 'RULE_BASED_TRAIT' || trait.traitType === 'FOLDER_TRAIT')
}
