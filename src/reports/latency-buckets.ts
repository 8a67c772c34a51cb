/** Buckets of four to a doubling: a value read back is at most 10 % off. The last holds all from 2^24 ms (4.7 h) on. */
export const LATENCY_BUCKETS = 97

const PER_DOUBLING = 4

/** @param ms 0 or more; below 1 ms is the first bucket */
export function bucketOf(ms: number): number {
  return Math.min(LATENCY_BUCKETS - 1, Math.floor(Math.log2(Math.max(1, ms)) * PER_DOUBLING))
}

/** The middle of a bucket, in whole milliseconds. */
function middleMs(bucket: number): number {
  return Math.round(2 ** ((bucket + 0.5) / PER_DOUBLING))
}

/** @param counts by bucket; @param share 0.5 is the median. @returns undefined when nothing was counted */
export function quantileMs(counts: ArrayLike<number>, share: number): number | undefined {
  let total = 0
  for (let bucket = 0; bucket < counts.length; bucket++) total += counts[bucket] as number
  if (total === 0) return undefined
  let left = Math.ceil(total * share)
  for (let bucket = 0; bucket < counts.length; bucket++) {
    left -= counts[bucket] as number
    if (left <= 0) return middleMs(bucket)
  }
  return undefined
}
