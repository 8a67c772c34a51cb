import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { freePort } from './free-port.ts'
import { postgresFolder, postgresUser } from './postgres-programs.mjs'

export interface TestPostgres extends AsyncDisposable {
  /** An empty database of its own. @returns its address */
  createDatabase(): Promise<string>
  /** For everybody else, at once. */
  dropDatabase(url: string): Promise<void>
  /** Ends every connection but its own. */
  disconnectAll(): Promise<void>
}

/** Runs a program until standard input ends, which it does too when the test is killed. */
const UNTIL_CLOSED = '"$@" & read -r nothing; kill -INT $!; wait'

const READY_TRIES_MAX = 300
const READY_PAUSE_MS = 100

/**
 * A PostgreSQL of its own in a temporary folder, on loopback, that keeps nothing: fsync is off. Names are compared there as a
 * person would, unless a column says otherwise, and a commit does not wait for the device, unless a connection does.
 */
export async function startPostgres(): Promise<TestPostgres> {
  const programs = postgresFolder()
  const user = postgresUser()
  if (programs === undefined || user === null)
    throw new Error('no PostgreSQL here: apt-get install -y --no-install-recommends postgresql')
  const folder = await mkdtemp(join(tmpdir(), 'usher-postgres-'))
  if (user !== undefined) chownSync(folder, user.uid, user.gid)
  const options = { cwd: folder, ...user }
  const data = join(folder, 'data')
  const setUp = ['-D', data, '-U', 'usher', '--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync']
  const made = spawnSync(join(programs, 'initdb'), setUp, options)
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`)

  const port = await freePort()
  const settings = ['synchronous_commit=off', 'full_page_writes=off'].flatMap((setting) => ['-c', setting])
  const place = ['-D', data, '-p', String(port), '-k', folder, '-h', '127.0.0.1', '-F']
  const command = ['-c', UNTIL_CLOSED, 'sh', join(programs, 'postgres'), ...place, ...settings]
  const server = spawn('/bin/sh', command, { ...options, stdio: ['pipe', 'ignore', 'ignore'] })

  const urlOf = (database: string) => `postgres://usher@127.0.0.1:${port}/${database}`
  const admin = await connectWhenReady(urlOf('postgres'), server)
  // As on machines whose language is English: capitals beside small letters, signs passed over.
  await admin.query(`create database empty template template0 encoding 'UTF8' locale_provider icu icu_locale 'en-US'
    locale 'C.UTF-8'`)
  let count = 0
  return {
    async createDatabase() {
      const name = `test_${++count}`
      await admin.query(`create database ${name} template empty`)
      return urlOf(name)
    },
    async dropDatabase(url) {
      await admin.query(`drop database ${new URL(url).pathname.slice(1)} with (force)`)
    },
    async disconnectAll() {
      await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity
        where pid <> pg_backend_pid() and backend_type = 'client backend'`)
    },
    async [Symbol.asyncDispose]() {
      await admin.end()
      server.stdin.end()
      if (server.exitCode === null) await once(server, 'exit')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function connectWhenReady(url: string, server: ChildProcess): Promise<pg.Client> {
  for (let tries = 1; ; tries++) {
    const client = new pg.Client(url)
    try {
      await client.connect()
      return client
    } catch (error) {
      if (tries === READY_TRIES_MAX || server.exitCode !== null) throw error
      await sleep(READY_PAUSE_MS)
    }
  }
}
