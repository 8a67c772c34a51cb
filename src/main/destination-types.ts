import type { DestinationType } from '../activation/destinations/define-destination.ts'
import { destinationTypes as builtTypes } from '../activation/destinations/index.ts'
import { createFingerprint } from '../activation/destinations/secret-fingerprint.ts'
import { settingsJsonSchema } from '../activation/destinations/settings-schema.ts'
import type { DestinationTypes } from '../api/parts.ts'
import type { TargetRules } from '../lib/egress/target.ts'

/** What the API knows of the types of destinations; a stored one was parsed before it was stored. */
export function destinationTypes(
  rules: TargetRules,
  masterKey: Buffer,
  types: readonly DestinationType[] = builtTypes,
): DestinationTypes {
  const fingerprint = createFingerprint(masterKey)
  return types.map((one) => ({
    type: one.type,
    member: one.member,
    title: one.title,
    description: one.description,
    can: one.can,
    schema: (side) => settingsJsonSchema(one, side),
    parse: (input) => one.parse(input, rules),
    redact: (config, generated) => one.redact(config, fingerprint, generated),
    merge: (previous, next) => one.merge(previous, next, fingerprint),
    withGeneratedKeys: (previous, next) => one.withGeneratedKeys(previous, next),
    dataSources: (config) => one.dataSources(config),
  }))
}
