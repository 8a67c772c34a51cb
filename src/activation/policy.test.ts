import { expect, test } from 'vitest'
import type { EgressAnswer } from '../lib/egress/exchange.ts'
import { classify, type Outcome } from './classify.ts'
import { nextStep, type PolicyInput } from './policy.ts'

const answered = (httpStatus: number, headers: Record<string, string> = {}): EgressAnswer => ({
  status: 'answered',
  httpStatus,
  headers,
  body: Buffer.alloc(0),
  isCut: false,
  isGarbled: false,
  durationMs: 1,
})
const outcomeOf = (httpStatus: number, mode: 'compat' | 'durable', successStatuses = [200]) =>
  classify(answered(httpStatus), { mode, successStatuses }, 0)

test('compat takes exactly 200, durable any 2xx; a redirect is a failure in both [OUT-21] [SEC-45] [SEC-46] [SEC-26]', () => {
  for (let status = 200; status <= 599; status++) {
    expect([status, outcomeOf(status, 'compat').status]).toEqual([status, status === 200 ? 'acknowledged' : 'failed'])
    expect([status, outcomeOf(status, 'durable').status]).toEqual([status, status < 300 ? 'acknowledged' : 'failed'])
  }
  expect(outcomeOf(302, 'durable')).toMatchObject({ reason: 'redirect_refused' })
  // It names no other place.
  expect(outcomeOf(304, 'durable')).toMatchObject({ reason: 'http_304' })
  expect(outcomeOf(503, 'durable')).toMatchObject({ reason: 'http_503' })
})

test('a compat destination may count further 2xx as success, and only those [OUT-208]', () => {
  expect(outcomeOf(204, 'compat', [200, 204]).status).toBe('acknowledged')
  expect(outcomeOf(201, 'compat', [200, 204]).status).toBe('failed')
  expect(outcomeOf(200, 'compat', [202]).status).toBe('failed')
})

test('Retry-After counts as seconds or as a date, up to 24 hours [SEC-46] [SEC-100]', () => {
  const wait = (value: string) => {
    const outcome = classify(
      answered(429, { 'retry-after': value }),
      { mode: 'durable', successStatuses: [200] },
      Date.UTC(2026, 10, 22),
    )
    return outcome.status === 'failed' ? outcome.retryAfterMs : undefined
  }
  expect(wait('120')).toBe(120_000)
  expect(wait('Sun, 22 Nov 2026 00:01:00 GMT')).toBe(60_000)
  expect(wait('Sat, 21 Nov 2026 00:00:00 GMT')).toBeUndefined()
  expect(wait('8.5')).toBe(9_000)
  expect(wait('999999999')).toBe(86_400_000)
  expect(wait('soon')).toBeUndefined()
})

const failed = (
  httpStatus: number | null = 503,
  more: Partial<Extract<Outcome, { status: 'failed' | 'unknown' }>> = {},
): PolicyInput['outcome'] => ({
  status: 'failed',
  reason: httpStatus === null ? 'timeout' : `http_${httpStatus}`,
  httpStatus,
  retryAfterMs: undefined,
  ...more,
})
const step = (mode: 'compat' | 'durable', attempts: number, more: Partial<PolicyInput> = {}) =>
  nextStep({
    config: { mode, auth: { type: 'none' } },
    outcome: failed(),
    attempts,
    isUncounted: false,
    wasUnauthorized: false,
    tokenFailures: 0,
    compatRetryWaitMs: 100,
    random: 0.5,
    ...more,
  })
const oauth: PolicyInput['config']['auth'] = {
  type: 'oauth2',
  tokenUrl: 'https://partner.example/token',
  credentials: 'x',
}

test('compat repeats once and then keeps what AAM would drop [OUT-23] [OUT-24~] [SEC-45]', () => {
  expect(step('compat', 1)).toEqual({ status: 'retrying', reason: 'http_503', waitMs: 100 })
  expect(step('compat', 2)).toEqual({ status: 'dead', reason: 'http_503', aamWouldDrop: true })
})

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const waits = [5_000, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR]

test('durable makes ten attempts at the documented waits, give or take a fifth [SEC-46]', () => {
  waits.forEach((waitMs, at) => {
    expect(step('durable', at + 1)).toEqual({ status: 'retrying', reason: 'http_503', waitMs })
    expect(step('durable', at + 1, { random: 0 })).toMatchObject({ waitMs: Math.round(waitMs * 0.8) })
    expect(step('durable', at + 1, { random: 1 })).toMatchObject({ waitMs: Math.round(waitMs * 1.2) })
  })
  expect(step('durable', 10)).toEqual({ status: 'dead', reason: 'http_503', aamWouldDrop: false })
})

test('a longer Retry-After is respected, a shorter one does not hurry us [SEC-46] [SEC-100]', () => {
  expect(step('durable', 1, { outcome: failed(429, { retryAfterMs: 3 * HOUR }) })).toMatchObject({ waitMs: 3 * HOUR })
  expect(step('durable', 2, { outcome: failed(429, { retryAfterMs: 1_000 }) })).toMatchObject({ waitMs: 5 * MINUTE })
  // Also where the repetition would be at once, and of a token endpoint.
  const stale = { config: { mode: 'durable', auth: oauth }, outcome: failed(401, { retryAfterMs: 7_000 }) } as const
  expect(step('durable', 1, stale)).toMatchObject({ waitMs: 7_000 })
  const outcome = { status: 'unauthenticated', reason: 'http_429', retryAfterMs: 600_000 } as const
  expect(step('durable', 0, { outcome, tokenFailures: 1 })).toMatchObject({ waitMs: 600_000 })
  expect(step('durable', 0, { outcome: { ...outcome, retryAfterMs: 100 }, tokenFailures: 1 })).toMatchObject({
    waitMs: 5_000,
  })
})

test('a body that is at fault is dead after three attempts [SEC-46]', () => {
  for (const status of [400, 413, 422]) {
    expect(step('durable', 2, { outcome: failed(status) }).status).toBe('retrying')
    expect(step('durable', 3, { outcome: failed(status) })).toEqual({
      status: 'dead',
      reason: `http_${status}`,
      aamWouldDrop: false,
    })
  }
  expect(step('durable', 3, { outcome: failed(404) }).status).toBe('retrying')
})

test('a refused token is replaced and the message repeated at once, the first time [OUT-83] [SEC-55]', () => {
  const refused = (mode: 'compat' | 'durable', attempts: number, wasUnauthorized: boolean) =>
    step(mode, attempts, { config: { mode, auth: oauth }, outcome: failed(401), wasUnauthorized })
  expect(refused('compat', 1, false)).toMatchObject({ status: 'retrying', waitMs: 0 })
  expect(refused('compat', 2, true)).toMatchObject({ status: 'dead', reason: 'http_401' })
  expect(refused('durable', 1, false)).toMatchObject({ status: 'retrying', waitMs: 0 })
  expect(refused('durable', 2, true)).toMatchObject({ status: 'retrying', waitMs: 5 * MINUTE })
})

test('without a token compat fails the message, durable waits without using up attempts [OUT-84] [SEC-55]', () => {
  const outcome = { status: 'unauthenticated', reason: 'http_500' } as const
  expect(step('compat', 0, { outcome })).toEqual({
    status: 'dead',
    reason: 'authentication_failed',
    aamWouldDrop: true,
  })
  expect([1, 2, 3, 20].map((tokenFailures) => step('durable', 0, { outcome, tokenFailures }))).toMatchObject([
    { waitMs: 5_000 },
    { waitMs: 10_000 },
    { waitMs: 20_000 },
    { waitMs: 5 * MINUTE, status: 'retrying', reason: 'authentication_failed' },
  ])
})
