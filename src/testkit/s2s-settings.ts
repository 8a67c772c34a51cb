import { inForce, notBuilt, type S2sConfig, s2s } from '../activation/destinations/s2s.ts'
import type { Fingerprint } from '../activation/destinations/secret-fingerprint.ts'
import { renderSettingsPage } from '../activation/destinations/settings-page.ts'
import { settingsJsonSchema } from '../activation/destinations/settings-schema.ts'
import type { TargetRules } from '../lib/egress/target.ts'

/** The settings of a server-to-server destination, in the words of the tests that are about them. */
export { inForce, notBuilt, type S2sConfig }

export const parseS2sConfig = (input: unknown, rules: TargetRules) => s2s.parse(input, rules)
export const parseSavedS2sConfig = (input: unknown) => s2s.parseStored(input)
export const userDpidsOf = (config: S2sConfig) => s2s.dataSources(config)
export const secretsOf = (config: S2sConfig) => s2s.secretsIn(config)
export const redactS2s = (config: S2sConfig, fingerprint: Fingerprint, generated?: readonly string[]) =>
  s2s.redact(config, fingerprint, generated)
export function mergeSecrets(previous: S2sConfig | undefined, next: unknown, fingerprint: Fingerprint) {
  const { config, ...more } = s2s.merge(previous, next, fingerprint)
  return { s2s: config, ...more }
}
export function withGeneratedKeys(previous: S2sConfig | undefined, next: unknown) {
  const { config, ...more } = s2s.withGeneratedKeys(previous, next)
  return { s2s: config, ...more }
}
export const renderS2sPage = () => renderSettingsPage([s2s])
export const s2sJsonSchema = (side: 'sent' | 'shown') => settingsJsonSchema(s2s, side)
