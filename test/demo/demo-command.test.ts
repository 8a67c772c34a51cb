import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { freePort } from '../../src/testkit/free-port.ts'
import { type SpawnedUsher, spawnUsher } from '../../src/testkit/spawn-usher.ts'

/** `usher demo` as a process. Needs the build, which `npm test` makes. */
const root = join(import.meta.dirname, '..', '..')
const isBuilt = existsSync(join(root, 'dist', 'cli', 'main.js'))
let dataDir = ''
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'usher-demo-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

async function startDemoCommand(options: string[], ports: { shop: number; partner: number }): Promise<SpawnedUsher> {
  return spawnUsher({
    dataDir,
    program: [join(root, 'bin', 'usher'), 'demo', ...options],
    env: {
      USHER_ALLOW_PRIVATE_DESTINATIONS: undefined,
      USHER_SHOP_PORT: String(ports.shop),
      USHER_PARTNER_PORT: String(ports.partner),
    },
  })
}
interface Named {
  readonly name: string
  readonly description: string
}
/** `docs/demo.md` lists them in the order they are made. */
const DOCUMENTED_AUDIENCES = (readFileSync(join(root, 'docs', 'demo.md'), 'utf8').split('## The definitions')[1] ?? '')
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(1)

async function rename(usher: SpawnedUsher, name: string): Promise<void> {
  const [first] = await usher.api<{ destinationId: number }[]>('GET', '/v1/destinations')
  const path = `/v1/destinations/${first?.destinationId}`
  await usher.api('PUT', path, { ...(await usher.api<object>('GET', path)), name })
}

const said = (usher: SpawnedUsher) => usher.log.join('\n')

test.skipIf(!isBuilt && process.env['CI'] !== 'true')(
  'a first start prints the addresses and the first signed message within 15 s, and stops in order; a second one moves to other ports [OPS-2~] [OPS-13]',
  async () => {
    for (let start = 0; start < 2; start++) {
      const ports = { shop: await freePort(), partner: await freePort() }
      const usher = await startDemoCommand(['--rate', '20'], ports)
      try {
        await expect
          .poll(() => said(usher), { interval: 50 })
          .toMatch(/visitor [a-z]+-[0-9a-f]{4} joined .*\(signature verified\)/)
        for (const url of [usher.edgeUrl, usher.adminUrl]) expect(said(usher)).toContain(url)
        for (const port of Object.values(ports)) {
          expect(said(usher)).toContain(`http://127.0.0.1:${port}/`)
          expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200)
        }
        const segments = await usher.api<Named[]>('GET', '/v1/segments/?includeDetails=true')
        expect(segments.map(({ name, description }) => `| ${name} | ${description} |`)).toEqual(DOCUMENTED_AUDIENCES)
        const destinations = await usher.api<Named[]>('GET', '/v1/destinations')
        expect(destinations.map(({ name }) => name)).toEqual([start === 0 ? 'Demo partner' : 'Renamed since'])
        if (start === 0) await rename(usher, 'Renamed since')
      } finally {
        expect(await usher.stop()).toBe(0)
      }
    }
  },
)

test.skipIf(!isBuilt && process.env['CI'] !== 'true')(
  'with --no-visitors nobody walks until the shop lets them in [OPS-2~]',
  async () => {
    const ports = { shop: await freePort(), partner: await freePort() }
    const usher = await startDemoCommand(['--no-visitors'], ports)
    try {
      await expect.poll(() => said(usher)).toContain('Usher is running')
      await new Promise((resolve) => setTimeout(resolve, 1500))
      expect(said(usher)).not.toContain('(signature verified)')
      const body = new URLSearchParams({ running: 'true' })
      await fetch(`http://127.0.0.1:${ports.shop}/visitors`, { method: 'POST', body })
      await expect.poll(() => said(usher)).toContain('(signature verified)')
    } finally {
      expect(await usher.stop()).toBe(0)
    }
  },
)

test.skipIf(!isBuilt && process.env['CI'] !== 'true')(
  'a taken port is named, with the variables that choose another, and nothing is left running [OPS-2~]',
  async () => {
    const taken = await freePort()
    const { createServer } = await import('node:http')
    const other = createServer().listen(taken, '127.0.0.1')
    try {
      const free = await freePort()
      for (const ports of [
        { shop: taken, partner: free },
        { shop: free, partner: taken },
      ]) {
        // Resolves where the server itself came up before the shop did not.
        const usher = await startDemoCommand([], ports).catch((error: Error) => error)
        if (usher instanceof Error) expect(usher.message).toContain(`port ${taken} is in use`)
        else {
          const code = await Promise.race([
            new Promise((resolve) => usher.process.once('exit', resolve)),
            new Promise((resolve) => setTimeout(resolve, 5000, 'still running')),
          ])
          if (code === 'still running') await usher.kill()
          expect(code).toBe(1)
          expect(said(usher)).toMatch(new RegExp(`port ${taken} is in use.*USHER_SHOP_PORT`, 's'))
        }
      }
    } finally {
      other.close()
    }
  },
)
