import { createServer } from 'node:net'

const FIRST = 20_000
const COUNT = 12_000
let next = FIRST + ((process.pid * 101) % COUNT)

/** A port that is free on loopback now, below the ephemeral range (a client that retries a closed port there can meet itself). */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    next = FIRST + ((next - FIRST + 1) % COUNT)
    if (await isFree(next)) return next
  }
  throw new Error('no free port between 20000 and 32000')
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
