import { rm } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { TEST_SEED } from '../../src/testkit/seed.ts'
import { seededRandom } from '../../src/testkit/seeded-random.ts'
import { spawnUsher, temporaryFolder } from '../../src/testkit/spawn-usher.ts'
import { faultOf, judge } from './judge.ts'
import { RawClient } from './raw-client.ts'
import { makeHostileRequest } from './requests.ts'

const seed = TEST_SEED
const REQUESTS = 100_000
const CLIENTS = 24
const CANARY = '4'.repeat(38)
/** Beyond the protocol limits; never a 5xx [COL-15], [SEC-01], [SEC-04]. */
const REFUSALS = [400, 404, 405, 408, 413, 414, 415, 417, 429, 431]

test('100,000 hostile requests: the numbered errors that an independent judge expects with status 200, refusals only beyond the protocol, never a 5xx, and nothing stored is harmed [COL-15] [COL-38] [COL-111] [SEC-01] [SEC-02] [SEC-04] [SEC-06~] [SEC-12]', async () => {
  console.log(`seed ${seed}`)
  const dataDir = await temporaryFolder()
  const usher = await spawnUsher({ dataDir, env: { USHER_EDGE_DENY_LIST_ENABLED: 'false', USHER_LOG_LEVEL: 'error' } })
  try {
    const canary = await plantCanary(usher)
    const random = seededRandom(seed)
    const statuses = new Map<string, number>()
    const wrong: string[] = []
    let sent = 0
    let judged = 0
    const port = Number(new URL(usher.edgeUrl).port)
    await Promise.all(
      Array.from({ length: CLIENTS }, async () => {
        const client = new RawClient(port)
        while (sent < REQUESTS && wrong.length < 20) {
          sent += 1
          const request = makeHostileRequest(random)
          const answer = await client.exchange(request.bytes, request.bytes.subarray(0, 5).toString() === 'HEAD ')
          statuses.set(`${request.kind} ${answer.status}`, (statuses.get(`${request.kind} ${answer.status}`) ?? 0) + 1)
          const isFine = answer.status === 200 || answer.status === 302
          const isRefusal = typeof answer.status === 'number' && REFUSALS.includes(answer.status)
          const isAllowed = request.mustProcess
            ? isFine
            : isFine || isRefusal || (answer.status === 'closed' && request.kind !== 'query')
          const verdict = isFine ? judge(request.bytes) : undefined
          const fault = verdict !== undefined && 'head' in answer ? faultOf(verdict, answer) : undefined
          if (verdict !== undefined) judged += 1
          if (!isAllowed || fault !== undefined) {
            const what = JSON.stringify(request.bytes.toString('latin1').slice(0, 1000))
            wrong.push(`${fault ?? answer.status} for ${request.kind}: ${what}`)
          }
        }
        client.close()
      }),
    )
    console.log(
      [...statuses]
        .sort()
        .map(([what, count]) => `${what}: ${count}`)
        .join(', '),
      `codes of ${judged} judged`,
    )
    expect(wrong, `seed ${seed}`).toEqual([])
    expect(sent).toBeGreaterThanOrEqual(REQUESTS)
    // Whatever is no call is told by its status; the rest of them has been judged by its codes.
    expect(judged).toBeGreaterThan(REQUESTS / 3)
    expect(usher.process.exitCode).toBeNull()
    expect(await usher.api('GET', `/v1/profiles/${CANARY}`)).toMatchObject(canary)
    expect(await usher.verify()).toBe(0)
  } finally {
    expect(await usher.stop()).toBe(0)
    await rm(dataDir, { recursive: true, force: true })
  }
}, 600_000)

async function plantCanary(usher: Awaited<ReturnType<typeof spawnUsher>>) {
  const { dataSourceId } = await usher.api<{ dataSourceId: number }>('POST', '/v1/datasources/', {
    name: 'site',
    idType: 'COOKIE',
  })
  const trait = {
    name: 'canary',
    traitRule: 'c_song == "tweet"',
    traitType: 'RULE_BASED_TRAIT',
    folderId: 0,
    dataSourceId,
  }
  const { sid } = await usher.api<{ sid: number }>('POST', '/v1/traits/', trait)
  const { sid: segment } = await usher.api<{ sid: number }>('POST', '/v1/segments/', {
    name: 'singers',
    segmentRule: `${sid}T`,
    folderId: 0,
    dataSourceId,
  })
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  await fetch(`${usher.edgeUrl}/event?d_uuid=${CANARY}&c_song=tweet&d_rtbd=json`)
  const canary = { traits: [{ sid, count: 1 }], segments: [{ sid: segment, status: 'in' }] }
  expect(await usher.api('GET', `/v1/profiles/${CANARY}`)).toMatchObject(canary)
  return canary
}
