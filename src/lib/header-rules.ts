/** Header values beyond this are refused [SEC-29]. */
const VALUE_BYTES_MAX = 4096

const ours = new Set([
  'host',
  'content-length',
  'content-type',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'authorization',
  'webhook-id',
  'webhook-timestamp',
  'webhook-signature',
  'via',
  'forwarded',
])

/**
 * Names that would say something untrue of the body, of the request or of who sends it, whatever their value: another
 * encoding, a digest of other bytes, another method, a condition, an address we do not have.
 */
const untrue = new Set([
  'content-encoding',
  'content-transfer-encoding',
  'content-disposition',
  'content-language',
  'content-location',
  'content-md5',
  'content-digest',
  'content-range',
  'repr-digest',
  'digest',
  'unencoded-digest',
  'accept-encoding',
  'date',
  'age',
  'range',
  'http2-settings',
  'max-forwards',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
])

/** What is set in `s2s` itself; beside it a second line of that name would go out. */
const settings = new Map([['user-agent', 'userAgent']])

/** Names that a signature or an extra header may not have. Source: outbound.md OUT-67, security.md SEC-29. */
export function headerNameIssue(name: string): string | undefined {
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}$/.test(name)) return 'is not an HTTP header name'
  const lower = name.toLowerCase()
  const isReserved = ours.has(lower) || lower.startsWith('proxy-') || lower.startsWith('x-forwarded-')
  return isReserved ? `the header ${name} is set by the sender and cannot be chosen` : undefined
}

export function headerValueIssue(value: string): string | undefined {
  if (Buffer.byteLength(value) > VALUE_BYTES_MAX) return `a header value has at most ${VALUE_BYTES_MAX} bytes`
  return /^[\t\x20-\x7e]*$/.test(value) ? undefined : 'a header value holds visible ASCII only, no line break'
}

/** Further names that a header may not have when it is saved; what was stored before goes on being sent. */
export function untrueNameIssue(name: string): string | undefined {
  const lower = name.toLowerCase()
  const setting = settings.get(lower)
  if (setting !== undefined) return `the header ${name} is set by ${setting}`
  const isUntrue = untrue.has(lower) || lower.startsWith('if-') || lower.startsWith('sec-')
  return isUntrue ? `the header ${name} would not be true of what is sent and cannot be chosen` : undefined
}
