import { createHash } from 'node:crypto'
import { z } from 'zod'
import { defineDestination } from '../activation/destinations/define-destination.ts'
import { dataSourcesOf, runnerFields, userDpid } from '../activation/destinations/runner-settings.ts'
import { exactJson } from '../lib/exact-json.ts'

const config = z.strictObject({
  url: z.string().max(2048).describe('Address that takes members of lists, https'),
  account: z
    .string()
    .regex(/^\d{1,20}$/)
    .max(20)
    .describe('Number of the account, as a text: it exceeds 2^53'),
  pepper: z.string().min(8).max(64).meta({ secret: true }).describe('Goes before the address when it is hashed'),
  userDpid,
  auth: runnerFields.auth,
  requestsPerSecond: runnerFields.requestsPerSecond,
})

/** `{"code", "invalid"}`: 4 asks for less, 100 names nobody and takes nobody. */
const Answer = z.object({ code: z.int().default(0), invalid: z.array(z.string()).default([]) })

/**
 * A type as an exercise: nothing else knows it, and all that holds of a type holds of it. Its partner wants e-mail
 * addresses hashed in a way of its own, answers 200 when it means no, and throttles with 400.
 */
export const exercise = defineDestination({
  type: 'EXERCISE',
  member: 'exercise',
  title: 'Exercise',
  description: 'Adds hashed addresses to lists of a partner and removes them again',
  config,
  example: {
    url: 'https://lists.example/members',
    account: '90071992547409931234',
    pepper: 'a pepper!',
    userDpid: 77052,
  },
  fixed: { usersPerMessage: 4, batchMaxWaitMs: 0 },
  dataSources: (chosen) => dataSourcesOf(chosen.userDpid),
  writeId: (id, { pepper }) => createHash('sha256').update(pepper).update(id.trim().toLowerCase()).digest('hex'),
  addresses: ({ url }) => [['url', url]],

  realtime: {
    render({ users }, { url, account }) {
      const changes = users.flatMap(({ partnerId, segments }) =>
        segments.map(({ value, active }) => ({ op: active ? 'add' : 'remove', list: value, id: partnerId })),
      )
      return { method: 'POST', url, body: JSON.stringify({ account, changes }) }
    },

    read({ httpStatus, body, isCut }) {
      const answer = Answer.safeParse(exactJson(body))
      if (isCut || !answer.success) return { status: 'refused', fault: 'other', reason: 'answer_unreadable' }
      const { code, invalid } = answer.data
      if (code === 4) return { status: 'refused', fault: 'busy', reason: 'throttled' }
      if (code === 100) return { status: 'refused', fault: 'record', reason: 'bad_record' }
      if (code !== 0 || httpStatus !== 200) return { status: 'refused', fault: 'other', reason: 'not_taken' }
      return { status: 'itemised', refused: invalid.map((user) => ({ user, fault: 'record' })) }
    },
  },
})
