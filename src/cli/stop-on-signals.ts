/**
 * [OPS-13]: the first SIGTERM or SIGINT closes in order and exits 0; it is given 10 seconds. A second one exits at once:
 * what was acknowledged is already as durable as was promised.
 */
export interface SignalParts {
  readonly on: (signal: 'SIGTERM' | 'SIGINT', listener: () => void) => void
  readonly exit: (status: number) => void
  readonly complain: (text: string) => void
  readonly limitMs?: number
}

const processParts: SignalParts = {
  on: (signal, listener) => void process.on(signal, listener),
  exit: (status) => process.exit(status),
  complain: (text) => void process.stderr.write(`${text}\n`),
}

export function stopOnSignals(close: () => Promise<void>, parts: SignalParts = processParts): void {
  let isStopping = false
  const stop = () => {
    if (isStopping) return parts.exit(130)
    isStopping = true
    const limitMs = parts.limitMs ?? 9_500
    const timer = setTimeout(() => {
      parts.complain(`not closed after ${limitMs} ms: exiting`)
      parts.exit(1)
    }, limitMs)
    close().then(
      () => {
        clearTimeout(timer)
        parts.exit(0)
      },
      (error: unknown) => {
        clearTimeout(timer)
        parts.complain(`closing failed: ${String(error)}`)
        parts.exit(1)
      },
    )
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) parts.on(signal, stop)
}
