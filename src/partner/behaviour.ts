/**
 * How the receiving side answers, so that a sender's handling of trouble can be seen. Nothing set: 200 at once, or 401
 * for a signature and 400 for a message that is not right.
 */
export interface Behaviour {
  /** One status for all, or one for each message in turn, the last one for the rest. */
  readonly answer?: number | readonly number[]
  /** Milliseconds to wait before the status line. */
  readonly delayMs?: number
  /** Share of messages, 0 to 1, that fail with `failStatus`, independent of `answer`. */
  readonly failRate?: number
  /** Default 503. */
  readonly failStatus?: number
  /** Share of messages, 0 to 1, whose connection is reset instead of answered. */
  readonly resetRate?: number
  /** Sent with every answer, e.g. `retry-after`. */
  readonly headers?: Readonly<Record<string, string>>
}

export type PlannedAnswer =
  | { readonly kind: 'status'; readonly status: number; readonly delayMs: number }
  | { readonly kind: 'reset'; readonly delayMs: number }
  /** The message decides. */
  | { readonly kind: 'judge'; readonly delayMs: number }

/**
 * @param count messages answered under this behaviour before
 * @param random one number from 0 to 1
 */
export function planAnswer(behaviour: Behaviour, count: number, random: number): PlannedAnswer {
  const { answer, delayMs = 0, failRate = 0, failStatus = 503, resetRate = 0 } = behaviour
  if (random < resetRate) return { kind: 'reset', delayMs }
  if (random < resetRate + failRate) return { kind: 'status', status: failStatus, delayMs }
  const status = typeof answer === 'object' ? (answer[count] ?? answer.at(-1)) : answer
  return status === undefined ? { kind: 'judge', delayMs } : { kind: 'status', status, delayMs }
}
