import Libsql from 'libsql'
import { checksOf, type StoredKeyChecks } from '../key-checks.ts'

const BUSY_MS = 5_000

/** Reads them beside whoever uses the catalogue, before anything else is opened. @param file is there */
export function readKeyChecks(file: string): StoredKeyChecks {
  const reader = new Libsql(file, { timeout: BUSY_MS })
  try {
    reader.exec('PRAGMA query_only = ON')
    const isSeeded = reader.prepare("SELECT 1 FROM sqlite_master WHERE name = 'settings'").all([]).length > 0
    const rows = (isSeeded ? reader.prepare('SELECT key, value FROM settings').all([]) : []) as {
      readonly key: string
      readonly value: string
    }[]
    return checksOf(rows)
  } finally {
    reader.close()
  }
}
