import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { seededRandom } from '../../src/testkit/seeded-random.ts'
import { type SpawnedUsher, spawnUsher, temporaryFolder } from '../../src/testkit/spawn-usher.ts'
import { RawClient } from './raw-client.ts'
import { makeHostileRequest } from './requests.ts'

const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000)
const CLIENTS = 24
const MIB = 1024 * 1024

/** Requests that no two are alike, so that whatever remembers one of their parts grows by each. */
async function sendHostile(usher: SpawnedUsher, count: number, random: () => number): Promise<void> {
  const port = Number(new URL(usher.edgeUrl).port)
  let sent = 0
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      const client = new RawClient(port)
      while (sent < count) {
        sent += 1
        const unlike = `${sent}-${random()}`
        const request =
          sent % 2 === 0
            ? makeHostileRequest(random).bytes
            : Buffer.from(
                `GET /event?c_${unlike}=${unlike}&c_look=${unlike}&d_cid=2001%01${unlike} HTTP/1.1\r\nHost: h${unlike}.example.com\r\nUser-Agent: ${unlike}\r\nReferer: https://${unlike}.example/\r\nOrigin: https://${unlike}.example\r\n\r\n`,
              )
        await client.exchange(request, request.subarray(0, 5).toString() === 'HEAD ')
      }
      client.close()
    }),
  )
}

async function objectBytes(usher: SpawnedUsher): Promise<number> {
  const before = usher.log.filter((line) => line.includes('"measured"')).length
  usher.process.kill('SIGUSR2')
  const measured = () => usher.log.filter((line) => line.includes('"measured"'))
  await expect.poll(() => measured().length).toBeGreaterThan(before)
  return (JSON.parse(measured().at(-1) ?? '{}') as { measured: number }).measured
}

test.skipIf(process.platform === 'win32')(
  'the objects of the program do not grow with the number of hostile requests [SEC-11~] [SEC-12]',
  async () => {
    console.log(`seed ${seed}`)
    const dataDir = await temporaryFolder()
    const program = ['--expose-gc', join(import.meta.dirname, 'measured-server.mjs'), 'serve']
    const usher = await spawnUsher({ dataDir, program, env: { USHER_LOG_LEVEL: 'error' } })
    try {
      await usher.api('POST', '/v1/datasources/', { dataSourceId: 2001, name: 'site' })
      const traitRule = 'c_look matchesregex "^[0-9]+-0[.][0-9]*[13579]$" OR c_look contains "shoes"'
      const trait = { name: 'odd', traitRule, traitType: 'RULE_BASED_TRAIT', folderId: 0, dataSourceId: 2001 }
      await usher.api('POST', '/v1/traits/', trait)
      const random = seededRandom(seed)
      // Until every memory of a bounded size is full.
      await sendHostile(usher, 10_000, random)
      const before = await objectBytes(usher)
      await sendHostile(usher, 30_000, random)
      const grown = (await objectBytes(usher)) - before
      console.log(`${(grown / MIB).toFixed(2)} MiB more`)
      // A text kept of each request, in a map, would be more.
      expect(grown / MIB, `seed ${seed}`).toBeLessThan(3)
    } finally {
      await usher.stop()
      await rm(dataDir, { recursive: true, force: true })
    }
  },
  600_000,
)
