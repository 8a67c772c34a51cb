// `bin/usher` that prints the bytes of its live objects on SIGUSR2, after collections of garbage; run with --expose-gc.
import { setTimeout as pause } from 'node:timers/promises'

const COLLECTIONS = 4

process.on('SIGUSR2', async () => {
  for (let times = 0; times < COLLECTIONS; times++) {
    globalThis.gc()
    // What ends only in a later turn is no longer held then.
    await pause(50)
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  console.log(JSON.stringify({ measured: heapUsed + arrayBuffers }))
})
await import('../../dist/cli/main.js')
