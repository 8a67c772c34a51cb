/**
 * Finds what a test left running. Call before; call the returned function after everything was closed: it waits up to
 * two seconds for handles to go and throws with the kinds that are still there.
 */
export function startLeakCheck(): () => Promise<void> {
  const before = countResources()
  return async () => {
    for (let tries = 0; tries < 40; tries++) {
      if (leaks(before).length === 0) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    const left = leaks(before)
    if (left.length > 0) throw new Error(`left running: ${left.join(', ')}`)
  }
}

function leaks(before: ReadonlyMap<string, number>): string[] {
  return [...countResources()]
    .filter(([kind, count]) => count > (before.get(kind) ?? 0))
    .map(([kind, count]) => `${count - (before.get(kind) ?? 0)} ${kind}`)
}

/** Servers, sockets and child processes; timers come and go with the test runner's own. */
function countResources(): Map<string, number> {
  const counts = new Map<string, number>()
  for (const kind of process.getActiveResourcesInfo()) {
    if (/^(TCP|Pipe|Process|TLS|FSEvent|Worker|MessagePort)/.test(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  return counts
}
