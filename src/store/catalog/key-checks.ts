import Libsql from 'libsql'
import { openVault } from './secrets.ts'

/** What a catalogue knows of the keys of its data directory; each part is absent before it was first written. */
export interface StoredKeyChecks {
  /** Throws where it is another than the one that the secrets were sealed with. */
  readonly openWith?: (masterKey: Buffer) => void
  /** Checks of the others, by the names of their files. */
  readonly checks: ReadonlyMap<string, string>
}

const BUSY_SECONDS = 5
const PREFIX = 'key_check:'

export function settingOf(name: string): string {
  return `${PREFIX}${name}`
}

/** Reads them beside whoever uses the catalogue, before anything else is opened. @param file is there */
export function readKeyChecks(file: string): StoredKeyChecks {
  const reader = new Libsql(file, { timeout: BUSY_SECONDS })
  try {
    reader.exec('PRAGMA query_only = ON')
    const isSeeded = reader.prepare("SELECT 1 FROM sqlite_master WHERE name = 'settings'").all([]).length > 0
    const rows = (isSeeded ? reader.prepare('SELECT key, value FROM settings').all([]) : []) as Setting[]
    const wrapped = rows.find(({ key }) => key === 'data_key')?.value
    const checks = rows.filter(({ key }) => key.startsWith(PREFIX))
    return {
      ...(wrapped !== undefined && { openWith: (masterKey: Buffer) => void openVault(masterKey, wrapped) }),
      checks: new Map(checks.map(({ key, value }) => [key.slice(PREFIX.length), value])),
    }
  } finally {
    reader.close()
  }
}

interface Setting {
  readonly key: string
  readonly value: string
}
