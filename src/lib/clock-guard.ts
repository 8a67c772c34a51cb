/**
 * Watches the machine's wall clock against its monotonic one. A jump of more than an hour back or a day forward between
 * two checks makes it untrusted, until three checks in a row agree on the new time. Source: spec/security.md [SEC-82].
 */
export interface ClockGuard {
  isTrusted(): boolean
  /** Compares now; called by itself every minute. */
  check(): void
  close(): void
}

export interface ClockGuardOptions {
  readonly onJump: () => void
  /** Replaced in tests. */
  readonly wallMs?: () => number
  readonly monotonicMs?: () => number
}

const BACK_MAX_MS = 3_600_000
const FORWARD_MAX_MS = 86_400_000
const CHECK_EVERY_MS = 60_000
const AGREEING_CHECKS = 3

export function watchClock({
  onJump,
  wallMs = Date.now,
  monotonicMs = () => performance.now(),
}: ClockGuardOptions): ClockGuard {
  const driftMs = () => wallMs() - monotonicMs()
  let lastMs = driftMs()
  let untrustedChecks = 0

  const check = () => {
    const nowMs = driftMs()
    const jumpMs = nowMs - lastMs
    lastMs = nowMs
    if (jumpMs < -BACK_MAX_MS || jumpMs > FORWARD_MAX_MS) {
      untrustedChecks = AGREEING_CHECKS
      onJump()
    } else if (untrustedChecks > 0) untrustedChecks -= 1
  }
  const timer = setInterval(check, CHECK_EVERY_MS)
  timer.unref()
  return {
    isTrusted() {
      // A jump since the last check must not wait for the next one.
      const jumpMs = driftMs() - lastMs
      if (jumpMs < -BACK_MAX_MS || jumpMs > FORWARD_MAX_MS) check()
      return untrustedChecks === 0
    },
    check,
    close: () => clearInterval(timer),
  }
}
