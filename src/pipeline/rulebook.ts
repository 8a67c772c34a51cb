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
  /** The part of it that the definitions make up. */
  readonly definitionsKey: number
  /** At which something was deleted last that profiles hold data of. */
  readonly deletionVersion: number
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
  const definitionsKey = yield* membershipKeyOf(audience, directory.dataSources.values())
  const { version, deletionVersion } = definitions
  const built = { version, deletionVersion, definitionsKey, membershipKey: 0, directory, audience, destinations }
  return inEpoch(built, 0)
}

/**
 * The same rulebook in another epoch of the clock: memberships that were judged by a wrong time are to be judged anew, as
 * after a change of the rules [SEC-82].
 */
export function inEpoch(rulebook: Rulebook, epoch: number): Rulebook {
  // Odd, so that no two of 2^28 epochs give one key.
  const key = (rulebook.definitionsKey + Math.imul(epoch, 0x9e3779b1)) & 0x0fffffff
  return { ...rulebook, membershipKey: key || 1 }
}
