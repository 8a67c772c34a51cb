// The system's PostgreSQL, for tests against a real one. Node's own modules only: scripts/test.mjs asks too.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Debian keeps each version in a folder of its own, and none of their servers on the path. */
const VERSIONS = '/usr/lib/postgresql'
const OTHERS = ['/usr/local/pgsql/bin', '/opt/homebrew/bin', '/usr/local/bin', '/usr/bin']

/** Folder of `initdb` and `postgres`, the newest there is. Looks each time it is asked: `npm test` installs one and goes on. */
export function postgresFolder() {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS) : []
  const newestFirst = versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(VERSIONS, version, 'bin'))
  return [...newestFirst, ...OTHERS].find((folder) =>
    ['initdb', 'postgres'].every((program) => existsSync(join(folder, program))),
  )
}

/** Whom it runs as: it refuses root. @returns undefined where that is us; null where it cannot be run */
export function postgresUser() {
  if (process.getuid?.() !== 0) return undefined
  const line = readFileSync('/etc/passwd', 'utf8').match(/^postgres:[^:]*:(\d+):(\d+):/m)
  return line === null ? null : { uid: Number(line[1]), gid: Number(line[2]) }
}

export function hasPostgres() {
  return process.platform !== 'win32' && postgresFolder() !== undefined && postgresUser() !== null
}
