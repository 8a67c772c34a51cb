import { z } from 'zod'
import { codeIssue, nameIssue } from '../lib/texts.ts'
import { OBJECT_ID_MAX } from '../model/ids.ts'

/**
 * Kinds of members that appear everywhere. Clients send numbers as texts and nulls for what they do not set, and send
 * back what they read: all of it is accepted [API-37]. A whole number, also as text (`"folderId":"0"`):
 */
export const wholeNumber = (min: number, max: number) => z.preprocess(numberOfText, z.int().min(min).max(max))

export const objectId = wholeNumber(1, OBJECT_ID_MAX)
/** 0 is the root. */
export const folderIdField = wholeNumber(0, OBJECT_ID_MAX)
export const anyNumber = z.preprocess(numberOfText, z.number())

/** `true`, `"true"`, 1, or a bare query parameter. A list or an object is none, whatever it looks like as a text. */
export const flag = z.preprocess(
  (value) => (typeof value === 'object' ? value : (FLAGS.get(String(value).toLowerCase()) ?? value)),
  z.boolean(),
)
const FLAGS = new Map<string, boolean>([
  ['true', true],
  ['1', true],
  ['', true],
  ['false', false],
  ['0', false],
])

/** Absent, null and, where stored, undefined mean the same. */
export const optional = <Schema extends z.ZodType>(schema: Schema) =>
  schema.nullish().transform((value) => value ?? undefined)

export const withDefault = <Schema extends z.ZodType>(schema: Schema, value: z.output<Schema>) =>
  schema.nullish().transform((given): z.output<Schema> => (given ?? value) as z.output<Schema>)

/** Emitted in capitals; accepted in any case, and as 1 or 0 [API-40]. */
export const status = z.enum(['ACTIVE', 'INACTIVE'])
export const statusDraft = z.preprocess((value) => {
  if (value === 1 || value === '1') return 'ACTIVE'
  if (value === 0 || value === '0') return 'INACTIVE'
  return typeof value === 'string' ? value.toUpperCase() : value
}, status)

export const anyCase = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z.preprocess((value) => (typeof value === 'string' ? value.toUpperCase() : value), z.enum(values))

/**
 * A text of one line as people read it: without white space around it, in one spelling of each letter, and with nothing
 * unseen in it. What no text may hold at all is refused for every member alike, before any schema [API-164].
 */
const line = z.string().trim().normalize().superRefine(issueOf(nameIssue))
/** [AUD-62], [AUD-318] */
export const nameField = line.min(1).max(255)
/** A name that may be left empty. */
export const optionalNameField = line.max(255)
/** Tab and line breaks are allowed. */
export const textField = z.string().max(10_000)
/**
 * A code that is compared, character by character, with what somebody else writes: trimmed as callers' codes are [COL-81],
 * in one spelling of each letter (NFC), nothing unseen in it.
 */
export const codeField = z.string().trim().normalize().max(255).superRefine(issueOf(codeIssue))
/** The same in a query; what cannot be a code finds nothing. */
export const codeQuery = z.string().trim().normalize().max(255)
/** An empty code is none. */
export const integrationCodeDraft = codeField
  .nullish()
  .transform((code) => (code === null || code === undefined || code === '' ? undefined : code))

/**
 * A member that this version does not act on. Only the value that asks for nothing is taken, so that no setting is
 * accepted and then ignored [AUD-356].
 * @param hint what is not there, and what to send
 */
export const notBuilt = <Schema extends z.ZodType>(
  schema: Schema,
  isIdle: (value: z.output<Schema>) => boolean,
  hint: string,
) => schema.refine((value) => isIdle(value), { error: hint }).meta({ description: hint })

/** Of the export controls, which need labels on destinations [AUD-180]; those are not built. */
export const exportRestrictions = notBuilt(
  withDefault(z.array(z.string().max(64)).max(20), []),
  (controls) => controls.length === 0,
  'Data export controls are not built yet and would block nothing: send an empty list.',
)

/** `2026-11-22` */
export const isoDate = z.iso.date()

/** Milliseconds since the epoch. */
export const milliseconds = z.number().meta({ description: 'Milliseconds since the Unix epoch' })

/** Members that the server sets on every stored object [API-39]. */
export const authored = {
  pid: z.number(),
  crUID: z.number(),
  upUID: z.number(),
  createTime: milliseconds,
  updateTime: milliseconds,
}

/** The body of a bulk deletion. */
export const IdList = z.array(objectId).min(1).max(1_000)

function issueOf(check: (text: string) => string | undefined) {
  return (text: string, context: z.RefinementCtx) => {
    const message = check(text)
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  }
}

function numberOfText(value: unknown): unknown {
  return typeof value === 'string' && /^-?[0-9]{1,15}(\.[0-9]{1,15})?$/.test(value) ? Number(value) : value
}

/** A point in time with its offset from UTC. */
export const moment = z.iso.datetime({ offset: true, message: 'is not a time as 2026-11-30T09:15:00Z' })
