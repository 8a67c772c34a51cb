import type { z } from 'zod'
import { parseTarget, type TargetRules, targetDenial } from '../../lib/egress/target.ts'
import type { StoredDelivery } from '../../store/delivery-record.ts'
import type { UserEntry } from '../message.ts'
import { idleIssues } from './choices.ts'
import { asConfigIssue, type ConfigIssue } from './config-issue.ts'
import type { RealtimeReading } from './reading.ts'
import { type RunnerSettings, runnerSettingsOf } from './runner-settings.ts'
import { savingIssues } from './saving.ts'
import type { Fingerprint } from './secret-fingerprint.ts'
import { isObject, type SecretPath, type StoredSecret, secretPathsOf, secretsIn } from './secret-walk.ts'
import { merged, redacted, withGeneratedKeys } from './sent-secrets.ts'
import { type SignIn, signInIssues } from './sign-in.ts'

/**
 * A type of destination: data and pure functions. Members of `config` that are named as in `runnerFields` are acted on by
 * the runner, which also queues, groups, signs in, keeps the pace, backs off and repeats. Validation, secrets, the
 * documentation, the form and the API derive from `config`.
 */
export interface DestinationDefinition<Schema extends z.ZodObject, Config = z.output<Schema>> {
  /** `destinationType` in the API, in capitals; it is stored and never changes. */
  readonly type: string
  /** The member that holds the settings in the API; each error begins with it. */
  readonly member: string
  readonly title: string
  readonly description: string
  /** Every member described; secrets marked with `secret`, choices that decide over others with `onlyIn`. */
  readonly config: Schema
  /** As a client sends it: what the documentation shows, and the conformance suite tries. */
  readonly example: Readonly<Record<string, unknown>>
  /** What is not a choice. */
  readonly fixed?: Partial<RunnerSettings>
  /** Data sources whose IDs name the users, one message each. */
  dataSources(config: Config): readonly number[]
  /**
   * How an ID is written, when not as it is: the hash that the partner wants. Always the same for the same ID and settings,
   * so that a user is taken back under exactly the ID it was given.
   */
  writeId?(id: string, config: Config): string
  /** Addresses by the path of their member, for the address rules. */
  addresses(config: Config): readonly (readonly [path: string, url: string])[]
  /** Beyond what the schema says. */
  readonly checks?: DestinationChecks<Config>
  /** What is acted on of a stored one. */
  inForce?(config: Config): Config
  readonly realtime: Realtime<Config>
}

export interface DestinationChecks<Config> {
  /** Refused when it is saved: what this version does not act on. */
  available?(config: Config): Iterable<ConfigIssue>
  /** Of every one: a stored destination that breaks it is unusable, and what it is owed waits. */
  always?(config: Config): Iterable<ConfigIssue>
  /** Refused when it is saved and nothing else is wrong; one that is stored goes on until its next change. */
  saved?(config: Config): Iterable<ConfigIssue>
}

/** Told while visitors are there. */
export interface Realtime<Config> {
  /** Whether stored settings, also unusable ones, ask for it; left out: always. */
  isWanted?(stored: Readonly<Record<string, unknown>>): boolean
  /** At most; left out: `usersPerMessage`. */
  usersInRequest?(config: Config): number
  /** The request as it is stored, and repeated byte for byte until it ends. */
  render(batch: RealtimeBatch, config: Config): RenderedRequest
  /** What came back. Left out: the status says it all, and counts before the rest of the answer is read. */
  read?(answer: PartnerAnswer, config: Config): RealtimeReading
  /** Where a stored request goes under the settings of today; left out: where it was rendered for. */
  address?(stored: RenderedRequest, config: Config): string
  /** A stored message says just what the settings of today would; left out: never, a replay always writes a new one. */
  isAsToday?(stored: StoredDelivery, config: Config): boolean
}

export interface RealtimeBatch {
  readonly deliveryId: string
  readonly destinationId: number
  readonly nowMs: number
  /** That of every partner ID in it. */
  readonly dataSourceId: number
  /** Their IDs as they are to be written. */
  readonly users: readonly UserEntry[]
}

export interface RenderedRequest {
  readonly method: 'POST' | 'GET'
  readonly url: string
  /** JSON; empty for a GET. */
  readonly body: string
}

export interface PartnerAnswer {
  readonly httpStatus: number
  /** Names in small letters. */
  readonly headers: Readonly<Record<string, string>>
  /** `exactJson` reads it without losing digits. */
  readonly body: string
  /** There was more than is read. */
  readonly isCut: boolean
  readonly users: number
}

export type Capability = 'realtime'

export type Parsed<Config> =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly issues: readonly ConfigIssue[] }

/** A type as everything else sees it. Methods, so that one of narrower settings fits. */
export interface DestinationType<Config = unknown>
  extends Pick<DestinationDefinition<z.ZodObject>, 'type' | 'member' | 'title' | 'description' | 'config' | 'example'> {
  readonly can: readonly Capability[]
  /** Settings that are to be saved, secrets in clear: fills in defaults, refuses what would not be acted on. */
  parse(input: unknown, rules: TargetRules): Parsed<Config>
  /** Settings that were saved, perhaps by an earlier version, which took more than it acted on. */
  parseStored(input: unknown): Parsed<Config>
  /** As the API shows it; `generated` secrets in full, this one time [OPS-50]. */
  redact(config: unknown, fingerprint: Fingerprint, generated?: readonly string[]): unknown
  /** Puts stored secrets where `next` shows them redacted. */
  merge(previous: unknown, next: unknown, fingerprint: Fingerprint): ReturnType<typeof merged>
  withGeneratedKeys(previous: unknown, next: unknown): ReturnType<typeof withGeneratedKeys>
  secretsIn(config: Config): readonly StoredSecret[]
  dataSources(config: Config): readonly number[]
  isRealtime(stored: unknown): boolean
  bind(config: Config): BoundDestination
}

/** One destination of a type: its functions, with its settings in them. */
export interface BoundDestination {
  readonly settings: RunnerSettings
  readonly dataSources: readonly number[]
  readonly secrets: readonly StoredSecret[]
  readonly usersInRequest: number
  readonly writeId: (id: string) => string
  readonly render: (batch: RealtimeBatch) => RenderedRequest
  readonly read: ((answer: PartnerAnswer) => RealtimeReading) | undefined
  readonly address: (stored: RenderedRequest) => string
  readonly isAsToday: (stored: StoredDelivery) => boolean
}

export function defineDestination<Schema extends z.ZodObject>(
  definition: DestinationDefinition<Schema>,
): DestinationType<z.output<Schema>> {
  type Config = z.output<Schema>
  const { type, member, title, description, config: schema, example, fixed, realtime } = definition
  const { available = none, always = none, saved = none }: DestinationChecks<Config> = definition.checks ?? {}
  const paths: readonly SecretPath[] = secretPathsOf(schema)
  const inForce = (config: Config): Config => definition.inForce?.(config) ?? config
  const settingsOf = (config: Config) => runnerSettingsOf(config, fixed)
  const lasting = (config: Config, rules: TargetRules) => [
    ...addressIssues(addressesOf(definition, config), rules),
    ...always(config),
    ...signInIssues(settingsOf(config).auth),
  ]

  function parseWith(input: unknown, check: (config: Config) => readonly ConfigIssue[]): Parsed<Config> {
    const parsed = schema.safeParse(input)
    if (!parsed.success) return { ok: false, issues: parsed.error.issues.map(asConfigIssue) }
    const issues = check(parsed.data)
    return issues.length === 0 ? { ok: true, config: parsed.data } : { ok: false, issues }
  }

  return {
    ...{ type, member, title, description, config: schema, example, can: ['realtime'] },
    parse: (input, rules) =>
      parseWith(input, (config) => {
        const issues = [...available(config), ...lasting(config, rules)]
        const idle = idleIssues(schema, config).filter(({ path }) => !issues.some((one) => one.path === path))
        const all = [...issues, ...idle]
        return all.length > 0 ? all : [...savingIssues(settingsOf(config), secretsIn(paths, config)), ...saved(config)]
      }),
    parseStored: (input) => parseWith(input, (config) => lasting(config, { allowPrivate: true })),
    // What was stored may be of a form that is not known any more.
    redact: (config, fingerprint, generated) =>
      redacted(paths, isObject(config) ? inForce(config as Config) : config, fingerprint, generated),
    merge: (previous, next, fingerprint) => merged(paths, previous, next, fingerprint),
    withGeneratedKeys,
    secretsIn: (config) => secretsIn(paths, config),
    dataSources: (config) => definition.dataSources(config),
    isRealtime: (stored) => !isObject(stored) || (realtime.isWanted?.(stored) ?? true),
    bind(stored) {
      const config = inForce(stored)
      const settings = settingsOf(config)
      // A user without an ID of the partner has none to write.
      const writeId = (id: string) => (id === '' ? id : (definition.writeId?.(id, config) ?? id))
      const written = (users: readonly UserEntry[]) =>
        users.map((user) => ({ ...user, partnerId: writeId(user.partnerId) }))
      return {
        settings,
        dataSources: definition.dataSources(config),
        secrets: secretsIn(paths, config),
        usersInRequest: realtime.usersInRequest?.(config) ?? settings.usersPerMessage,
        writeId,
        render: (batch) => realtime.render({ ...batch, users: written(batch.users) }, config),
        read: realtime.read && ((answer) => realtime.read?.(answer, config) ?? { status: 'accepted' }),
        address: (request) => realtime.address?.(request, config) ?? request.url,
        isAsToday: (delivery) => realtime.isAsToday?.(delivery, config) ?? false,
      }
    },
  }
}

function none(): readonly ConfigIssue[] {
  return []
}

function addressesOf<Config>(
  definition: { addresses(config: Config): readonly (readonly [path: string, url: string])[] },
  config: Config,
): readonly (readonly [path: string, url: string])[] {
  const { auth } = config as { readonly auth?: SignIn }
  const own = definition.addresses(config)
  return own.length === 0 || auth?.type !== 'oauth2' ? own : [...own, ['auth.tokenUrl', auth.tokenUrl]]
}

function* addressIssues(
  addresses: readonly (readonly [path: string, url: string])[],
  rules: TargetRules,
): Generator<ConfigIssue> {
  for (const [path, url] of addresses) {
    const denial = targetDenial(parseTarget(url), rules)
    if (denial !== undefined) yield { path, message: `${denialTexts[denial]} (${denial})` }
  }
}

const denialTexts = {
  url_invalid: 'is not an absolute https URL of visible ASCII without user name and password',
  scheme_not_allowed: 'must begin with https:; http: needs the operator switch USHER_ALLOW_PRIVATE_DESTINATIONS',
  port_not_allowed: 'may use port 443, 80 or 8443, or one the operator opened',
}
