import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'

/**
 * The envelope of a backup [SEC-90], version 2. In clear: `USHERBKP`, version (1 byte), length of the header (4 bytes,
 * big-endian), header (JSON). Then chunks: 1 for the last or 0, length of the sealed bytes (4), sealed bytes, tag (16).
 * AES-256-GCM; the nonce is the number of the chunk, and whether it is the last is bound to it, so that nothing can be cut off,
 * left out or moved. The key is derived from the master key, a salt of its own and the hash of the header.
 */
const MAGIC = Buffer.from('USHERBKP')
/** Raised with the layout of the records in it: those of another one cannot be read. */
const VERSION = 2
const TAG_BYTES = 16
const HEADER_BYTES_MAX = 4_096
/** Far above the largest record; what claims to be longer is damaged. */
const CHUNK_BYTES_MAX = 128 * 1024 * 1024

/** In clear, for whoever looks for the right one. */
export interface BackupHeader {
  /** ISO 8601. */
  readonly createdAt: string
  readonly usherVersion: string
  /** Account number (`pid`). */
  readonly account: number
}

interface WholeHeader extends BackupHeader {
  readonly salt: string
  /** Tells a wrong master key from damage. */
  readonly keyCheck: string
}

/** The file is no whole backup, or the key is another. Nothing in it may be used. */
export class BackupRefusedError extends Error {
  readonly code = 'backup_refused'
}

/** @param chunks each becomes one sealed chunk */
export async function* sealStream(
  chunks: AsyncIterable<Buffer>,
  header: BackupHeader,
  masterKey: Buffer,
): AsyncGenerator<Buffer> {
  const salt = randomBytes(32)
  const whole: WholeHeader = {
    ...header,
    salt: salt.toString('base64'),
    keyCheck: keyCheck(masterKey, salt).toString('base64'),
  }
  const text = Buffer.from(JSON.stringify(whole))
  const start = Buffer.alloc(5)
  start[0] = VERSION
  start.writeUInt32BE(text.length, 1)
  yield Buffer.concat([MAGIC, start, text])

  const key = deriveKey(masterKey, salt, text)
  let number = 0
  const seal = (chunk: Buffer, isLast: boolean) => {
    const cipher = createCipheriv('aes-256-gcm', key, nonceOf(number++)).setAAD(Buffer.of(isLast ? 1 : 0))
    const head = Buffer.alloc(5)
    head[0] = isLast ? 1 : 0
    head.writeUInt32BE(chunk.length, 1)
    return Buffer.concat([head, cipher.update(chunk), cipher.final(), cipher.getAuthTag()])
  }
  for await (const chunk of chunks) yield seal(chunk, false)
  yield seal(Buffer.alloc(0), true)
}

export interface OpenedStream {
  readonly header: BackupHeader
  /** What was sealed, chunk by chunk; ends only when the last one was verified. @throws BackupRefusedError */
  readonly chunks: AsyncIterable<Buffer>
}

/** @throws BackupRefusedError */
export async function openStream(source: AsyncIterable<Buffer>, masterKey: Buffer): Promise<OpenedStream> {
  const bytes = new Taker(source)
  const start = await bytes.take(MAGIC.length + 5).catch(() => Buffer.alloc(MAGIC.length + 5))
  if (!start.subarray(0, MAGIC.length).equals(MAGIC)) throw new BackupRefusedError('this is no backup of Usher')
  const version = start[MAGIC.length]
  if (version !== VERSION)
    throw new BackupRefusedError(
      `the backup has format ${version}, and this Usher knows only ${VERSION}: restore it with the version of Usher that made it`,
    )
  const text = await bytes.take(lengthWithin(start.readUInt32BE(MAGIC.length + 1), HEADER_BYTES_MAX, 'its header'))
  const header = readHeader(text)
  const salt = Buffer.from(header.salt, 'base64')
  const check = Buffer.from(header.keyCheck, 'base64')
  const expected = keyCheck(masterKey, salt)
  if (check.length !== expected.length || !timingSafeEqual(check, expected))
    throw new BackupRefusedError(
      'the backup was made with another master key: give the one of that installation with USHER_MASTER_KEY or --master-key-file',
    )
  return { header, chunks: openChunks(bytes, deriveKey(masterKey, salt, text)) }
}

async function* openChunks(bytes: Taker, key: Buffer): AsyncGenerator<Buffer> {
  for (let number = 0; ; number++) {
    const what = `chunk ${number}`
    const head = await bytes.take(5)
    const length = lengthWithin(head.readUInt32BE(1), CHUNK_BYTES_MAX, what)
    const sealed = await bytes.take(length + TAG_BYTES)
    const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(number), { authTagLength: TAG_BYTES })
      .setAAD(head.subarray(0, 1))
      .setAuthTag(sealed.subarray(length))
    let chunk: Buffer
    try {
      chunk = Buffer.concat([decipher.update(sealed.subarray(0, length)), decipher.final()])
    } catch (cause) {
      throw damaged(`${what} fails its checksum`, cause)
    }
    if (head[0] === 1) break
    yield chunk
  }
  if (!(await bytes.isAtEnd())) throw damaged('it goes on behind its end')
}

function readHeader(text: Buffer): WholeHeader {
  try {
    const header = JSON.parse(text.toString('utf8')) as Partial<Record<keyof WholeHeader, unknown>>
    const { createdAt, usherVersion, account, salt, keyCheck: check } = header
    if (typeof createdAt === 'string' && typeof usherVersion === 'string' && typeof account === 'number')
      if (typeof salt === 'string' && typeof check === 'string')
        return { createdAt, usherVersion, account, salt, keyCheck: check }
  } catch {
    // Told below.
  }
  throw damaged('its header cannot be read')
}

function lengthWithin(length: number, max: number, what: string): number {
  if (length > max) throw damaged(`${what} cannot be ${length} bytes long`)
  return length
}

function damaged(what: string, cause?: unknown): BackupRefusedError {
  return new BackupRefusedError(`the backup is damaged: ${what}. Take another copy of it, or another backup`, { cause })
}

function deriveKey(masterKey: Buffer, salt: Buffer, header: Buffer): Buffer {
  const hash = createHash('sha256').update(header).digest('hex')
  return Buffer.from(hkdfSync('sha256', masterKey, salt, `usher backup ${VERSION} ${hash}`, 32))
}

function keyCheck(masterKey: Buffer, salt: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', masterKey, salt, 'usher backup key check', 16))
}

function nonceOf(number: number): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUIntBE(number, 6, 6)
  return nonce
}

/** Bytes of a stream, so many at a time. */
class Taker {
  readonly #source: AsyncIterator<Buffer>
  #parts: Buffer[] = []
  #length = 0

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** @throws BackupRefusedError when the stream ends before */
  async take(length: number): Promise<Buffer> {
    while (this.#length < length) if (!(await this.#more())) throw damaged('it ends too early')
    const all = this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts)
    this.#parts = [all.subarray(length)]
    this.#length -= length
    return all.subarray(0, length)
  }

  async isAtEnd(): Promise<boolean> {
    return this.#length === 0 && !(await this.#more())
  }

  async #more(): Promise<boolean> {
    const { done, value } = await this.#source.next()
    if (done) return false
    this.#parts.push(value)
    this.#length += value.length
    return true
  }
}
