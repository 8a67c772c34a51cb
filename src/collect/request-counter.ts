/**
 * Counts calls for each name in sliding windows with bounded memory. A table of slots: a name owns the slot its hash
 * points at until others have counted it down (as in HeavyKeeper), so a busy name is never lost and a count can only be
 * too low. That is the safe side: nobody is refused for what others did.
 */
export class RequestCounter {
  private readonly windowMs: number
  private readonly mask: number
  private readonly owners: Uint32Array
  private readonly windows: Uint32Array
  private readonly counts: Uint16Array
  private readonly previous: Uint16Array

  /** @param slots a power of two; 12 bytes each */
  constructor(windowMs: number, slots: number) {
    this.windowMs = windowMs
    this.mask = slots - 1
    this.owners = new Uint32Array(slots)
    this.windows = new Uint32Array(slots)
    this.counts = new Uint16Array(slots)
    this.previous = new Uint16Array(slots)
  }

  /**
   * Counts one call.
   * @param hash 53 bits of the name (`hashOf`)
   * @returns calls of this name in the window that ends now; the window before is weighed by the share still inside
   */
  add(hash: number, nowMs: number): number {
    const slot = hash & this.mask
    const owner = Math.floor(hash / 0x200000) >>> 0
    const window = Math.floor(nowMs / this.windowMs) >>> 0
    this.turn(slot, window)
    const count = this.counts[slot] as number
    if (this.owners[slot] !== owner) {
      if (count > 0) {
        this.counts[slot] = count - 1
        return 1
      }
      this.owners[slot] = owner
      this.previous[slot] = 0
    }
    if (count < 0xffff) this.counts[slot] = count + 1
    const share = 1 - (nowMs % this.windowMs) / this.windowMs
    return (this.counts[slot] as number) + Math.floor((this.previous[slot] as number) * share)
  }

  /** Sets the count of a name to nothing, if it is the one counted. */
  forget(hash: number): void {
    const slot = hash & this.mask
    if (this.owners[slot] !== Math.floor(hash / 0x200000) >>> 0) return
    this.counts[slot] = 0
    this.previous[slot] = 0
  }

  private turn(slot: number, window: number): void {
    const last = this.windows[slot] as number
    if (last === window) return
    this.previous[slot] = last === window - 1 ? (this.counts[slot] as number) : 0
    this.counts[slot] = 0
    this.windows[slot] = window
  }
}

/** A 53-bit hash of a text (two rounds of FNV-1a with different seeds). Not keyed: it decides over counters only. */
export function hashOf(kind: number, text: string): number {
  let low = 0x811c9dc5 ^ kind
  let high = 0x01234567 ^ kind
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    low = Math.imul(low ^ unit, 0x01000193)
    high = Math.imul(high ^ unit, 0x85ebca6b)
  }
  low ^= low >>> 15
  high ^= high >>> 13
  return (high >>> 11) * 0x100000000 + (low >>> 0)
}
