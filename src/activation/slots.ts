/**
 * Requests of one destination at one time: messages being built or sent. A slot is given back early when the answer is
 * decided and only its body is still read; to no more than `besidesMax` at a time, so that connections have a bound.
 */
export class Slots {
  readonly #besidesMax: number
  #used = 0
  #besides = 0

  constructor(besidesMax: number) {
    this.#besidesMax = besidesMax
  }

  get used(): number {
    return this.#used
  }

  take(): Slot {
    let isDecided = false
    this.#used += 1
    return {
      decided: () => {
        if (isDecided || this.#besides >= this.#besidesMax) return false
        isDecided = true
        this.#used -= 1
        this.#besides += 1
        return true
      },
      end: () => {
        if (isDecided) this.#besides -= 1
        else this.#used -= 1
      },
    }
  }
}

export interface Slot {
  /** @returns whether the slot is free now */
  readonly decided: () => boolean
  readonly end: () => void
}
