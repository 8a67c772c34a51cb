import { buildDestinationRules, type DestinationRules } from '../activation/destination-rules.ts'
import { type AudienceRules, buildAudienceRules } from '../audience/audience-rules.ts'
import { membershipKeyOf } from '../audience/membership-key.ts'
import { buildDirectory } from '../identity/directory.ts'
import type { Definitions } from '../model/definitions.ts'
import type { Directory } from '../model/directory.ts'

/** All definitions, compiled: immutable, read by the event path without a lock (architecture, "The rulebook"). */
export interface Rulebook {
  /** Version of the definitions it was built from. */
  readonly version: number
  /** Differs when memberships may: profiles carry the one they were last evaluated under. */
  readonly membershipKey: number
  readonly directory: Directory
  readonly audience: AudienceRules
  readonly destinations: DestinationRules
}

/** Builds a rulebook in steps of a few milliseconds; what did not change is taken over from `previous`. */
export function* buildRulebook(
  definitions: Definitions,
  options: { readonly allowPrivate: boolean; readonly previous: Rulebook | undefined },
): Generator<void, Rulebook> {
  const directory = yield* buildDirectory(definitions)
  const destinations = yield* buildDestinationRules(definitions, { allowPrivate: options.allowPrivate })
  const audience = yield* buildAudienceRules(definitions, options.previous?.audience)
  const membershipKey = yield* membershipKeyOf(audience, directory.dataSources.values())
  return { version: definitions.version, membershipKey, directory, audience, destinations }
}
