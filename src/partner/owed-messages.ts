import type { PartnerMessage } from './message-shape.ts'

/**
 * Messages that were refused and are still owed, as the receiving side can know it. A message is owed until it comes again,
 * or until all of its users came in newer ones: for one user the next message leaves when the one before it has ended, so
 * whoever stands in a newer one is owed by that. That is how a message ends whose user opted out meanwhile.
 */
export class OwedMessages {
  readonly #max: number
  readonly #usersOf = new Map<string, Set<string>>()
  /** The message that a user is owed last. */
  readonly #owedTo = new Map<string, string>()

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#usersOf.size
  }

  has(id: string): boolean {
    return this.#usersOf.has(id)
  }

  /** @param message undefined: not readable, its users are not known. @returns owed messages that have arrived with this one */
  received(id: string, message: PartnerMessage | undefined, isAccepted: boolean): number {
    let arrived = isAccepted && this.#usersOf.has(id) ? 1 : 0
    const users = usersIn(message)
    for (const user of users) {
      const other = this.#owedTo.get(user)
      if (other === undefined || other === id) continue
      const left = this.#usersOf.get(other)
      left?.delete(user)
      if (left?.size !== 0) continue
      this.#usersOf.delete(other)
      if (isAccepted) arrived += 1
    }
    if (isAccepted) this.#end(id, users)
    else {
      this.#usersOf.set(id, new Set(users))
      for (const user of users) this.#owedTo.set(user, id)
    }
    const [oldest] = this.#usersOf
    if (this.#usersOf.size > this.#max && oldest !== undefined) this.#end(oldest[0], oldest[1])
    return arrived
  }

  #end(id: string, users: Iterable<string>): void {
    this.#usersOf.delete(id)
    for (const user of users) this.#owedTo.delete(user)
  }
}

/** A user has messages of its own under each partner ID, and in each data source. */
function usersIn(message: PartnerMessage | undefined): string[] {
  return (message?.Users ?? []).map((user) => `${message?.User_DPID} ${user.AAM_UUID} ${user.DataPartner_UUID}`)
}
