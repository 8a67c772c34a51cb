/** Hostile requests, generated from a seed. `mustProcess`: within every protocol limit, so the answer is 200 or a redirect [SEC-02]. */
export interface HostileRequest {
  readonly kind: string
  readonly bytes: Buffer
  readonly mustProcess: boolean
}

type Random = () => number

const NASTY = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  '%00',
  '%0d%0aX-Evil:1',
  '%c0%ae',
  '%ff%fe',
  '%e2%80%a8',
  '%',
  '%z',
  '%1',
  '+',
  '%2B',
  ',',
  ',,,',
  '%2C',
  '"',
  '%22a%20b%22',
  "'",
  '<script>',
  '..%2f..%2fetc%2fpasswd',
  '${DD_UUID}',
  '%25%37%42',
  '\u00e9',
  '%F0%9F%92%A9',
  '%01',
  '%01%01',
  '%011',
  '1e999',
  '-0',
  'NaN',
  'null',
  'undefined',
  '[object%20Object]',
  '{{id}}',
  '0',
  '',
  'AB@AdobeOrg',
  '123%01crm',
  '%2201%22',
  'a'.repeat(300),
  '9'.repeat(38),
  '9'.repeat(39),
  '0'.repeat(38),
  '18446744073709551616',
  ';',
  '=',
  '==',
  '&&',
]
const KEYS = [
  'd_uuid',
  'd_mid',
  'd_cid',
  'd_cid_ic',
  'd_cid_ns',
  'd_dpid',
  'd_dpuuid',
  'dpid',
  'dpuuid',
  'd_orgid',
  'd_sid',
  'd_tdpid',
  'd_tdpid_ic',
  'd_cb',
  'd_rtbd',
  'd_jsonv',
  'd_cts',
  'd_dst',
  'd_ptfm',
  'd_nsid',
  'd_coppa',
  'gdpr',
  'gdpr',
  'GDPR',
  'gdpr_consent',
  'gpp',
  'gpp_sid',
  'us_privacy',
  'd_ld',
  'd_rd',
  'redir',
  'd_event',
  'd_src',
  'd_blob',
  'h_referer',
  'h_host',
  'p_age',
  'c_price',
  'price',
  '__proto__',
  'ts',
  '_ts',
  '_ct',
]
const PATHS = [
  '/event',
  '/',
  '/id',
  '/ibs',
  '/ibs:',
  '/demoptout',
  '/demoptout.jpg',
  '/optOutStatus',
  '/dest5.html',
  '/healthz',
  '//event',
  '/event/',
  '/EVENT',
  '/%65vent',
  '/nothing',
]
const HOSTS = [
  'shop.example.com',
  'dpm.demdex.net',
  'my_domain.demdex.net',
  'localhost',
  '127.0.0.1:8080',
  '[::1]:80',
  'a'.repeat(250),
  'xn--\u00fc',
  '-',
  '.',
  '..',
  'a..b',
]

export function makeHostileRequest(random: Random): HostileRequest {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const value = () => (random() < 0.5 ? pick(NASTY) : randomText(random))
  const pairs = (count: number) =>
    Array.from(
      { length: count },
      () => `${random() < 0.8 ? pick(KEYS) : value()}=${random() < 0.9 ? value() : `${value()}${value()}`}`,
    ).join('&')
  const roll = random()
  if (roll < 0.62) return queryRequest(random, pick, pairs)
  if (roll < 0.76) return bodyRequest(random, pick, pairs)
  if (roll < 0.88) return headerRequest(random, pick, pairs, value)
  if (roll < 0.97) return brokenRequest(random, pick)
  return oversizedRequest(random)
}

type Pick = <T>(list: readonly T[]) => T
type Pairs = (count: number) => string

function queryRequest(random: Random, pick: Pick, pairs: Pairs): HostileRequest {
  const path = pick(PATHS)
  const joint = path.startsWith('/ibs:') && random() < 0.7 ? '' : '?'
  const target = toTarget(`${path}${joint}${pairs(Math.floor(random() * 12))}${random() < 0.5 ? '&d_rtbd=json' : ''}`)
  const cookie =
    random() < 0.3
      ? `Cookie: demdex=${pick([...new Array<string>(9).fill('NOTARGET'), ...NASTY]).replace(/[^\x20-\x7e]/g, '')}; dextp=${pick(['12', '1-1-|', '771-1-1490307821616|', 'NOTARGET'])}; DST=12\r\n`
      : ''
  return {
    kind: 'query',
    bytes: Buffer.from(
      `${pick(['GET', 'GET', 'GET', 'HEAD'])} ${target} HTTP/1.1\r\nHost: ${ascii(pick(HOSTS))}\r\n${cookie}\r\n`,
      'latin1',
    ),
    mustProcess: isCollectionPath(path) && Buffer.byteLength(target) <= 8192,
  }
}

function bodyRequest(random: Random, pick: Pick, pairs: Pairs): HostileRequest {
  const roll = random()
  const body =
    roll < 0.2
      ? Buffer.from(Array.from({ length: 200 }, () => Math.floor(random() * 256)))
      : roll < 0.4
        ? Buffer.from(hostileJson(random, pick))
        : Buffer.from(pairs(Math.floor(random() * 30)))
  const type = pick([
    'application/x-www-form-urlencoded',
    'application/x-www-form-urlencoded; charset=UTF-8',
    'Application/JSON',
    'text/plain;charset=UTF-8',
    'multipart/form-data',
    'text/html',
    '',
  ])
  return {
    kind: 'body',
    bytes: Buffer.concat([
      Buffer.from(
        `POST /event?_ts=1&d_rtbd=json HTTP/1.1\r\nHost: ${pick(['shop.example.com', 'dpm.demdex.net'])}\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`,
      ),
      body,
    ]),
    mustProcess: true,
  }
}

/** Of an object, one of objects, a list, or half of one; keys differ. */
function hostileJson(random: Random, pick: Pick): string {
  const scalar = () =>
    pick<unknown>([pick(NASTY), randomText(random), 0, 1e-7, true, null, '0', '123\x01crm', '\ud800'])
  const value = () => (random() < 0.2 ? [scalar(), scalar()] : random() < 0.05 ? { a: 1 } : scalar())
  const text = JSON.stringify(Object.fromEntries(Array.from({ length: 4 }, () => [pick(KEYS), value()])))
  const roll = random()
  return roll < 0.8 ? text : roll < 0.9 ? `[${text}]` : text.slice(0, Math.floor(random() * text.length))
}

function headerRequest(random: Random, pick: Pick, pairs: Pairs, value: () => string): HostileRequest {
  const headers = [
    `X-Forwarded-For: ${pick(['1.2.3.4', 'unknown', '::::', '1.2.3.4, 5.6.7.8,,', '999.1.1.1', '[::1]:x'])}`,
    `Origin: ${pick(['null', 'https://a.example', 'javascript:alert(1)', 'https://a.example:99999'])}`,
    `Referer: ${ascii(value())}`,
    `User-Agent: ${ascii(value())}`,
    `Accept-Language: ${ascii(value())}`,
    `Cookie: ${ascii(value())}; =; ;;; demdex`,
    `Sec-GPC: ${pick(['1', '0', 'x'])}`,
    'Expect: 100-continue',
    'Upgrade: websocket',
    'Content-Type: \t',
  ].filter(() => random() < 0.5)
  const target = toTarget(`/event?${pairs(3)}&d_rtbd=json`)
  const method = pick(['GET', 'GET', 'OPTIONS', 'HEAD'])
  return {
    kind: 'headers',
    bytes: Buffer.from(
      `${method} ${target} HTTP/1.1\r\nHost: shop.example.com\r\n${headers.join('\r\n')}${headers.length > 0 ? '\r\n' : ''}\r\n`,
      'latin1',
    ),
    mustProcess: false,
  }
}

function brokenRequest(random: Random, pick: Pick): HostileRequest {
  const line = 'GET /event?d_rtbd=json HTTP/1.1'
  const broken = [
    `${line}\r\n\r\n`,
    `${line}\r\nHost: a\r\nHost: b\r\n\r\n`,
    `${line}\nHost: a\n\n`,
    `${line}\r\nHost: a\r\n folded: yes\r\n\r\n`,
    `${line}\r\nHost: a\r\nX-Nul: a\0b\r\n\r\n`,
    `POST /event HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `POST /event HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`,
    `POST /event HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n`,
    `POST /event HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n`,
    `POST /event HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\njunk`,
    `POST /event HTTP/1.1\r\nHost: a\r\nContent-Encoding: br\r\nContent-Length: 4\r\n\r\njunk`,
    `TRACE /event HTTP/1.1\r\nHost: a\r\n\r\n`,
    `DELETE /event HTTP/1.1\r\nHost: a\r\n\r\n`,
    `PUT /event HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`,
    `CONNECT example.com:443 HTTP/1.1\r\nHost: a\r\n\r\n`,
    `GET http://evil.example/event?d_rtbd=json HTTP/1.1\r\nHost: a\r\n\r\n`,
    `GET * HTTP/1.1\r\nHost: a\r\n\r\n`,
    'GET /event HTTP/9.9\r\nHost: a\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00',
  ]
  const bytes =
    random() < 0.3
      ? Buffer.from(Array.from({ length: 60 }, () => Math.floor(random() * 256)))
      : Buffer.from(pick(broken), 'latin1')
  return { kind: 'broken', bytes: Buffer.concat([bytes, Buffer.from('\r\n\r\n')]), mustProcess: false }
}

function oversizedRequest(random: Random): HostileRequest {
  const roll = Math.floor(random() * 6)
  const head = (rest: string) => Buffer.from(`GET /event?d_rtbd=json HTTP/1.1\r\nHost: a\r\n${rest}\r\n`)
  const post = (length: number) =>
    Buffer.concat([
      Buffer.from(
        `POST /event?d_rtbd=json HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${length}\r\n\r\n`,
      ),
      Buffer.alloc(length, 'a'),
    ])
  const bytes = [
    () => Buffer.from(`GET /event?d_rtbd=json&x=${'a'.repeat(9000)} HTTP/1.1\r\nHost: a\r\n\r\n`),
    () => head(`X-Long: ${'b'.repeat(20_000)}\r\n`),
    () => head(Array.from({ length: 150 }, (_, n) => `X-${n}: 1\r\n`).join('')),
    () => head(`Cookie: ${'c=1; '.repeat(2_000)}\r\n`),
    () => post(40_000),
    () => (random() < 0.05 ? post(1_300_000) : post(60_000)),
  ][roll] as () => Buffer
  return { kind: 'oversized', bytes: bytes(), mustProcess: false }
}

function isCollectionPath(path: string): boolean {
  return ['/event', '/', '/id', '/ibs', '/ibs:', '/demoptout', '/demoptout.jpg', '/optOutStatus'].includes(path)
}

// biome-ignore-start lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
function toTarget(text: string): string {
  // A space or a control character would end the request line: those belong to the broken ones.
  return ascii(text).replace(/[\x00-\x20\x7f]/g, '%20')
}

function ascii(text: string): string {
  return Buffer.from(text, 'utf8')
    .toString('latin1')
    .replace(/[\x00-\x1f\x7f-\xff]/g, '?')
}

// biome-ignore-end lint/suspicious/noControlCharactersInRegex: control characters are what is taken out

function randomText(random: Random): string {
  const length = Math.floor(random() * 24)
  return Array.from({ length }, () => String.fromCharCode(0x21 + Math.floor(random() * 94)))
    .join('')
    .replace(/[#]/g, '%23')
}
