import { openVault } from './secrets.ts'

/** What a catalogue knows of the keys of its data directory; each part is absent before it was first written. */
export interface StoredKeyChecks {
  /** Throws where it is another than the one that the secrets were sealed with. */
  readonly openWith?: (masterKey: Buffer) => void
  /** Checks of the others, by the names of their files. */
  readonly checks: ReadonlyMap<string, string>
}

const PREFIX = 'key_check:'

/** Under which a check is kept. @param name of the key's file */
export function settingOf(name: string): string {
  return `${PREFIX}${name}`
}

/** @param settings all of the catalogue */
export function checksOf(settings: readonly { readonly key: string; readonly value: string }[]): StoredKeyChecks {
  const wrapped = settings.find(({ key }) => key === 'data_key')?.value
  const checks = settings.filter(({ key }) => key.startsWith(PREFIX))
  return {
    ...(wrapped !== undefined && { openWith: (masterKey: Buffer) => void openVault(masterKey, wrapped) }),
    checks: new Map(checks.map(({ key, value }) => [key.slice(PREFIX.length), value])),
  }
}
