import { dirname, join, resolve } from 'node:path'
import type { Damage } from '../damage.ts'
import { FolderCare } from './folder-care.ts'
import { type Level, type OnDamaged, type OpenLevel, openLevel } from './level.ts'
import { OptOutList, type SeenOptOutList } from './opt-out-list.ts'
import { putBackMissing, RareKeys } from './rare-keys.ts'
import { SetAside } from './set-aside.ts'

export interface CarefulOptions {
  /** Created when it is missing. */
  readonly folder: string
  /** Where damaged files go; by default a folder in `folder`. */
  readonly asideFolder?: string | undefined
  /** The second copy of every opt-out; by default a file in `folder`. */
  readonly optOutList?: string | undefined
  /** Tells the list of this store from others; undefined: none is judged. */
  readonly optOutKeyCheck?: string | undefined
  /** Told how many opt-outs could not be written to their second copy; 0 once it has them all. */
  readonly onUnlisted?: ((optOuts: number) => void) | undefined
  /** Told of each damaged file once, when it was set aside and what is readable of it is in its place. */
  readonly onDamage?: ((damage: Damage) => void) | undefined
  /** Dates what is set aside. */
  readonly nowMs?: (() => number) | undefined
  readonly log?: ((event: string, fields: Record<string, unknown>) => void) | undefined
  /** Tests put a failing database in between. */
  readonly open?: OpenLevel | undefined
}

export interface CarefullyOpened {
  readonly level: Level
  /** Opens again after a close, with the same care. */
  readonly open: OpenLevel
  readonly care: FolderCare
  readonly rare: RareKeys
  readonly optOuts: OptOutList
}

/** Opens the database of a folder after a look at its files, with its opt-outs whole. @throws as `openLevel` */
export async function openCarefully(options: CarefulOptions, onDamaged: OnDamaged): Promise<CarefullyOpened> {
  const { folder, log = () => {}, nowMs = () => performance.timeOrigin + performance.now() } = options
  const aside = new SetAside(options.asideFolder ?? join(folder, 'damaged'), nowMs)
  const care = new FolderCare({ folder, aside, log, onDamage: options.onDamage ?? (() => {}) })
  const optOuts = new OptOutList(options.optOutList ?? join(folder, 'opt-outs.list'), {
    log,
    onUnlisted: options.onUnlisted,
    keyCheck: options.optOutKeyCheck,
  })
  // By its name and place it can only be ours, though an older version began it, or damage took its first line.
  const isInPlace = dirname(resolve(optOuts.path)) === dirname(resolve(folder))
  let isStarted = false
  let isHurt = false
  const onLevelDamaged: OnDamaged = (from, to) => {
    isHurt = true
    if (isStarted) onDamaged(from, to)
  }
  const openIt = options.open ?? (() => openLevel(folder, onLevelDamaged))
  const open = async (): Promise<Level> => {
    const known = care.known.length
    const level = await care.open(openIt)
    if (isStarted && care.known.length > known) {
      const putBack = await putBackMissing(level, optOuts)
      log('store.opt_outs_put_back', { optOuts: putBack })
    }
    return level
  }
  await care.readNotes()
  let level = await open()
  const list = { isInPlace, onDamaged: (read: SeenOptOutList) => care.keepOptOutList(optOuts.path, read) }
  try {
    // What is new to the list must be beyond doubt: a wrong bit in a key would make an opt-out of somebody else's.
    let opened = await RareKeys.open(level, optOuts, { ...list, isWhole: (unlisted) => !isHurt && unlisted === 0 })
    if (!opened.isWhole) {
      if (await care.find(undefined, undefined, isHurt)) {
        await level.close()
        isHurt = false
        level = await open()
      }
      opened = await RareKeys.open(level, optOuts, { ...list, isWhole: () => !isHurt })
    }
    if (opened.putBack > 0) log('store.opt_outs_put_back', { optOuts: opened.putBack })
    isStarted = true
    return { level, open, care, rare: opened.rare, optOuts }
  } catch (error) {
    await level.close()
    throw error
  }
}
