import { setTimeout as sleep } from 'node:timers/promises'
import { StoreUnavailableError } from '../record-store.ts'
import type { Level, OpenLevel } from './level.ts'

/** Callers wait for the first tries, and so long; after that they are refused at once while it goes on. */
const PATIENT_TRIES = 3
const PATIENT_MS = 2_000
const FIRST_PAUSE_MS = 50
const PAUSE_MS_MAX = 1_000

interface Caller {
  readonly run: () => void
  readonly refuse: (error: Error) => void
}

/**
 * Closes a database whose write failed and opens it again, as often as it takes: a full disk may have space again, and
 * then service returns by itself [SEC-61].
 */
export class Reopening {
  readonly #failed: Level
  readonly #open: OpenLevel
  readonly #log: (event: string, fields: Record<string, unknown>) => void
  #callers: Caller[] = []
  readonly #stopped = new AbortController()
  #ended: Promise<Level | undefined> | undefined
  #isPatient = true
  #isFinished = false

  constructor(failed: Level, open: OpenLevel, log: (event: string, fields: Record<string, unknown>) => void) {
    this.#failed = failed
    this.#open = open
    this.#log = log
  }

  /** @returns undefined when it was stopped first */
  run(): Promise<Level | undefined> {
    this.#ended ??= this.#run()
    return this.#ended
  }

  async #run(): Promise<Level | undefined> {
    const patience = setTimeout(() => this.#refuseAll(), PATIENT_MS)
    try {
      return await this.#try()
    } finally {
      clearTimeout(patience)
    }
  }

  async #try(): Promise<Level | undefined> {
    await this.#failed.close().catch(() => {})
    for (let tries = 1; !this.#isStopped; tries++) {
      try {
        const level = await this.#open()
        if (!this.#isStopped) return level
        await level.close()
      } catch (error) {
        this.#log('store.reopen_failed', { error: String(error), tries })
        if (tries >= PATIENT_TRIES) this.#refuseAll()
        await sleep(Math.min(FIRST_PAUSE_MS * 2 ** tries, PAUSE_MS_MAX), undefined, {
          signal: this.#stopped.signal,
        }).catch(() => {})
      }
    }
    return undefined
  }

  /** Call it when `run` has ended and its result is in place. */
  finish(): void {
    this.#isFinished = true
    if (this.#isStopped) {
      this.#refuseAll()
    } else {
      this.#log('store.reopened', {})
      for (const caller of this.#callers) caller.run()
    }
  }

  whenOpen(run: () => void, refuse: (error: Error) => void): void {
    if (this.#isFinished && !this.#isStopped) run()
    else if (this.#isPatient && !this.#isStopped) this.#callers.push({ run, refuse })
    else refuse(new StoreUnavailableError('profile store: it does not open again'))
  }

  /** Resolves when the folder is let go. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    this.#refuseAll()
    const level = await this.#ended
    await level?.close()
  }

  get #isStopped(): boolean {
    return this.#stopped.signal.aborted
  }

  #refuseAll(): void {
    this.#isPatient = false
    const error = new StoreUnavailableError('profile store: it does not open again')
    for (const caller of this.#callers) caller.refuse(error)
    this.#callers = []
  }
}
