/** A token bucket for each key; a full bucket is forgotten, so memory follows those who call now [API-35], [SEC-72]. */
export interface RateLimiter {
  take(key: string, nowMs: number): RateVerdict
}

export interface RateVerdict {
  readonly allowed: boolean
  readonly limit: number
  readonly remaining: number
  /** Seconds until the bucket is full again, rounded up. */
  readonly resetSeconds: number
  /** Seconds until the next request is allowed; 0 when this one is. */
  readonly retryAfterSeconds: number
}

const BUCKETS_MAX = 10_000

export function createRateLimiter(options: { readonly perSecond: number; readonly burst: number }): RateLimiter {
  const buckets = new Map<string, { tokens: number; atMs: number }>()
  const filled = (bucket: { tokens: number; atMs: number }, nowMs: number) =>
    Math.min(options.burst, bucket.tokens + (Math.max(0, nowMs - bucket.atMs) / 1000) * options.perSecond)

  const forgetFull = (nowMs: number) => {
    for (const [key, bucket] of buckets) if (filled(bucket, nowMs) >= options.burst) buckets.delete(key)
    // Ten thousand callers in use at once: the oldest is treated as new rather than memory without bound.
    const [oldest] = buckets.keys()
    if (buckets.size >= BUCKETS_MAX && oldest !== undefined) buckets.delete(oldest)
  }

  return {
    take(key, nowMs) {
      const bucket = buckets.get(key) ?? { tokens: options.burst, atMs: nowMs }
      const tokens = filled(bucket, nowMs)
      const allowed = tokens >= 1
      const left = allowed ? tokens - 1 : tokens
      if (!buckets.has(key) && buckets.size >= BUCKETS_MAX) forgetFull(nowMs)
      buckets.set(key, { tokens: left, atMs: nowMs })
      return {
        allowed,
        limit: options.burst,
        remaining: Math.floor(left),
        resetSeconds: Math.ceil((options.burst - left) / options.perSecond),
        retryAfterSeconds: allowed ? 0 : Math.max(1, Math.ceil((1 - tokens) / options.perSecond)),
      }
    },
  }
}
