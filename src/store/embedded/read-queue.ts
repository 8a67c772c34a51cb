import type { KnownRecord } from './record-cache.ts'

/**
 * Keys in one native read, and reads at once: small enough that reads, evaluations and writes of different calls overlap
 * instead of marching in step, large enough to share the trip to the thread pool (measured: one large read at a time
 * leaves the main thread idle for a third of the time).
 */
const KEYS_MAX = 24
const RUNNING_MAX = 3

/** @param isFresh false when a commit wrote the key since the read was queued: the record is of an earlier moment */
export type OnRead = (record: KnownRecord, isFresh: boolean) => void

interface Waiter {
  readonly done: OnRead
  readonly failed: (error: unknown) => void
}

interface PendingRead {
  readonly key: Buffer
  readonly name: string
  readonly waiters: Waiter[]
  isFresh: boolean
}

/** Gathers the reads of one turn of the event loop into one native call, and readers of one key into one read. */
export class ReadQueue {
  readonly #getMany: (keys: Buffer[]) => Promise<(Buffer | undefined)[]>
  readonly #pending = new Map<string, PendingRead>()
  #queue: PendingRead[] = []
  #running = 0
  #isScheduled = false

  constructor(getMany: (keys: Buffer[]) => Promise<(Buffer | undefined)[]>) {
    this.#getMany = getMany
  }

  /** Calls one of the two, later, in the same turn for all waiters of a key. */
  read(key: Buffer, name: string, done: OnRead, failed: (error: unknown) => void): void {
    const waiter = { done, failed }
    const pending = this.#pending.get(name)
    if (pending?.isFresh) {
      pending.waiters.push(waiter)
      return
    }
    const read: PendingRead = { key, name, waiters: [waiter], isFresh: true }
    this.#pending.set(name, read)
    this.#queue.push(read)
    this.#schedule()
  }

  /** A commit wrote this key: what is being read of it is of an earlier moment. */
  wrote(name: string): void {
    const pending = this.#pending.get(name)
    if (pending !== undefined) pending.isFresh = false
  }

  /** The database was lost: nothing that is being read may be taken for current. */
  wroteAll(): void {
    for (const pending of this.#pending.values()) pending.isFresh = false
  }

  #schedule(): void {
    if (this.#isScheduled || this.#queue.length === 0 || this.#running >= RUNNING_MAX) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      if (this.#queue.length > 0) void this.#run(this.#queue.splice(0, KEYS_MAX))
    })
  }

  async #run(reads: PendingRead[]): Promise<void> {
    this.#running += 1
    this.#schedule()
    const found = await this.#getMany(reads.map((read) => read.key)).catch((error: unknown) => ({ error }))
    this.#running -= 1
    this.#schedule()
    for (let i = 0; i < reads.length; i++) {
      const read = reads[i] as PendingRead
      // By index and with the flag as it is then: a waiter may be a guard whose commit writes the key.
      for (let w = 0; w < read.waiters.length; w++) {
        const waiter = read.waiters[w] as Waiter
        if ('error' in found) waiter.failed(found.error)
        else waiter.done(found[i] ?? null, read.isFresh)
      }
      if (this.#pending.get(read.name) === read) this.#pending.delete(read.name)
    }
  }
}
