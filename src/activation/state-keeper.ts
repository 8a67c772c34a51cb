import type { DestinationState } from '../store/destination-states.ts'

/** Stores the state of a destination, one write after another, so that the last one stands. */
export class StateKeeper {
  readonly #write: (state: DestinationState | undefined) => Promise<void>
  #hasState: boolean
  #writing: Promise<void> = Promise.resolve()

  /** @param write waits until the store is there; @param hasState there is a record from before */
  constructor(hasState: boolean, write: (state: DestinationState | undefined) => Promise<void>) {
    this.#hasState = hasState
    this.#write = write
  }

  /** There is a record. */
  get hasState(): boolean {
    return this.#hasState
  }

  /** @param read asked when its turn comes */
  save(read: () => DestinationState): Promise<void> {
    this.#hasState = true
    return this.#next(read)
  }

  forget(): Promise<void> {
    this.#hasState = false
    return this.#next(() => undefined)
  }

  /** Resolves when what was asked for so far is stored. */
  saved(): Promise<void> {
    return this.#writing
  }

  #next(read: () => DestinationState | undefined): Promise<void> {
    // One that failed was told to its own caller.
    this.#writing = this.#writing.catch(() => {}).then(() => this.#write(read()))
    return this.#writing
  }
}
