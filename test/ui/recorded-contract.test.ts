import { expect, test } from 'vitest'
import { BIG } from './big-answers.ts'
import { HARD } from './hard-answers.ts'
import { DEAD, DEVICE, EMPTY, PARTNER_ID, RECORDED, RETRIED } from './recorded-answers.ts'
import { breachOf } from './recorded-contract.ts'

/** What the tests of the UI answer is what the server would: parsed by the contract, so that the two cannot drift apart. */
const url = (path: string) => new URL(path, 'http://local')
const ASKED = [
  '/v1/overview?window=24h',
  '/v1/search?q=boots',
  '/v1/deliveries?page=0&pageSize=50',
  `/v1/deliveries?q=${DEVICE}&page=0&pageSize=100`,
  `/v1/deliveries/${DEAD}`,
  `/v1/deliveries/${RETRIED}`,
  '/v1/deliveries/replays?pageSize=20',
  '/v1/deliveries/replays/rp_1?pageSize=50',
  '/v1/destinations/',
  '/v1/destination-types',
  '/v1/destinations/423',
  '/v1/destinations/423/mappings?page=0&pageSize=50',
  '/v1/destinations/423/health',
  '/v1/destinations/424/health',
  '/v1/segments/?page=0&pageSize=100&search=boots',
  '/v1/segments/100101',
  '/v1/traits/100001',
  `/v1/profiles/${DEVICE}`,
  `/v1/profiles/${encodeURIComponent(PARTNER_ID)}`,
  `/v1/profiles/${DEVICE}/explain?segmentId=100101`,
]

test.each(ASKED)('%s is answered as the contract says, with much, with little and with nothing', (path) => {
  for (const recorded of [RECORDED, HARD, BIG, EMPTY]) {
    expect(breachOf('GET', url(path), undefined, recorded.answer('GET', url(path), undefined))).toBeUndefined()
  }
  expect(RECORDED.answer('GET', url(path), undefined)).toBeDefined()
})

test('session, rates and both steps of a replay are answered as the contract says', () => {
  expect(breachOf('GET', url('/v1/session'), undefined, RECORDED.session)).toBeUndefined()
  for (const { rates } of [RECORDED, EMPTY]) {
    expect(breachOf('GET', url('/v1/live'), undefined, rates)).toBeUndefined()
  }
  for (const dryRun of [true, false]) {
    const body = { deliveryIds: [DEAD], as: 'same', dryRun }
    const answer = RECORDED.answer('POST', url('/v1/deliveries/replay'), body)
    expect(breachOf('POST', url('/v1/deliveries/replay'), body, answer)).toBeUndefined()
  }
})

test('a member that is missing, of another type or not of the contract is a breach, and so is a wrong question', () => {
  const { reason: _, ...withoutReason } = RECORDED.answer('GET', url(`/v1/deliveries/${DEAD}`), undefined) as {
    reason: unknown
  }
  const overview = RECORDED.answer('GET', url('/v1/overview'), undefined) as { ledger: object[] }
  const wrong = [
    ['GET', `/v1/deliveries/${DEAD}`, undefined, withoutReason],
    ['GET', '/v1/search?q=a', undefined, [{ kind: 'segment', id: 1, name: 7, detail: null }]],
    ['GET', '/v1/overview', undefined, { ...overview, ledger: [{ ...overview.ledger[0], more: 1 }] }],
    ['GET', '/v1/overview?window=7d', undefined, overview],
    ['GET', '/v1/deliveries?state=dead', undefined, undefined],
    ['POST', '/v1/deliveries/replay', { deliveryIds: [DEAD], dryRun: 'perhaps' }, undefined],
    ['GET', '/v1/nothing', undefined, {}],
  ] as const
  for (const [method, path, body, answer] of wrong) {
    expect(breachOf(method, url(path), body, answer), path).toContain(path)
  }
})
