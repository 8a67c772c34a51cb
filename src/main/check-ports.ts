import { createServer } from 'node:net'
import type { Role, UsherConfig } from '../config.ts'

/**
 * Listens for a moment on each port, before anything is written: a first start that cannot listen would otherwise use
 * up what only the first start prints, the link into the UI [OPS-22]. @throws what `listen` says
 */
export async function checkPorts({ host, roles, edge, admin }: UsherConfig): Promise<void> {
  const ports: readonly [Role, number][] = [
    ['edge', edge.port],
    ['admin', admin.port],
  ]
  for (const [role, port] of ports) if (port !== 0 && roles.includes(role)) await listenOnce(host, port)
}

function listenOnce(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(port, host, () => server.close(() => resolve()))
  })
}
