import type { After } from './runner-parts.ts'

const WAIT_MS_MIN = 5_000
const WAIT_MS_MAX = 300_000

/**
 * When messages that failed take up all room while others are accepted: now and then a
 * fresh one goes on beyond the bound, at rising intervals. Source: security.md SEC-44, SEC-49.
 */
export class Overflow {
  readonly #after: After
  #waitMs = WAIT_MS_MIN
  #isReady = false
  #cancel: (() => void) | undefined

  constructor(after: After) {
    this.#after = after
  }

  /** May a message go beyond the bound? If not, `onReady` is told when one may. */
  mayGo(onReady: () => void): boolean {
    if (this.#isReady) return true
    this.#cancel ??= this.#after(this.#waitMs, () => {
      this.#cancel = undefined
      this.#isReady = true
      onReady()
    })
    return false
  }

  /** One went. */
  gone(): void {
    this.#isReady = false
    this.#waitMs = Math.min(2 * this.#waitMs, WAIT_MS_MAX)
  }

  /** The destination accepted a message. */
  accepted(): void {
    this.#waitMs = WAIT_MS_MIN
  }

  close(): void {
    this.#cancel?.()
  }
}
