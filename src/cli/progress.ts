/** A bar on standard error, on a terminal only, once the work has taken longer than a second [OPS-14]. */
export interface Progress {
  show(done: number, total: number, what: string): void
  end(): void
}

const WIDTH = 30

export function createProgress(
  stream: NodeJS.WriteStream = process.stderr,
  monotonicMs = () => performance.now(),
): Progress {
  const startedMs = monotonicMs()
  let isShown = false
  return {
    show(done, total, what) {
      if (!stream.isTTY || monotonicMs() - startedMs < 1_000) return
      isShown = true
      stream.write(`\r${renderBar(done, total)} ${what}\u001b[K`)
    },
    end() {
      if (isShown) stream.write('\r\u001b[K')
    },
  }
}

export function renderBar(done: number, total: number): string {
  const share = total > 0 ? Math.min(1, Math.max(0, done / total)) : 0
  const filled = Math.round(share * WIDTH)
  return `[${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${String(Math.round(share * 100)).padStart(3)} %`
}
