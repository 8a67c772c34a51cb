import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { DestinationType } from '../activation/destinations/define-destination.ts'
import type {
  AdminConfig,
  AdminParts,
  DeliveryControl,
  DeliveryReader,
  DenyListDesk,
  ProfileReader,
  ReplayControl,
} from '../api/parts.ts'
import { type Admin, startAdmin } from '../api/start-admin.ts'
import { parseSegmentRule } from '../audience/rules/segment-rule.ts'
import { checkTraitRule } from '../audience/rules/trait-rule.ts'
import type { LogFields } from '../lib/log.ts'
import { destinationTypes } from '../main/destination-types.ts'
import { type Catalog, openCatalog } from '../store/catalog/catalog.ts'
import type { Limits } from '../store/catalog/limits.ts'
import { openSqlite } from '../store/catalog/sqlite/sqlite-engine.ts'
import { freePort } from './free-port.ts'

export const TEST_TOKEN = 'a-test-token-of-forty-characters-length!'
export const TEST_NOW_MS = Date.UTC(2026, 10, 22, 12)

export interface TestAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Parsed JSON, undefined for an empty body. Tests look into it freely. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads members of answers of every shape
  readonly body: any
}

export interface TestAdmin extends AsyncDisposable {
  readonly admin: Admin
  readonly catalog: Catalog
  /** Path of the catalogue's file. */
  readonly file: string
  readonly log: { readonly message: string; readonly fields: LogFields }[]
  /** @param body sent as JSON; @param headers over the usual ones of a client [API-6] */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<TestAnswer>
  /** Stops server and catalogue and starts both again on the same file. */
  restart(): Promise<void>
}

export interface TestAdminOptions {
  readonly config?: Partial<AdminConfig>
  readonly limits?: Partial<Limits>
  readonly profiles?: ProfileReader
  readonly deliveries?: DeliveryReader
  readonly replays?: ReplayControl
  readonly denyList?: DenyListDesk
  readonly delivery?: DeliveryControl
  readonly ready?: AdminParts['ready']
  readonly overview?: AdminParts['overview']
  readonly live?: AdminParts['live']
  /** In place of those that are built. */
  readonly destinationTypes?: readonly DestinationType[]
  readonly uiFolder?: string
}

/** A listening admin server over a catalogue in a temporary folder, with the real rule parsers and destination types. */
export async function startTestAdmin(options: TestAdminOptions = {}): Promise<TestAdmin> {
  const folder = await mkdtemp(join(tmpdir(), 'usher-admin-'))
  const file = join(folder, 'catalog.sqlite')
  const log: TestAdmin['log'] = []
  let nowMs = TEST_NOW_MS
  const clock = {
    now: () => nowMs,
    advance: (byMs: number) => {
      nowMs += byMs
      return nowMs
    },
  }

  const start = async () => {
    const catalog = await openCatalog({
      engine: openSqlite(file),
      masterKey: TEST_MASTER_KEY,
      clock: clock.now,
      ...(options.limits && { limits: options.limits }),
    })
    const record = (message: string, fields: LogFields = {}) => void log.push({ message, fields })
    const admin = await startAdmin({
      config: {
        host: '127.0.0.1',
        port: await freePort(),
        adminTokens: [TEST_TOKEN],
        production: false,
        ...options.config,
      },
      catalog,
      clock: {
        ...clock,
        reading: () => {
          const nowMs = clock.now()
          return { state: 'trusted', nowMs, machineMs: nowMs, leapMs: 0, sinceMs: undefined }
        },
        confirm() {},
        offsetMs: () => 0,
      },
      rules: { checkTraitRule, parseSegmentRule },
      destinationTypes: destinationTypes({ allowPrivate: false }, TEST_MASTER_KEY, options.destinationTypes),
      profiles: options.profiles ?? {
        find: async () => [],
        profile: async () => undefined,
        explain: async () => undefined,
      },
      verifier: { verify: () => Promise.reject(new Error('not asked here')) },
      backups: { start: () => Promise.reject(new Error('not asked here')) },
      deliveries: options.deliveries ?? {
        list: async () => ({ total: 0, list: [] }),
        get: async () => undefined,
      },
      replays: options.replays,
      denyList: options.denyList ?? { list: async () => ({ total: 0, list: [] }), remove: async () => 'unknown' },
      overview: options.overview ?? { read: () => Promise.reject(new Error('not asked here')) },
      live: options.live ?? { subscribe: () => undefined },
      uiFolder: options.uiFolder ?? join(folder, 'web'),
      delivery: options.delivery,
      ready: options.ready ?? (() => []),
      metrics: {
        contentType: 'text/plain; version=0.0.4',
        text: async () => 'usher_up 1\n',
        httpRequest() {},
        authFailure() {},
        rateLimited() {},
      },
      log: { debug: record, info: record, warn: record, error: record },
      version: '0.0.0-test',
      durability: 'process',
    })
    return { catalog, admin }
  }

  let running = await start()
  return {
    get admin() {
      return running.admin
    },
    get catalog() {
      return running.catalog
    },
    file,
    log,
    call: (method, path, body, headers) => call(`${running.admin.url}${path}`, method, body, headers),
    async restart() {
      await running.admin.close()
      await running.catalog.close()
      running = await start()
    },
    async [Symbol.asyncDispose]() {
      await running.admin.close()
      await running.catalog.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export const TEST_MASTER_KEY = Buffer.alloc(32, 7)

async function call(
  url: string,
  method: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<TestAnswer> {
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${TEST_TOKEN}`,
      accept: 'application/json',
      'content-type': 'application/json',
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = text !== '' && response.headers.get('content-type')?.startsWith('application/json') === true
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined }
}
