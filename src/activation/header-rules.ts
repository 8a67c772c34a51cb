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
