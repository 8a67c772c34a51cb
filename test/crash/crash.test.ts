import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { TEST_SEED } from '../../src/testkit/seed.ts'
import { runCrashes } from './crash-run.ts'

const seed = TEST_SEED
const KILLS = Number(process.env['KILLS'] ?? 50)

test('after 50 kills under load no acknowledged event is lost, and the partner has what the store has [SEC-12] [SEC-40] [SEC-41~] [SEC-42~] [SEC-43~] [SEC-57~] [SEC-58] [SEC-59~]', async ({
  signal,
}) => {
  const report = await runCrashes({
    kills: KILLS,
    visitors: 64,
    seed,
    durability: 'process',
    acknowledgedMin: KILLS * 20,
    signal,
  })
  // 0 in n: with 95 % confidence fewer than 3 in n.
  console.log(
    `seed ${seed}: ${JSON.stringify(report)}; 0 lost of ${report.acknowledged}: below ${(3 / report.acknowledged).toExponential(1)}`,
  )
  expect(report.acknowledged).toBeGreaterThan(KILLS * 10)
  expect(report.repeats.total).toBeGreaterThan(0)
  expect(report).toMatchObject({
    isDrained: true,
    lost: 0,
    invented: 0,
    wrongMemberships: 0,
    wrongAtPartner: 0,
    badSignatures: 0,
    repeats: { different: 0 },
    verifyFindings: 0,
  })
}, 600_000)

// The teeth of the test above: a server whose store acknowledges some commits without writing them must turn it red.
test('the same run against a server that drops one commit in fifty is found out [SEC-58]', async ({ signal }) => {
  const broken = join(fileURLToPath(import.meta.url), '..', 'broken-server.mjs')
  const report = await runCrashes({
    kills: 2,
    visitors: 32,
    seed,
    durability: 'process',
    program: [broken],
    acknowledgedMin: 1_000,
    signal,
  })
  expect(report.lost + report.wrongMemberships + report.wrongAtPartner + (report.isDrained ? 0 : 1)).toBeGreaterThan(0)
}, 120_000)
