import type { Socket } from 'node:net'
import type { TlsOptions } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { CERTIFICATE_KEY, EXPIRED, GOOD, SELF_SIGNED, WRONG_NAME } from './bad-certificates.ts'

/** A receiver that means harm, and the one thing it must achieve with us: a documented end. */
export interface HostileReceiver {
  readonly name: string
  /** Called with each new connection. */
  readonly connected?: (socket: Socket) => void
  /** Called when a request has come; each fits into one packet. */
  readonly asked?: (socket: Socket) => void
  /** It is asked over TLS: with these options it answers as told, or 200; with `none` it knows nothing of TLS. */
  readonly tls?: TlsOptions | 'none'
  /** `acknowledged`: its 200 arrived whole, whatever came after it; otherwise the reason of the failure. */
  readonly ends: 'acknowledged' | string
  /** The request may have arrived. */
  readonly isUnknown?: boolean
  readonly httpStatus?: number
  /** It lets the time of the attempt run out. */
  readonly waits?: true
  /** Its answer is whole: the connection may be used again. */
  readonly isWhole?: true
  /** What is kept of the body. */
  readonly excerpt?: string
}

const TEN_GB = 10_000_000_000
const CHUNK = 64 * 1024
const OK = 'HTTP/1.1 200 OK\r\n'

/** Goes on sending as fast as it is taken, up to some 13 MB a second, until the connection is closed. */
function flood(socket: Socket, part: string | Buffer): void {
  const unit = Buffer.from(part)
  const chunk = Buffer.concat(Array.from({ length: Math.max(1, Math.ceil(CHUNK / unit.length)) }, () => unit))
  const timer = setInterval(() => {
    if (!socket.writableNeedDrain) socket.write(chunk)
  }, 5)
  socket.once('close', () => clearInterval(timer))
}

function everySecond(socket: Socket, text: string): void {
  let at = 0
  const timer = setInterval(() => socket.write(text[at++ % text.length] as string), 1_000)
  socket.once('close', () => clearInterval(timer))
}

const says = (answer: string | Buffer) => (socket: Socket) => void socket.write(answer)
const saysAndFloods = (answer: string, part: string | Buffer) => (socket: Socket) => {
  socket.write(answer)
  flood(socket, part)
}

/** It answers, and the answer is no HTTP. */
const invalid = (name: string, answer: string | Buffer): HostileReceiver => ({
  name,
  asked: says(answer),
  ends: 'response_invalid',
  isUnknown: true,
})
const badTls = (name: string, tls: TlsOptions | 'none', reason: string): HostileReceiver => ({
  name,
  tls,
  ends: reason,
  isUnknown: false,
})
const redirect = (location: string): HostileReceiver => ({
  name: `redirects to ${location}`,
  asked: says(`HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`),
  ends: 'redirect_refused',
  isWhole: true,
  httpStatus: 302,
})

const bomb = gzipSync(Buffer.alloc(50_000_000))
const threefold = gzipSync(gzipSync(gzipSync('deep')))
const gzipped = (encoding: string, body: Buffer) =>
  Buffer.concat([Buffer.from(`${OK}Content-Encoding: ${encoding}\r\nContent-Length: ${body.length}\r\n\r\n`), body])

/** @param innerPort of a listener nobody may be led to */
export function hostileReceivers(innerPort: number): readonly HostileReceiver[] {
  return [
    { name: 'never answers', asked: () => {}, ends: 'timeout', waits: true, isUnknown: true },
    { name: 'accepts and closes', connected: (socket) => void socket.destroy(), ends: 'connection_reset' },
    { name: 'resets instead of answering', asked: (socket) => void socket.resetAndDestroy(), ends: 'connection_reset' },
    {
      name: 'sends one byte a second',
      asked: (socket) => everySecond(socket, 'HTTP/1.1 200 OK\r\n'),
      ends: 'timeout',
      waits: true,
      isUnknown: true,
    },
    {
      name: 'resets in the middle of its headers',
      asked: (socket) => socket.write(`${OK}X-One: 1\r\n`, () => setTimeout(() => socket.resetAndDestroy(), 20)),
      ends: 'connection_reset',
      isUnknown: true,
    },
    {
      name: 'resets after its headers',
      asked: (socket) =>
        socket.write(`${OK}Content-Length: 100\r\n\r\nbegun`, () => setTimeout(() => socket.resetAndDestroy(), 20)),
      ends: 'acknowledged',
    },
    {
      name: 'sends endless headers',
      asked: saysAndFloods(OK, 'x-a: b\r\n'),
      ends: 'response_head_too_large',
      isUnknown: true,
    },
    {
      name: 'sends one endless header line',
      asked: saysAndFloods(`${OK}x-a: `, 'a'),
      ends: 'response_head_too_large',
      isUnknown: true,
    },
    {
      name: 'sends an endless header name',
      asked: saysAndFloods(OK, 'a'),
      ends: 'response_head_too_large',
      isUnknown: true,
    },
    {
      name: 'sends an endless status line',
      asked: saysAndFloods('HTTP/1.1 200 ', 'OK'),
      ends: 'response_head_too_large',
      isUnknown: true,
    },
    {
      name: 'sends a body of 10 GB',
      asked: saysAndFloods(`${OK}Content-Length: ${TEN_GB}\r\n\r\n`, 'x'.repeat(CHUNK)),
      ends: 'acknowledged',
      excerpt: 'x'.repeat(1024),
    },
    {
      name: 'sends endless chunks',
      asked: saysAndFloods(`${OK}Transfer-Encoding: chunked\r\n\r\n`, '4\r\nabcd\r\n'),
      ends: 'acknowledged',
      excerpt: 'abcd'.repeat(256),
    },
    {
      name: 'sends an endless chunk extension',
      asked: saysAndFloods(`${OK}Transfer-Encoding: chunked\r\n\r\n4;`, 'a'),
      ends: 'acknowledged',
      excerpt: '',
    },
    {
      name: 'sends endless trailers',
      asked: saysAndFloods(`${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n`, 'x-a: b\r\n'),
      ends: 'acknowledged',
      excerpt: 'ok',
    },
    {
      name: 'sends a chunk size without end',
      asked: says(`${OK}Transfer-Encoding: chunked\r\n\r\n${'f'.repeat(40)}\r\n`),
      ends: 'acknowledged',
      excerpt: '',
    },
    {
      name: 'encodes its body three times',
      asked: says(gzipped('gzip, gzip, gzip', threefold)),
      ends: 'acknowledged',
      isWhole: true,
      excerpt: threefold.toString('utf8'),
    },
    { name: 'sends a gzip bomb', asked: says(gzipped('gzip', bomb)), ends: 'acknowledged', isWhole: true, excerpt: '' },
    {
      name: 'announces more than it sends, and waits',
      asked: says(`${OK}Content-Length: 100\r\n\r\nshort`),
      ends: 'acknowledged',
      waits: true,
      excerpt: 'short',
    },
    {
      name: 'announces more than it sends, and closes',
      asked: (socket) => void socket.end(`${OK}Content-Length: 100\r\n\r\nshort`),
      ends: 'acknowledged',
      excerpt: 'short',
    },
    {
      name: 'announces less than it sends',
      asked: says(`${OK}Content-Length: 5\r\n\r\nexactly and more`),
      ends: 'acknowledged',
      excerpt: 'exact',
    },
    {
      name: 'names its headers like what every object has',
      asked: says(
        `${OK}__proto__: a\r\n__proto__: b\r\nconstructor: a\r\nconstructor: b\r\ntoString: c\r\nhasOwnProperty: d\r\nContent-Length: 2\r\n\r\nok`,
      ),
      ends: 'acknowledged',
      isWhole: true,
      excerpt: 'ok',
    },
    {
      name: 'sends twenty thousand headers',
      asked: says(`${OK}${'a:\r\n'.repeat(20_000)}Content-Length: 2\r\n\r\nok`),
      ends: 'response_head_too_large',
      isUnknown: true,
    },
    invalid('announces a negative length', `${OK}Content-Length: -5\r\n\r\nhello`),
    invalid('announces two lengths', `${OK}Content-Length: 5\r\nContent-Length: 7\r\n\r\nhello`),
    invalid('announces a length and chunks', `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
    invalid('announces a length beyond all numbers', `${OK}Content-Length: ${'9'.repeat(40)}\r\n\r\nhello`),
    {
      name: 'sends interim answers for ever',
      asked: (socket) => flood(socket, 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'),
      ends: 'response_head_too_large',
      isUnknown: true,
    },
    invalid(
      'switches protocols unasked',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    ),
    invalid('speaks HTTP/0.9', '<html>hello</html>\r\n'),
    invalid('speaks HTTP/2', Buffer.from('00000404000000000000000000', 'hex')),
    invalid('speaks SSH', 'SSH-2.0-OpenSSH_9.9\r\n'),
    invalid('has a NUL in a header', `${OK}X-A: a\0b\r\nContent-Length: 0\r\n\r\n`),
    invalid('has a space in a header name', `${OK}X A: b\r\nContent-Length: 0\r\n\r\n`),
    invalid('has a bare CR in a header', `${OK}X-A: a\rContent-Length: 0\r\n\r\n`),
    invalid('has a status of two digits', 'HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n'),
    {
      name: 'has a status of no class',
      asked: says('HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n'),
      ends: 'http_999',
      isWhole: true,
      httpStatus: 999,
    },
    redirect(`http://127.0.0.1:${innerPort}/`),
    redirect('http://169.254.169.254/latest/meta-data/'),
    redirect('file:///etc/passwd'),
    {
      name: 'sends an endless status line over TLS',
      tls: { key: CERTIFICATE_KEY, cert: GOOD },
      asked: saysAndFloods('HTTP/1.1 200 ', 'OK'),
      ends: 'response_head_too_large',
      isUnknown: true,
    },
    {
      name: 'sends a body of 10 GB over TLS',
      tls: { key: CERTIFICATE_KEY, cert: GOOD },
      asked: saysAndFloods(`${OK}Content-Length: ${TEN_GB}\r\n\r\n`, 'x'.repeat(CHUNK)),
      ends: 'acknowledged',
      excerpt: 'x'.repeat(1024),
    },
    badTls(
      'shows a certificate of its own making',
      { key: CERTIFICATE_KEY, cert: SELF_SIGNED },
      'tls_depth_zero_self_signed_cert',
    ),
    badTls('shows an expired certificate', { key: CERTIFICATE_KEY, cert: EXPIRED }, 'tls_cert_has_expired'),
    badTls(
      'shows the certificate of another name',
      { key: CERTIFICATE_KEY, cert: WRONG_NAME },
      'tls_cert_altname_invalid',
    ),
    { ...badTls('knows no TLS', 'none', 'tls_wrong_version_number'), asked: says('HTTP/1.1 400 Bad Request\r\n\r\n') },
    { ...badTls('never finishes the handshake', 'none', 'timeout'), waits: true, asked: () => {} },
    {
      name: 'closes in the handshake',
      tls: 'none',
      asked: (socket) => void socket.destroy(),
      ends: 'connection_reset',
      isUnknown: false,
    },
  ]
}
