import { runInSlices } from '../lib/slices.ts'
import type { Definitions } from '../model/definitions.ts'
import { buildRulebook, inEpoch, type Rulebook } from './rulebook.ts'

/** The rulebook in force, followed through every change of the definitions. */
export interface Rulebooks {
  current(): Rulebook
  /** Calls back after each swap, with the rulebook now in force. */
  onSwap(listener: (rulebook: Rulebook) => void): void
  /** The epoch of the clock changed: everything is to be judged anew. */
  epochChanged(): void
  /** Resolves when a rulebook of at least this version is in force. */
  settled(version: number): Promise<void>
  /** Resolves when no definition is read any more. */
  close(): Promise<void>
}

export interface DefinitionSource {
  version(): number
  definitions(): Promise<Definitions>
  onChange(listener: () => void): void
}

/** Changes that come together are built together; well below the promised 5 s until in effect. */
const QUIET_MS = 30

/** Builds the first rulebook, then the next one, off the event path, after every change. */
export async function openRulebooks(
  source: DefinitionSource,
  options: {
    readonly allowPrivate: boolean
    /** Of the clock [SEC-82]. */
    readonly epoch?: () => number
    readonly onBuilt?: (rulebook: Rulebook, buildMs: number) => void
    readonly onFailed: (error: unknown) => void
  },
): Promise<Rulebooks> {
  const { epoch = () => 0 } = options
  const build = async (previous: Rulebook | undefined) => {
    const startedMs = performance.now()
    const rulebook = await runInSlices(
      buildRulebook(await source.definitions(), { allowPrivate: options.allowPrivate, previous }),
    )
    options.onBuilt?.(rulebook, performance.now() - startedMs)
    return inEpoch(rulebook, epoch())
  }

  let current = await build(undefined)
  let closed = false
  let building: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  const listeners: ((rulebook: Rulebook) => void)[] = []

  const follow = async () => {
    try {
      while (!closed && current.version !== source.version()) {
        current = await build(current)
        for (const listener of listeners) listener(current)
      }
    } catch (error) {
      // The rulebook in force stays; the next change, or the next round, tries again.
      options.onFailed(error)
      schedule(1_000)
    }
  }
  const schedule = (delayMs: number) => {
    if (closed) return
    clearTimeout(timer)
    timer = setTimeout(() => {
      building ??= follow().finally(() => {
        building = undefined
      })
    }, delayMs)
  }
  source.onChange(() => schedule(QUIET_MS))

  return {
    current: () => current,
    onSwap: (listener) => listeners.push(listener),
    epochChanged() {
      current = inEpoch(current, epoch())
      for (const listener of listeners) listener(current)
    },
    async settled(version) {
      while (!closed && current.version < version) await new Promise((resolve) => setTimeout(resolve, 5))
    },
    async close() {
      closed = true
      clearTimeout(timer)
      await building
    },
  }
}
