import { createHmac, randomBytes } from 'node:crypto'
import { type DestinationStream, pino, stdTimeFunctions } from 'pino'

/**
 * JSON lines on standard output, one wide line for each unit of work (`event.received`, `delivery.attempted`). Fields
 * whose names speak of secrets or content are never written, device IDs only as keyed hashes, and a message that comes
 * too often is thinned with a count of what was left out. Source: spec/security.md [SEC-63], [SEC-88], [OPS-43].
 */
export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}
export type LogFields = Readonly<Record<string, unknown>>
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

export interface LogOptions {
  readonly level: LogLevel
  /** Default: standard output, written at once so that a crash loses no line. */
  readonly destination?: DestinationStream
  /** Key of the hashes that stand for device IDs; default: a new one, so that hashes of two runs cannot be joined. */
  readonly hashKey?: Buffer
  /** Lines of one message kind each second; the rest is counted. */
  readonly linesPerSecondMax?: number
  /** Monotonic milliseconds. */
  readonly monotonicMs?: () => number
}

const TEXT_LENGTH_MAX = 1_000
const DEPTH_MAX = 4
const SECRET_NAME =
  /cookie|authorization|token|secret|password|credential|private|signature|consent_?string|gdpr_?consent|^gpp$|masterkey|^keys?$|^body$|^query$/i
const DEVICE_ID = /[0-9]{38}/g

export function createLog(options: LogOptions): Log {
  const writer = pino(
    {
      level: options.level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    options.destination ?? standardOutput(),
  )
  const clean = createCleaner(options.hashKey ?? randomBytes(16))
  const admit = createThinner(options.linesPerSecondMax ?? 50, options.monotonicMs ?? (() => performance.now()))
  const write =
    (level: Exclude<LogLevel, 'silent'>) =>
    (message: string, fields: LogFields = {}) => {
      if (!writer.isLevelEnabled(level)) return
      const admitted = admit(message)
      if (admitted === undefined) return
      writer[level](admitted.left === 0 ? clean(fields) : { ...clean(fields), linesLeftOut: admitted.left }, message)
    }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

/** Lines that wait for room; what comes then is left out. */
const WAITING_BYTES_MAX = 1024 * 1024

/**
 * Standard output may be a file on a disk that is full: what goes on must not end for the want of a line [SEC-12]. The lines
 * wait, within a bound, and are written when there is room again.
 */
function standardOutput(): DestinationStream {
  const out = pino.destination({ dest: 1, sync: true, maxLength: WAITING_BYTES_MAX })
  out.on('error', () => {})
  return out
}

/** A log that writes nothing, for tests and embedded use. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }

/** Up to `perSecond` of each kind; then undefined, and the next one let through tells how many were left out. */
function createThinner(perSecond: number, monotonicMs: () => number) {
  const kinds = new Map<string, { second: number; lines: number; left: number }>()
  return (message: string): { readonly left: number } | undefined => {
    const second = Math.floor(monotonicMs() / 1000)
    const kind = kinds.get(message) ?? { second, lines: 0, left: 0 }
    kinds.set(message, kind)
    if (kind.second !== second) Object.assign(kind, { second, lines: 0 })
    kind.lines += 1
    if (kind.lines > perSecond) {
      kind.left += 1
      return undefined
    }
    const left = kind.left
    kind.left = 0
    return { left }
  }
}

function createCleaner(hashKey: Buffer) {
  const hashed = (id: string) => `id:${createHmac('sha256', hashKey).update(id).digest('hex').slice(0, 12)}`
  const cleanText = (text: string) => {
    const short = text.length > TEXT_LENGTH_MAX ? `${text.slice(0, TEXT_LENGTH_MAX)}...` : text
    return short.replace(DEVICE_ID, hashed)
  }
  const cleanValue = (value: unknown, depth: number): unknown => {
    if (typeof value === 'string') return cleanText(value)
    if (value instanceof Error) return cleanError(value, depth)
    if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`
    if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? String(value) : value
    if (depth >= DEPTH_MAX) return '[deeper]'
    if (Array.isArray(value)) return value.slice(0, 50).map((one) => cleanValue(one, depth + 1))
    return cleanFields(value as Record<string, unknown>, depth + 1)
  }
  const cleanError = (error: Error, depth: number): Record<string, unknown> => ({
    type: error.name,
    message: cleanText(error.message),
    ...('code' in error ? { code: String(error.code) } : {}),
    stack: cleanText(error.stack ?? ''),
    ...(error.cause === undefined || depth >= DEPTH_MAX ? {} : { cause: cleanValue(error.cause, depth + 1) }),
  })
  const cleanFields = (fields: LogFields, depth: number): Record<string, unknown> => {
    const cleaned: Record<string, unknown> = {}
    for (const [name, value] of Object.entries(fields)) {
      // `__proto__` as an own key would otherwise set the prototype [SEC-06].
      if (name === '__proto__') continue
      cleaned[name] = SECRET_NAME.test(name) ? '[redacted]' : cleanValue(value, depth)
    }
    return cleaned
  }
  return (fields: LogFields): Record<string, unknown> => cleanFields(fields, 0)
}
