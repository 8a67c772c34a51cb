/**
 * Positions by numeric id: open addressing over two flat arrays. Ids come from one rising sequence, so the id itself is
 * a good hash. Ids are positive and below 2^31.
 */
export class IdIndex {
  #ids = new Int32Array(1024)
  #positions = new Int32Array(1024)
  #size = 0

  /** @returns -1 for an id that was never set */
  get(id: number): number {
    const ids = this.#ids
    const mask = ids.length - 1
    for (let slot = id & mask; ; slot = (slot + 1) & mask) {
      const found = ids[slot] as number
      if (found === 0) return -1
      if (found === id) return this.#positions[slot] as number
    }
  }

  set(id: number, position: number): void {
    if (!(id > 0 && id <= 0x7fffffff)) throw new RangeError(`not an id: ${id}`)
    if ((this.#size + 1) * 2 > this.#ids.length) this.#grow()
    this.#put(id, position)
  }

  #put(id: number, position: number): void {
    const ids = this.#ids
    const mask = ids.length - 1
    let slot = id & mask
    while (ids[slot] !== 0 && ids[slot] !== id) slot = (slot + 1) & mask
    if (ids[slot] === 0) this.#size += 1
    ids[slot] = id
    this.#positions[slot] = position
  }

  #grow(): void {
    const ids = this.#ids
    const positions = this.#positions
    this.#ids = new Int32Array(ids.length * 2)
    this.#positions = new Int32Array(ids.length * 2)
    this.#size = 0
    for (let slot = 0; slot < ids.length; slot++) {
      if (ids[slot] !== 0) this.#put(ids[slot] as number, positions[slot] as number)
    }
  }
}
