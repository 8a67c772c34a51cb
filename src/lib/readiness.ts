/** The body of `/readyz`, the same on both listeners. Source: spec/operating.md [OPS-12]. */
export interface Readiness {
  readonly status: 'ready' | 'not_ready'
  /** Names of the checks that fail. */
  readonly reasons: readonly string[]
}

export function readinessOf(reasons: readonly string[]): Readiness {
  return { status: reasons.length === 0 ? 'ready' : 'not_ready', reasons }
}

/** When to ask again. */
export const READY_RETRY_SECONDS = '1'
