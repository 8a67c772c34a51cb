import type { RawAnswer } from './raw-client.ts'

/**
 * Says which numbered codes may come for a call, from its bytes alone and in the most obvious way: nothing of the product
 * is used. It knows an edge with default settings and without a deny list. Source: spec/collection.md section 7.
 */
export interface Verdict {
  /** The whole call is refused with exactly these, in this order. */
  readonly exactly?: readonly number[]
  /** Each of these, as often at least. */
  readonly must: readonly number[]
  /** Beside those only these. */
  readonly may: ReadonlySet<number>
}

const ROUTES = ['/event', '/', '/id', '/ibs', '/demoptout', '/demoptout.jpg', '/optOutStatus']
const ADDRESS_BYTES_MAX = 8192
const BODY_BYTES_MAX = 1_048_576
const BODY_BYTES_PROCESSED = 32_768
const READ_TYPES = ['', 'application/x-www-form-urlencoded', 'text/plain', 'application/json', 'multipart/form-data']
const DECLARED_KEYS = ['d_cid', 'd_cid_ic', 'd_cid_ns', 'd_dpid', 'd_dpuuid', 'dpid', 'dpuuid']
const DECLARED_CODES = [104, 300, 301, 302, 303, 304, 306, 309, 310, 312]

/** @returns undefined for what is no call, or beyond the protocol: those are told by their status */
export function judge(bytes: Buffer): Verdict | undefined {
  const call = readCall(bytes)
  if (call === undefined) return undefined
  if (call.body.length > BODY_BYTES_PROCESSED) return exactly(900)
  const isUnread = !READ_TYPES.includes(call.type) && call.body.length > 0
  const inBody = isUnread ? unread(call.body) : pairsOfBody(call.type, call.body)
  if (inBody === 901 || inBody === 311) return exactly(inBody)
  const pairs = [...call.pairs, ...inBody]
  if (pairs.some(({ key, value }) => key === undefined || (key !== '' && value === undefined))) return exactly(311)
  if (!isHost(call.host)) return exactly(100)
  const first = (name: string) => pairs.find(({ key }) => key === name)?.value ?? ''
  const organization = first('d_orgid').replace(/^"(.*)"$/s, '$1')
  if (organization !== '' && !/^[0-9a-z]{1,64}@[0-9a-z]{1,32}$/i.test(organization)) return exactly(2)

  const isOptOut = call.route.startsWith('/demoptout')
  const looksOnly = call.route === '/optOutStatus'
  if (call.isOptedOut && looksOnly) return exactly(...(isUnread ? [901] : []))
  if (call.isOptedOut && !isOptOut) return exactly(171)
  // No text of ours is a consent string that grants anything, so whoever needs one has none.
  if (!isOptOut && !looksOnly && isConsentNeeded(pairs)) return exactly(315)

  const must: number[] = isUnread ? [901] : []
  if (isNoDeviceId(first('d_mid'))) must.push(101)
  if (isNoDeviceId(first('d_uuid'))) must.push(102)
  const declared = pairs.filter(({ key = '', raw }) => DECLARED_KEYS.includes(key) && !(isOptOut && raw === ''))
  // A customer ID without a separator has no user [COL-85].
  for (const { key, raw } of declared) if (key === 'd_cid' && !raw.includes('%01')) must.push(300)
  // What it names may have been opted out by an earlier call; the ID of zeros is on the deny list from the start [COL-151].
  const ofZeros = bytes.includes('0'.repeat(38)) ? [307] : []
  return { must, may: new Set([171, ...ofZeros, ...(declared.length > 0 ? DECLARED_CODES : [])]) }
}

/** What is wrong with the codes of an answer; undefined: nothing. */
export function faultOf(verdict: Verdict, { head, body }: Extract<RawAnswer, { head: string }>): string | undefined {
  const codes = numbers(/\r\nx-error: *([^\r]*)/i.exec(head)?.[1])
  const { exactly: expected, must, may } = verdict
  if (expected !== undefined && codes.join() !== expected.join()) return `codes ${codes}, not ${expected}`
  for (const code of new Set([...codes, ...must])) {
    const [found, needed] = [count(codes, code), count(must, code)]
    if (found < needed || (found > needed && !may.has(code))) return `code ${code} ${found} times, not ${needed}`
  }
  const inBody = /^[^{]*(\{.*\})\)?$/s.exec(body)?.[1]
  if (!/\r\ncontent-type: application\/(?:json|javascript)/i.test(head) || inBody === undefined) return undefined
  const { errors, d_optout } = JSON.parse(inBody) as { errors?: { code: number }[]; d_optout?: unknown }
  // The state of an opt-out has no list of errors.
  if (errors === undefined && d_optout !== undefined) return undefined
  const listed = (errors ?? []).map(({ code }) => code)
  return listed.join() === codes.join() ? undefined : `codes ${codes} in the header and ${listed} in the body`
}

function exactly(...codes: readonly number[]): Verdict {
  return { exactly: codes, must: codes, may: new Set() }
}

function numbers(list: string | undefined): readonly number[] {
  return list === undefined ? [] : list.split(',').map(Number)
}

function count(codes: readonly number[], code: number): number {
  return codes.filter((one) => one === code).length
}

interface Pair {
  /** Decoded; undefined: it cannot be. */
  readonly key: string | undefined
  readonly raw: string
  readonly value: string | undefined
}

interface Call {
  readonly route: string
  readonly pairs: readonly Pair[]
  readonly host: string
  readonly isOptedOut: boolean
  readonly type: string
  readonly body: Buffer
}

function readCall(bytes: Buffer): Call | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  const [line = '', ...headers] = bytes.subarray(0, Math.max(end, 0)).toString('latin1').split('\r\n')
  const [, method, target = ''] = /^(GET|HEAD|POST) (\/[!-~]*) HTTP\/1\.1$/.exec(line) ?? []
  const header = (name: string) =>
    headers
      .find((one) => one.toLowerCase().startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim() ?? ''
  if (method === undefined || target.length > ADDRESS_BYTES_MAX || header('content-encoding') !== '') return undefined
  const question = target.indexOf('?')
  const path = question < 0 ? target : target.slice(0, question)
  const route = path.startsWith('/ibs:') ? '/ibs' : path
  if (!ROUTES.includes(route) || (route === '/' && question < 0)) return undefined
  const body = method === 'POST' ? bytes.subarray(end + 4) : Buffer.alloc(0)
  if (body.length > BODY_BYTES_MAX) return undefined
  const query = question < 0 ? '' : target.slice(question + 1)
  return {
    route,
    pairs: [...pairsOf(path.startsWith('/ibs:') ? path.slice(5) : ''), ...pairsOf(query)],
    host: header('host'),
    isOptedOut: /(?:^|; ?)demdex=NOTARGET(?:;|$)/.test(header('cookie')),
    type: header('content-type').split(';')[0]?.trim().toLowerCase() ?? '',
    body,
  }
}

function pairsOf(text: string): readonly Pair[] {
  return text
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=')
      const [key, raw] = equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)]
      return { key: decoded(key), raw, value: decoded(raw) }
    })
}

/** Byte by byte: two hex digits behind each percent sign, and UTF-8 within each run of escapes and outside of them. */
function decoded(text: string): string | undefined {
  try {
    return text
      .split(/((?:%[0-9a-f]{2})+)/i)
      .map((piece, at) => {
        if (at % 2 === 0 && piece.includes('%')) throw new TypeError('a lone percent sign')
        return utf8(
          at % 2 === 0
            ? Buffer.from(piece.replaceAll('+', ' '), 'latin1')
            : Buffer.from(piece.replaceAll('%', ''), 'hex'),
        )
      })
      .join('')
  } catch {
    return undefined
  }
}

function utf8(bytes: Buffer): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
}

/** Of another type only the names of privacy are looked for: what it says of them cannot be read. */
function unread(body: Buffer): readonly Pair[] | 901 {
  const names = ['gdpr', 'gdpr_consent', 'gpp', 'gpp_sid', 'us_privacy', 'd_coppa', 'd_consent']
  const words = body
    .toString('latin1')
    .toLowerCase()
    .split(/[^a-z0-9_]+/)
  return names.some((name) => words.includes(name)) ? 901 : []
}

function pairsOfBody(type: string, body: Buffer): readonly Pair[] | 901 | 311 {
  if (body.length === 0) return []
  const isForm = type === 'application/x-www-form-urlencoded'
  if (isForm) return pairsOf(body.toString('latin1'))
  let text: string
  try {
    text = utf8(body)
  } catch {
    return 311
  }
  if (type === 'multipart/form-data') return 901 // None of ours has a boundary.
  if (type === 'application/json' || '{['.includes(text.trimStart()[0] ?? ' ')) return pairsOfJson(text)
  const [key = '', ...rest] = text.trimEnd().split('=')
  if (rest.length === 0 || key === '' || /[\s&<>{}"]/.test(key) || /[\r\n]/.test(text.trimEnd())) return 901
  return pairsOf(Buffer.from(text.trimEnd()).toString('latin1'))
}

/** Of equal keys only the last is seen here; none of ours has any. */
function pairsOfJson(text: string): readonly Pair[] | 901 | 311 {
  let root: unknown
  try {
    root = JSON.parse(text)
  } catch {
    return 901
  }
  if (typeof root !== 'object' || root === null || Array.isArray(root)) return 901
  const members = Object.entries(root).flatMap(([key, value]) =>
    [value].flat().map((one: unknown) => [key, one] as const),
  )
  if (members.some(([, value]) => typeof value === 'object' && value !== null)) return 901
  return members
    .filter(([, value]) => value !== null)
    .map(([key, value]) => {
      const text = String(value)
      // Half a character is no text.
      return {
        key,
        raw: text.replaceAll('\x01', '%01'),
        value: Buffer.from(text).toString() === text ? text : undefined,
      }
    })
}

/** Letters, digits, dash, dot and underscore, or an address in brackets; with a port or without [COL-04], [COL-18]. */
function isHost(host: string): boolean {
  const name = host.replace(/:[0-9]{1,5}$/, '')
  if (/^\[[0-9a-f:.]+\]$/i.test(name)) return true
  return name.length <= 253 && /^[a-z0-9_-][a-z0-9._-]*$/i.test(name)
}

function isNoDeviceId(value: string): boolean {
  return value !== '' && !/^[0-9]{38}$/.test(value)
}

/** One value that is not `0`; an empty one where a string that is not empty stands beside it [COL-275]. */
function isConsentNeeded(pairs: readonly Pair[]): boolean {
  const values = (name: string) => pairs.filter(({ key }) => key?.toLowerCase() === name).map(({ value }) => value)
  const hasString = values('gdpr_consent').some((value) => value !== '')
  return values('gdpr').some((value) => value !== '0' && (value !== '' || hasString))
}
