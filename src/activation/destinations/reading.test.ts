import { expect, test } from 'vitest'
import { z } from 'zod'
import type { EgressAnswer } from '../../lib/egress/exchange.ts'
import { exactJson } from '../../lib/exact-json.ts'
import { classify, faultOf } from '../classify.ts'
import { nextStep } from '../policy.ts'
import { defineDestination, type PartnerAnswer } from './define-destination.ts'
import { faultOfStatus, type Reading, type RealtimeReading } from './reading.ts'

/** How the platforms answer that are to come, each as small as it can be. */

/** For each item, in order; items that failed for now are told so. */
function readItems({ body }: PartnerAnswer): RealtimeReading {
  const { results } = z.object({ results: z.array(z.enum(['OK', 'INVALID', 'LATER'])) }).parse(exactJson(body))
  const refused = results.flatMap((result, user) =>
    result === 'OK' ? [] : [{ user, fault: result === 'LATER' ? ('busy' as const) : ('record' as const) }],
  )
  return { status: 'itemised', refused }
}

/** By ID, which exceeds 2^53 and comes as a number. */
function readIds({ body }: PartnerAnswer): RealtimeReading {
  const { invalid } = z.object({ invalid: z.array(z.coerce.string()) }).parse(exactJson(body))
  return { status: 'itemised', refused: invalid.map((user) => ({ user, fault: 'record' })) }
}

/** Only how many. */
function readCounts({ body, users }: PartnerAnswer): RealtimeReading {
  const { received } = z.object({ received: z.int() }).parse(exactJson(body))
  return { status: 'counted', accepted: received, refused: users - received }
}

/** A ticket now, the truth later: for batches, which wait for it. */
function readTicket({ body }: PartnerAnswer): Reading {
  const { job, state } = z.object({ job: z.coerce.string(), state: z.string() }).parse(exactJson(body))
  if (state === 'DONE') return { status: 'accepted' }
  return { status: 'pending', ticket: job, askAfterMs: 60_000 }
}

/** Says 200 whatever happened, and throttles with 400. */
function readCode({ httpStatus, body }: PartnerAnswer): RealtimeReading {
  const { code = 0 } = z.object({ code: z.int().optional() }).parse(exactJson(body))
  if (code === 613) return { status: 'refused', fault: 'busy', reason: 'throttled', retryAfterMs: 60_000 }
  if (code === 190) return { status: 'refused', fault: 'unauthorized', reason: 'token_expired' }
  if (code === 100) return { status: 'refused', fault: 'record', reason: 'bad_record' }
  return code === 0 && httpStatus === 200
    ? { status: 'accepted' }
    : { status: 'refused', fault: 'other', reason: 'not_taken' }
}

const answered = (httpStatus: number, body: object, headers: Record<string, string> = {}): EgressAnswer => ({
  ...{ status: 'answered', httpStatus, headers, body: Buffer.from(JSON.stringify(body)) },
  ...{ isCut: false, isGarbled: false, durationMs: 1 },
})
const durable = { mode: 'durable', successStatuses: [200] } as const
const outcomeOf = (read: (answer: PartnerAnswer) => RealtimeReading, answer: EgressAnswer, users = 3) =>
  classify(answer, durable, 0, { read, users })

test('by item: taken, in part for good, not at all, or some of it later', () => {
  const of = (...results: string[]) => outcomeOf(readItems, answered(200, { results }))
  expect(of('OK', 'OK', 'OK')).toEqual({ status: 'acknowledged' })
  expect(of('OK', 'INVALID', 'OK')).toEqual({ status: 'acknowledged', note: 'users_refused' })
  expect(of('INVALID', 'INVALID', 'INVALID')).toMatchObject({ status: 'failed', fault: 'message' })
  // What may be taken later is repeated with the rest, which tells nobody anything new.
  expect(of('OK', 'INVALID', 'LATER')).toMatchObject({ status: 'failed', fault: 'busy', reason: 'users_refused' })
})

test('by ID: one beyond 2^53 is the one it is, and one named twice is one', () => {
  const body = '{"invalid":[9007199254740993,9007199254740993]}'
  const answer = { httpStatus: 200, headers: {}, body, isCut: false, users: 2 }
  expect(readIds(answer)).toMatchObject({ refused: [{ user: '9007199254740993' }, { user: '9007199254740993' }] })
  const wire = { ...(answered(200, {}) as Extract<EgressAnswer, { status: 'answered' }>), body: Buffer.from(body) }
  expect(outcomeOf(readIds, wire, 2)).toMatchObject({ status: 'acknowledged', note: 'users_refused' })
})

test('by counts alone: nobody knows who, so all or some', () => {
  expect(outcomeOf(readCounts, answered(200, { received: 3 }))).toEqual({ status: 'acknowledged' })
  expect(outcomeOf(readCounts, answered(200, { received: 2 }))).toMatchObject({ note: 'users_refused' })
  expect(outcomeOf(readCounts, answered(200, { received: 0 }))).toMatchObject({ status: 'failed', fault: 'message' })
})

test('a 200 that means no is none, and a 400 can ask for less', () => {
  expect(outcomeOf(readCode, answered(200, { code: 1 }))).toMatchObject({ status: 'failed', reason: 'not_taken' })
  const throttled = outcomeOf(readCode, answered(400, { code: 613 }))
  expect(throttled).toMatchObject({ status: 'failed', fault: 'busy', httpStatus: 400, retryAfterMs: 60_000 })
  // Of the body, a 400 would be dead after three.
  if (throttled.status !== 'failed') throw new Error('it was throttled')
  const step = { attempts: 3, wasUnauthorized: false, tokenFailures: 0, compatRetryWaitMs: 0, isUncounted: false }
  const config = { mode: 'durable', auth: { type: 'none' } } as const
  expect(nextStep({ ...step, config, outcome: throttled, random: 0.5 })).toMatchObject({ status: 'retrying' })
  expect(outcomeOf(readCode, answered(200, { code: 100 }))).toMatchObject({ fault: 'record', reason: 'bad_record' })
})

test('a token that is refused in words of their own is replaced and the message repeated at once, the first time', () => {
  const outcome = outcomeOf(readCode, answered(200, { code: 190 }))
  if (outcome.status !== 'failed') throw new Error('it was refused')
  const auth = { type: 'oauth2', tokenUrl: 'https://partner.example/token', credentials: 'x' } as const
  const step = (wasUnauthorized: boolean) =>
    nextStep({
      ...{ config: { mode: 'durable', auth }, outcome, wasUnauthorized, attempts: 1, tokenFailures: 0 },
      ...{ compatRetryWaitMs: 0, isUncounted: false, random: 0.5 },
    })
  expect(step(false)).toMatchObject({ status: 'retrying', waitMs: 0 })
  expect(step(true)).toMatchObject({ status: 'retrying', waitMs: 5_000 })
})

test('a ticket is asked for again, and is no answer of a message in real time', () => {
  const answer = { httpStatus: 202, headers: {}, isCut: false, users: 3 }
  expect(readTicket({ ...answer, body: '{"job":9007199254740993,"state":"RUNNING"}' })).toEqual({
    ...{ status: 'pending', ticket: '9007199254740993', askAfterMs: 60_000 },
  })
  expect(readTicket({ ...answer, body: '{"job":7,"state":"DONE"}' })).toEqual({ status: 'accepted' })
  const define = () =>
    defineDestination({
      ...{ type: 'TICKET', member: 'ticket', title: 'Ticket', description: 'Answers with a ticket to ask again by' },
      ...{ config: z.strictObject({}), example: {}, dataSources: () => [1], addresses: () => [] },
      // @ts-expect-error A message in real time is over with its answer; nothing would ask again.
      realtime: { render: () => ({ method: 'POST', url: '', body: '' }), read: readTicket },
    })
  expect(define).toBeTypeOf('function')
})

test('what a type says in words that cannot be searched for is said for it', () => {
  const read = (): RealtimeReading => ({ status: 'refused', fault: 'other', reason: 'No such account: 7!' })
  expect(outcomeOf(read, answered(200, {}))).toMatchObject({ reason: 'refused' })
})

test('an answer that its type cannot read took nothing for sure', () => {
  const outcome = outcomeOf(readItems, answered(200, { results: 'none' }))
  expect(outcome).toMatchObject({ status: 'failed', fault: 'other', reason: 'answer_unreadable', httpStatus: 200 })
})

test('a redirect is refused before any type reads it [SEC-26]', () => {
  expect(outcomeOf(() => ({ status: 'accepted' }), answered(302, {}))).toMatchObject({ reason: 'redirect_refused' })
})

test.each([
  [400, 'message'],
  [413, 'message'],
  [422, 'message'],
  [401, 'unauthorized'],
  [403, 'forbidden'],
  [410, 'gone'],
  [429, 'busy'],
  [502, 'busy'],
  [503, 'busy'],
  [504, 'busy'],
  [500, 'other'],
  [404, 'other'],
  [null, 'other'],
] as const)('without words of a type, %s is the fault of: %s [SEC-46~]', (httpStatus, fault) => {
  expect(faultOfStatus(httpStatus)).toBe(fault)
  expect(faultOf({ status: 'failed', reason: 'x', httpStatus, retryAfterMs: undefined })).toBe(fault)
})
