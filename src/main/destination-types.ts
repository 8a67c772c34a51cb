import { parseS2sConfig, type S2sConfig, userDpidsOf } from '../activation/destinations/s2s.ts'
import { mergeSecrets, redactS2s, withGeneratedKeys } from '../activation/destinations/s2s-secrets.ts'
import { createFingerprint } from '../activation/destinations/secret-fingerprint.ts'
import type { DestinationTypes } from '../api/parts.ts'
import type { TargetRules } from '../lib/egress/target.ts'

/** What the API knows of the settings of destinations; a stored one was parsed before it was stored. */
export function destinationTypes(rules: TargetRules, masterKey: Buffer): DestinationTypes {
  const fingerprint = createFingerprint(masterKey)
  return {
    parseS2sConfig: (input) => parseS2sConfig(input, rules),
    redactS2s: (config: S2sConfig, generated) => redactS2s(config, fingerprint, generated),
    mergeSecrets: (previous: S2sConfig | undefined, next) => mergeSecrets(previous, next, fingerprint),
    withGeneratedKeys: (previous: S2sConfig | undefined, next) => withGeneratedKeys(previous, next),
    userDpidsOf: (config: S2sConfig) => userDpidsOf(config),
  }
}
