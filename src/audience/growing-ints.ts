/** Integers appended one by one to a flat array that doubles when it is full. */
export class GrowingInts {
  #items: Int32Array
  length = 0

  constructor(capacity = 1024) {
    this.#items = new Int32Array(capacity)
  }

  push(value: number): void {
    if (this.length === this.#items.length) {
      const larger = new Int32Array(this.length * 2)
      larger.set(this.#items)
      this.#items = larger
    }
    this.#items[this.length++] = value
  }

  increment(index: number): void {
    this.#items[index] = (this.#items[index] as number) + 1
  }

  at(index: number): number {
    return this.#items[index] as number
  }

  /** A view of what was pushed; push no more after taking it. */
  take(): Int32Array {
    return this.#items.subarray(0, this.length)
  }
}
