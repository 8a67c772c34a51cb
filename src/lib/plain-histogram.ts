/**
 * A histogram that costs a few nanoseconds an observation, for what is counted with every call; prom-client's costs a
 * microsecond. Rendered in the same text format.
 */
export class PlainHistogram {
  readonly name: string
  readonly help: string
  readonly #bounds: readonly number[]
  readonly #counts: Float64Array
  #sum = 0

  /** @param bounds ascending upper bounds; `+Inf` is added */
  constructor(name: string, help: string, bounds: readonly number[]) {
    this.name = name
    this.help = help
    this.#bounds = bounds
    this.#counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number): void {
    let at = 0
    while (at < this.#bounds.length && value > (this.#bounds[at] as number)) at += 1
    this.#counts[at] = (this.#counts[at] as number) + 1
    this.#sum += value
  }

  /** Prometheus text format 0.0.4. */
  render(): string {
    const { name, help } = this
    const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`]
    let total = 0
    for (let at = 0; at <= this.#bounds.length; at++) {
      total += this.#counts[at] as number
      lines.push(`${name}_bucket{le="${at === this.#bounds.length ? '+Inf' : this.#bounds[at]}"} ${total}`)
    }
    lines.push(`${name}_sum ${this.#sum}`, `${name}_count ${total}`)
    return `${lines.join('\n')}\n`
  }
}
