import type { IncomingMessage } from 'node:http'
import { createGunzip, type Gunzip } from 'node:zlib'
import type { EdgeLimits } from './edge-config.ts'

/** What arrived behind the head of a POST [SEC-01], [SEC-05]. */
export type BodyRead =
  /** `oversize`: more than is processed, read on only for the form of the answer [COL-15]. */
  | { readonly status: 'read'; readonly bytes: Buffer; readonly oversize: boolean }
  /** Over the hard limit, a bomb, or an encoding other than one layer of gzip: 413 and close. */
  | { readonly status: 'refused'; readonly reason: 'body_too_large' | 'body_encoding' | 'body_ratio' }
  /** Its gzip stream is broken: a malformed call. */
  | { readonly status: 'malformed' }
  /** The client went away. */
  | { readonly status: 'aborted' }

const RATIO_MAX = 200
/** Decoded bytes from which on the ratio is watched: a small form may well be all blanks. */
const RATIO_FREE_BYTES = 65_536

export function readBody(message: IncomingMessage, limits: EdgeLimits): Promise<BodyRead> {
  const encoding = (message.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  const isGzip = encoding === 'gzip' || encoding === 'x-gzip'
  if (!isGzip && encoding !== 'identity' && encoding !== '') {
    return Promise.resolve({ status: 'refused', reason: 'body_encoding' })
  }
  const announced = Number(message.headers['content-length'] ?? 0)
  if (announced > limits.bodyBytesMax) return Promise.resolve({ status: 'refused', reason: 'body_too_large' })
  return new Promise((resolve) => collect(message, isGzip ? createGunzip() : undefined, limits, resolve))
}

function collect(
  message: IncomingMessage,
  gunzip: Gunzip | undefined,
  limits: EdgeLimits,
  resolve: (result: BodyRead) => void,
): void {
  const chunks: Buffer[] = []
  let received = 0
  let decoded = 0
  const source = gunzip ?? message

  const finish = (result: BodyRead): void => {
    source.removeListener('data', onData)
    if (result.status !== 'read') {
      message.unpipe()
      gunzip?.destroy()
    }
    resolve(result)
  }
  const onData = (chunk: Buffer): void => {
    decoded += chunk.length
    const isBomb = gunzip !== undefined && decoded > RATIO_FREE_BYTES && decoded > RATIO_MAX * received
    if (decoded > limits.bodyBytesMax) finish({ status: 'refused', reason: 'body_too_large' })
    else if (isBomb) finish({ status: 'refused', reason: 'body_ratio' })
    else chunks.push(chunk)
  }
  source.on('data', onData)
  source.once('end', () =>
    finish({ status: 'read', bytes: Buffer.concat(chunks), oversize: decoded > limits.formBytesMax }),
  )
  message.once('error', () => finish({ status: 'aborted' }))
  message.once('close', () => {
    if (!message.complete) finish({ status: 'aborted' })
  })
  if (gunzip === undefined) return
  message.on('data', (chunk: Buffer) => {
    received += chunk.length
  })
  // A stream destroyed by us may still report an error.
  gunzip.on('error', () => finish({ status: 'malformed' }))
  message.pipe(gunzip)
}
