import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { UserEntry } from '../message.ts'
import type { DestinationType, RealtimeBatch } from './define-destination.ts'
import { runnerFields } from './runner-settings.ts'
import { createFingerprint } from './secret-fingerprint.ts'
import { secretPathsOf } from './secret-walk.ts'
import { renderSettingsPage } from './settings-page.ts'
import { type JsonSchema, settingsJsonSchema } from './settings-schema.ts'

/** What holds of every type of destination, tried with its own example. */
export function describeDestination(type: DestinationType): void {
  const rules = { allowPrivate: false }
  const fingerprint = createFingerprint(Buffer.alloc(32, 1))
  const made = type.withGeneratedKeys(undefined, type.example)
  const parsed = type.parse(made.config, rules)
  const config = () => {
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues))
    return parsed.config
  }
  const members = (side: 'sent' | 'shown') => Object.entries(settingsJsonSchema(type, side).properties ?? {})

  describe(`the destination type ${type.type}`, () => {
    test('has names as the API writes them, and says what it is', () => {
      expect(type.type).toMatch(/^[A-Z][A-Z0-9_]{1,31}$/)
      expect(type.member).toMatch(/^[a-z][a-zA-Z0-9]{1,31}$/)
      expect(type.title).toMatch(/^[A-Z].{2,40}$/)
      expect(type.description).toMatch(/^[A-Z].{20,}[^.]$/)
      expect(type.can.length).toBeGreaterThan(0)
    })

    test('its example is valid, and still is when it was stored', () => {
      expect(parsed).toMatchObject({ ok: true })
      expect(type.parseStored(JSON.parse(JSON.stringify(config())))).toEqual(parsed)
      expect(type.dataSources(config()).length).toBeGreaterThan(0)
      // Where a data source that does not exist is complained of.
      expect(type.config.shape).toHaveProperty('userDpid')
    })

    test('takes no member that it does not know', () => {
      const wrong = type.parse({ ...(made.config as object), notAMember: 1 }, rules)
      expect(wrong.ok || JSON.stringify(wrong.issues)).toContain('notAMember')
    })

    test('describes every member, also those within', () => {
      const silent = [...within(settingsJsonSchema(type, 'sent'), type.member)].flatMap(([path, schema]) =>
        Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => {
          const { description = '', const: constant } = inner as JsonSchema
          return description.length > 10 || constant !== undefined ? [] : [`${path}.${name}`]
        }),
      )
      expect(silent).toEqual([])
      const page = renderSettingsPage([type])
      for (const [name] of members('sent')) expect(page).toContain(`| \`${name}\` |`)
    })

    test('a member that is named as one of the runner is that of the runner', () => {
      const kindOf = (schema: z.ZodType) => {
        const { type: kind, enum: values, oneOf } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
        return { kind, values, choices: oneOf?.length }
      }
      for (const [name, field] of Object.entries(runnerFields)) {
        const own = (type.config.shape as Readonly<Record<string, z.ZodType>>)[name]
        if (own !== undefined) expect([name, kindOf(own)]).toEqual([name, kindOf(field)])
      }
    })

    test('marks its secrets, and shows none [SEC-63~]', () => {
      const texts = [...within(settingsJsonSchema(type, 'sent'), type.member)].flatMap(([path, schema]) =>
        Object.entries(schema.properties ?? {}).map(([name, inner]) => ({ path: `${path}.${name}`, name, inner })),
      )
      const unmarked = texts.filter(({ name, inner }) => {
        const { type: kind, enum: values, writeOnly } = inner as JsonSchema
        const isText = kind === 'string' && values === undefined
        return isText && writeOnly !== true && /(secret|password|token|credentials?|pepper|salt|[kK]ey)$/.test(name)
      })
      expect(unmarked.map(({ path }) => path)).toEqual([])
      const marked = JSON.stringify(settingsJsonSchema(type, 'sent')).split('"writeOnly":true').length - 1
      expect(marked).toBe(secretPathsOf(type.config).length)
      const shown = JSON.stringify(type.redact(config(), fingerprint))
      for (const { value } of type.secretsIn(config())) expect(shown).not.toContain(value)
    })

    test('settings that are sent back as they were shown stay as they are [OPS-50~]', () => {
      const shown: unknown = JSON.parse(JSON.stringify(type.redact(config(), fingerprint)))
      const { config: again, issues } = type.merge(config(), shown, fingerprint)
      expect(issues).toEqual([])
      expect(type.redact(again, fingerprint)).toEqual(shown)
      expect(type.secretsIn(again)).toEqual(type.secretsIn(config()))
    })

    describe('in real time', () => {
      const { render, read, writeId, settings, usersInRequest } = type.bind(config())

      test('the same is written the same, byte for byte [SEC-41~]', () => {
        expect(render(batchOf('user-1', true))).toEqual(render(batchOf('user-1', true)))
        expect(usersInRequest).toBeGreaterThan(0)
      })

      test('a user is taken back under exactly the ID it was given', () => {
        for (const id of ['Some.One@Example.com', '90071992547409931234', 'æ "quoted" / 100%']) {
          const given = writeId(id)
          expect(textOf(render(batchOf(id, true)))).toContain(written(given))
          if (settings.supportsUnsegment) expect(textOf(render(batchOf(id, false)))).toContain(written(given))
        }
      })

      test('what the partner calls a segment keeps its digits beyond 2^53', () => {
        expect(textOf(render(batchOf('user-1', true)))).toContain('9007199254740993')
      })

      if (read === undefined) return
      test('an answer of any form is read, with a reason that can be searched for', () => {
        const long = `{"id":${'9'.repeat(40)}}`
        for (const body of ['', '{}', '[]', 'null', 'Service Unavailable', '{"error":', long, '"\ud800"'])
          for (const httpStatus of [200, 202, 204, 400, 401, 429, 500, 503])
            for (const isCut of [false, true]) {
              const reading = read({ httpStatus, headers: {}, body, isCut, users: 3 })
              if (reading.status === 'refused') expect(reading.reason).toMatch(/^[a-z0-9_]{1,64}$/)
              if (httpStatus >= 500) expect(reading.status).toBe('refused')
            }
      })
    })
  })
}

const written = (id: string) => JSON.stringify(id).slice(1, -1)

/** Of a GET, the message stands in the address. */
const textOf = ({ url, body }: { readonly url: string; readonly body: string }) => body || decodeURIComponent(url)

function batchOf(partnerId: string, active: boolean): RealtimeBatch {
  const segments = [{ sid: 100, value: '9007199254740993', active, atSeconds: 1_795_000_000 }]
  const user: UserEntry = { deviceId: '0'.repeat(38), partnerId, regions: [9], segments }
  return {
    deliveryId: 'dl_1',
    destinationId: 423,
    nowMs: 1_795_000_000_000,
    dataSourceId: 77052,
    users: [user],
  }
}

/** Every schema within one, with its path. */
function* within(schema: JsonSchema, path: string): Generator<readonly [string, JsonSchema]> {
  yield [path, schema]
  for (const one of [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) yield* within(one as JsonSchema, path)
  if (schema.items !== undefined) yield* within(schema.items as JsonSchema, path)
  for (const [name, one] of Object.entries(schema.properties ?? {})) yield* within(one as JsonSchema, `${path}.${name}`)
}
