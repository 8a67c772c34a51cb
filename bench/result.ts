/** One measured promise of the performance page: our side, the other side of the same run, and their ratio. */
export interface BenchResult {
  /** `P4` */
  readonly id: string
  readonly what: string
  readonly ours: Measured
  readonly peer: Measured
  /** As the promise states it; see `what`. */
  readonly ratio: number
  /** The limit, and what we aim for: `>= 100`. */
  readonly must: string
  readonly aim: string
  /** The limit is kept. */
  readonly met: boolean
  readonly notes?: string
}

export interface Measured {
  readonly name: string
  readonly value: number
  readonly unit: string
}
