import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import type {
  CallHandler,
  CallOutcome,
  CollectedCall,
  OptOutCall,
  OptOutLevel,
  OptOutOutcome,
} from '../model/collected-call.ts'
import type { DataSource, Destination, IdType } from '../model/definitions.ts'
import type { Directory } from '../model/directory.ts'
import type { DataSourceId, DestinationId, DeviceId, SegmentId, TraitId } from '../model/ids.ts'
import { freePort } from '../testkit/free-port.ts'
import type { EdgeParts, RequestRecord } from './edge.ts'
import { DEFAULT_EDGE_CONFIG, type EdgeConfig } from './edge-config.ts'
import { startEdge } from './edge-server.ts'

/** A real edge on loopback with a handler that writes down what it is asked, for the tests of this room. */
export const NOW_MS = Date.UTC(2026, 10, 22, 12)
export const DEVICE = '12345678901234567890123456789012345678' as DeviceId
export const NEW_DEVICE = '22920112968019678612904394744954398990' as DeviceId
export const ECID = '54192285857942994142875423154873503351'

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly cookies: readonly string[]
  readonly text: string
  readonly bytes: Buffer
  json(): Record<string, unknown>
  codes(): readonly number[]
}

export interface CallOptions {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer
}

export interface TestEdge extends AsyncDisposable {
  readonly port: number
  readonly calls: CollectedCall[]
  readonly optOuts: OptOutCall[]
  readonly records: RequestRecord[]
  readonly rejected: string[]
  readonly blockedRedirects: string[]
  readonly faults: unknown[]
  readonly callerWarnings: number[]
  /** Sends a target as it is, on the host `yourcompany.demdex.net` unless another is given. */
  call(target: string, options?: CallOptions): Promise<Reply>
  /** Writes bytes and returns all that comes back until the connection ends, or for `waitMs`. */
  raw(bytes: string | Buffer, waitMs?: number): Promise<string>
  close(): Promise<void>
}

export interface TestSetup {
  readonly config?: Partial<EdgeConfig>
  readonly directory?: Directory
  readonly process?: (call: CollectedCall) => Promise<CallOutcome>
  readonly optOut?: (call: OptOutCall) => Promise<OptOutOutcome>
  readonly optOutLevel?: OptOutLevel
  readonly ready?: EdgeParts['ready']
  readonly overloaded?: () => boolean
  readonly nowMs?: () => number
  readonly firstVisitKey?: Buffer
}

export async function startTestEdge(setup: TestSetup = {}): Promise<TestEdge> {
  const calls: CollectedCall[] = []
  const optOuts: OptOutCall[] = []
  const records: RequestRecord[] = []
  const rejected: string[] = []
  const blockedRedirects: string[] = []
  const faults: unknown[] = []
  const callerWarnings: number[] = []
  const handler: CallHandler = {
    process(call) {
      calls.push(call)
      return (setup.process ?? defaultOutcome)(call)
    },
    optOut(call) {
      optOuts.push(call)
      return (setup.optOut ?? defaultOptOut)(call)
    },
    optOutStatus: () => Promise.resolve(setup.optOutLevel),
  }
  const directory = setup.directory ?? testDirectory()
  const port = await freePort()
  const edge = await startEdge({
    config: { ...DEFAULT_EDGE_CONFIG, ...setup.config, port },
    handler,
    directory: () => directory,
    clock: setup.nowMs ?? (() => NOW_MS),
    ready: setup.ready ?? (() => []),
    overloaded: setup.overloaded ?? (() => false),
    ...(setup.firstVisitKey === undefined ? {} : { firstVisitKey: setup.firstVisitKey }),
    onRequest: (record) => records.push(record),
    onRejected: (code) => rejected.push(code),
    onRedirectBlocked: (reason) => blockedRedirects.push(reason),
    onFault: (error) => faults.push(error),
    onCallerOverLimit: (kind) => callerWarnings.push(kind),
  })
  return {
    port,
    calls,
    optOuts,
    records,
    rejected,
    blockedRedirects,
    faults,
    callerWarnings,
    call: (target, options) => sendCall(port, target, options),
    raw: (bytes, waitMs) => sendRaw(port, bytes, waitMs),
    close: () => edge.close(),
    [Symbol.asyncDispose]: () => edge.close(),
  }
}

/** What the pipeline answers in the simplest case; the device follows the order of [COL-69]. */
export function defaultOutcome(call: CollectedCall): Promise<CallOutcome> {
  const source =
    call.deviceId !== undefined
      ? 'parameter'
      : call.ecid !== undefined
        ? 'ecid'
        : call.cookieDeviceId !== undefined
          ? 'cookie'
          : 'new'
  return Promise.resolve({
    status: 'processed',
    deviceId: call.deviceId ?? (call.ecid === undefined ? (call.cookieDeviceId ?? NEW_DEVICE) : NEW_DEVICE),
    source,
    ecid: call.ecid ?? ECID,
    traits: call.wantsMemberships ? [420020 as TraitId, 5421506 as TraitId] : [],
    segments: call.wantsMemberships ? [984263 as SegmentId, 985264 as SegmentId] : [],
    errors: [],
  })
}

function defaultOptOut(call: OptOutCall): Promise<OptOutOutcome> {
  const ids = [
    call.deviceId,
    ...call.declaredIds.map((id) => `${id.dataSourceId}:${id.id}`),
    call.ecid,
    call.cookieDeviceId,
  ]
  return Promise.resolve({ ids: ids.filter((id) => id !== undefined), deviceId: undefined })
}

export function sendCall(port: number, target: string, options: CallOptions = {}): Promise<Reply> {
  const headers = { host: 'yourcompany.demdex.net', ...options.headers }
  const method = options.method ?? 'GET'
  return new Promise((resolve, reject) => {
    const message = httpRequest(
      { host: '127.0.0.1', port, path: target, method, headers, agent: false },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const bytes = Buffer.concat(chunks)
          const text = bytes.toString('utf8')
          const header = response.headers['x-error']
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            cookies: response.headers['set-cookie'] ?? [],
            text,
            bytes,
            json: () => JSON.parse(text) as Record<string, unknown>,
            codes: () => (typeof header === 'string' ? header.split(',').map(Number) : []),
          })
        })
      },
    )
    message.on('error', reject)
    message.end(options.body)
  })
}

export function sendRaw(port: number, bytes: string | Buffer, waitMs = 2000): Promise<string> {
  return new Promise((resolve) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    const timer = setTimeout(() => socket.destroy(), waitMs)
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1')
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(answer)
    })
  })
}

export function form(body: string): CallOptions {
  return { method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded' } }
}

export function dataSource(id: number, options: Partial<Omit<DataSource, 'dataSourceId'>> = {}): DataSource {
  return {
    dataSourceId: id as DataSourceId,
    name: `data source ${id}`,
    integrationCode: undefined,
    idType: 'COOKIE',
    status: 'ACTIVE',
    retentionDays: 720,
    isGlobal: false,
    redirectHosts: [],
    sync: undefined,
    ...options,
  }
}

/** 123, 456, 543 and 5678 are of persons; `ic` names data source 900; the global ones have their codes. */
export function testDirectory(
  extra: readonly DataSource[] = [],
  vendorDestinations: readonly Destination[] = [],
): Directory {
  const crossDevice: { readonly idType: IdType } = { idType: 'CROSS_DEVICE' }
  const own = [
    dataSource(123, crossDevice),
    dataSource(456, { ...crossDevice, integrationCode: '456' }),
    dataSource(543, { ...crossDevice, integrationCode: '543' }),
    dataSource(5678, crossDevice),
    dataSource(900, { ...crossDevice, integrationCode: 'ic' }),
    dataSource(901, { integrationCode: 'one' }),
    dataSource(902, { integrationCode: 'MyHashedEmailDataSource' }),
    dataSource(903, { integrationCode: 'MyCRMDataSource' }),
    ...[1, 2, 3, 4].map((id) => dataSource(id)),
    ...[20914, 20915, 121963, 389146, 963906, 488258, 1171485, 1171489].map((id) =>
      dataSource(id, { isGlobal: true, idType: 'DEVICE_ADVERTISING_ID', integrationCode: `DSID_${id}` }),
    ),
    ...extra,
  ]
  return {
    dataSources: new Map(own.map((source) => [source.dataSourceId, source])),
    byIntegrationCode: new Map(
      own.flatMap((source) => (source.integrationCode === undefined ? [] : [[source.integrationCode, source]])),
    ),
    syncs: own.filter((source) => source.sync !== undefined),
    vendorDestinations,
  }
}

export function vendorDestination(id: number, vendorId: number): Destination {
  return {
    destinationId: id as DestinationId,
    name: `destination ${id}`,
    destinationType: 'S2S',
    status: 'ACTIVE',
    vendorId,
    mappingVersion: 1,
    config: {},
  }
}
