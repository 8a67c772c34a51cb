import { performance } from 'node:perf_hooks'
import { gunzipSync, constants as zlib } from 'node:zlib'
import type { Dispatcher } from 'undici'
import { awaited } from './bounded-client.ts'
import { classifyNetworkError, type EgressErrorCode } from './egress-error.ts'

/** Body bytes read of an answer, and of its decompressed form [SEC-27]. */
export const RESPONSE_BODY_BYTES_MAX = 64 * 1024

/** Tells apart before, during and after sending (style.md, Errors). */
export type EgressAnswer =
  | {
      readonly status: 'answered'
      readonly httpStatus: number
      /** Lower-case names; several values of a name are joined by `, `. */
      readonly headers: Readonly<Record<string, string>>
      /** At most 64 KiB, one gzip layer removed. */
      readonly body: Buffer
      /** The body was longer, slower or broken: `body` is only its beginning. */
      readonly isCut: boolean
      /** The body is not what its `Content-Encoding` says: there is nothing of it in `body`. */
      readonly isGarbled: boolean
      /** To the end of the headers. */
      readonly durationMs: number
    }
  /** Not one byte of the request left: safe to redo. */
  | {
      readonly status: 'not_sent'
      readonly error: EgressErrorCode
      readonly detail: string | null
      readonly durationMs: number
    }
  /** Bytes left and no answer came: it may have arrived. */
  | {
      readonly status: 'unknown'
      readonly error: EgressErrorCode
      readonly detail: string | null
      readonly durationMs: number
    }

export interface ExchangeLimits {
  readonly timeoutMs: number
  /** For the body, after the headers; left out, as long as the deadline allows. */
  readonly bodyTimeoutMs?: number | undefined
  /** The headers are there: the answer counts, whatever becomes of its body. */
  readonly onHead?: ((httpStatus: number) => void) | undefined
}

/**
 * One request and its bounded answer. The deadline covers everything: waiting for a connection, connecting, sending,
 * headers, body. An answer whose headers came in time counts, however its body ends.
 */
export function exchange(
  pool: Dispatcher,
  request: Dispatcher.DispatchOptions,
  { timeoutMs, bodyTimeoutMs = timeoutMs, onHead }: ExchangeLimits,
): Promise<EgressAnswer> {
  return new Promise((resolve) => {
    const startedAt = performance.now()
    let controller: Dispatcher.DispatchController | undefined
    let httpStatus = 0
    let headMs = 0
    let headers: Readonly<Record<string, string>> = {}
    let bodyBytes = 0
    const chunks: Buffer[] = []
    let isSettled = false
    const progress = { hasHead: false }
    awaited.set(request, progress)
    const giveUp = () => {
      fail('timeout', null)
      controller?.abort(new Error('deadline'))
    }
    let deadline = setTimeout(giveUp, timeoutMs)

    function settle(answer: EgressAnswer): void {
      if (isSettled) return
      isSettled = true
      awaited.delete(request)
      clearTimeout(deadline)
      resolve(answer)
    }
    function answered(isCut: boolean): void {
      settle({ status: 'answered', httpStatus, headers, ...decode(chunks, headers, isCut), durationMs: headMs })
    }
    function fail(error: EgressErrorCode, detail: string | null): void {
      const durationMs = performance.now() - startedAt
      if (httpStatus !== 0) answered(true)
      else settle({ status: controller === undefined ? 'not_sent' : 'unknown', error, detail, durationMs })
    }

    pool.dispatch(request, {
      // Called when a connection stands and the first byte is about to be written.
      onRequestStart(started) {
        if (isSettled) started.abort(new Error('deadline'))
        controller = started
      },
      onResponseStart(_controller, status, fields) {
        // Interim answers (1xx) say nothing.
        if (status < 200) return
        httpStatus = status
        progress.hasHead = true
        headers = flatten(fields)
        headMs = performance.now() - startedAt
        clearTimeout(deadline)
        deadline = setTimeout(giveUp, Math.min(bodyTimeoutMs, Math.max(0, timeoutMs - headMs)))
        onHead?.(status)
      },
      onResponseData(_controller, chunk) {
        const rest = RESPONSE_BODY_BYTES_MAX - bodyBytes
        bodyBytes += chunk.length
        chunks.push(chunk.length > rest ? chunk.subarray(0, rest) : chunk)
        if (chunk.length <= rest) return
        answered(true)
        controller?.abort(new Error('body too large'))
      },
      onResponseEnd: () => answered(false),
      onResponseError(_controller, error) {
        const sorted = classifyNetworkError(error)
        fail(sorted.error, sorted.detail)
      },
    })
  })
}

function flatten(fields: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const flat: Record<string, string> = Object.create(null)
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return flat
}

const empty = Buffer.alloc(0)

function decode(
  chunks: readonly Buffer[],
  headers: Readonly<Record<string, string>>,
  isCut: boolean,
): { readonly body: Buffer; readonly isCut: boolean; readonly isGarbled: boolean } {
  const first = chunks[0]
  if (first === undefined) return { body: empty, isCut, isGarbled: false }
  const body = chunks.length === 1 ? first : Buffer.concat(chunks)
  const encoding = headers['content-encoding']?.trim().toLowerCase()
  if (encoding !== 'gzip' && encoding !== 'x-gzip') return { body, isCut, isGarbled: false }
  try {
    // A flush at the end gives what a cut body holds so far.
    const finishFlush = isCut ? zlib.Z_SYNC_FLUSH : zlib.Z_FINISH
    const unpacked = gunzipSync(body, { maxOutputLength: RESPONSE_BODY_BYTES_MAX, finishFlush })
    return { body: unpacked, isCut, isGarbled: false }
  } catch (error) {
    // Damaged, or larger than the bound once unpacked.
    const isTooLarge = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
    return { body: empty, isCut: true, isGarbled: !isTooLarge }
  }
}
