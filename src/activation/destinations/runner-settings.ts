import { z } from 'zod'
import { OBJECT_ID_MAX } from '../../model/ids.ts'
import { leftOut } from './config-issue.ts'
import { headerName, headerValue, type SignIn, signIn } from './sign-in.ts'

/**
 * What the runner keeps to, whatever the type of a destination: pace, size, mode, what is told of whom, and how it signs
 * in. A type offers a choice by having the member in its settings; what it does not offer is as in `RUNNER_DEFAULTS`, or
 * as the type fixes it.
 */
export interface RunnerSettings {
  readonly mode: 'compat' | 'durable'
  readonly usersPerMessage: number
  /** A message waits at most this long for more users. */
  readonly batchMaxWaitMs: number
  /** Undefined: the usual of the mode. */
  readonly timeoutMs?: number | undefined
  readonly concurrency?: number | undefined
  readonly requestsPerSecond?: number | undefined
  /** In `compat`: answers that count as success. */
  readonly successStatuses: readonly number[]
  readonly auth: SignIn
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly userAgent?: string | undefined
  readonly sendWithoutPartnerId: boolean
  readonly supportsUnsegment: boolean
  readonly unsegmentOnUnmap: boolean
  readonly onlyWhileSeen: boolean
}

export const RUNNER_DEFAULTS: RunnerSettings = {
  mode: 'durable',
  usersPerMessage: 10,
  batchMaxWaitMs: 50,
  successStatuses: [200],
  auth: { type: 'none' },
  sendWithoutPartnerId: false,
  supportsUnsegment: true,
  unsegmentOnUnmap: false,
  onlyWhileSeen: false,
}

const dataSourceId = z.int().min(1).max(OBJECT_ID_MAX)

/** Members for the settings of a type, acted on by the runner alone. */
export const runnerFields = {
  mode: z
    .enum(['compat', 'durable'])
    .default('durable')
    .describe('compat behaves as AAM: one retry; durable loses nothing'),
  usersPerMessage: z.int().min(1).max(10).default(10),
  batchMaxWaitMs: z.int().min(0).max(1000).default(50).describe('A message waits at most this long for more users'),
  timeoutMs: z
    .int()
    .min(1_000)
    .max(30_000)
    .optional()
    .describe('In durable: time of an attempt in milliseconds; compat waits 3,000')
    .meta(leftOut('15000 in durable')),
  concurrency: z.int().min(1).max(64).optional().describe('Requests at one time').meta(leftOut('16')),
  requestsPerSecond: z
    .number()
    .min(0.01)
    .max(10_000)
    .optional()
    .describe('Messages a second at most; what comes faster waits, nothing is dropped')
    .meta(leftOut('no limit')),
  successStatuses: z
    .array(z.int().min(200).max(299))
    .min(1)
    .max(20)
    .default([200])
    .describe('In compat: answers that count as success; in durable every answer from 200 to 299 does'),
  auth: signIn.default({ type: 'none' }).describe('How the partner knows who sends').meta({ title: 'Signing in' }),
  headers: z
    // A key of the partner goes by many names, and by its name alone nobody can tell it from an account number.
    .record(headerName, headerValue.meta({ secret: true }))
    .optional()
    .describe(
      'Further headers of every request, by name; values of visible ASCII, at most 4096 bytes each, which are secrets',
    )
    .meta(leftOut('none')),
  userAgent: headerValue
    .min(1)
    .max(255)
    .optional()
    .describe('The header User-Agent; `aam` sends Adobe Audience Manager Iris')
    .meta(leftOut('product and version')),
  sendWithoutPartnerId: z.boolean().default(false).describe('Also users without an ID of the partner'),
  supportsUnsegment: z.boolean().default(true).describe('The partner takes Status 0; else none is sent'),
  unsegmentOnUnmap: z
    .boolean()
    .default(false)
    .describe('When a segment is unmapped, the next message about a member has it with Status 0'),
  onlyWhileSeen: z.boolean().default(false).describe('No messages for changes that happen without a visit'),
}

/** Data sources whose IDs name the users; not the runner's, but the same in every type. */
export const userDpid = z
  .union([dataSourceId, z.array(dataSourceId).min(1).max(20)], 'expected the id of a data source, or a list of 1 to 20')
  .describe('Data sources whose IDs name the users')
  .meta({ title: 'Data sources' })

/** In order, each once. */
export function dataSourcesOf(chosen: z.output<typeof userDpid>): readonly number[] {
  return typeof chosen === 'number' ? [chosen] : [...new Set(chosen)]
}

const NAMES = Object.keys(runnerFields) as (keyof RunnerSettings)[]

/** @param fixed what the type decides for all its destinations */
export function runnerSettingsOf(config: object, fixed: Partial<RunnerSettings> = {}): RunnerSettings {
  const chosen = Object.fromEntries(NAMES.flatMap((name) => (name in config ? [[name, config[name as never]]] : [])))
  return { ...RUNNER_DEFAULTS, ...fixed, ...(chosen as Partial<RunnerSettings>) }
}
