import { isUtf8 } from 'node:buffer'
import type { EdgeLimits } from './edge-config.ts'
import type { EdgeRequest } from './edge-request.ts'
import { type BodyPairs, flatJson } from './flat-json.ts'
import { roleOf } from './key-roles.ts'
import { type MediaType, parseMediaType } from './media-type.ts'
import { multipartFields } from './multipart-fields.ts'
import { parseParameters } from './parse-query.ts'
import { decodeTolerantly } from './percent.ts'

/**
 * Adds the parameters of a POST: a form, or what scripts send in its place where it can mean one thing only: JSON of one
 * flat object, fields of `multipart/form-data`, and either form or JSON under `text/plain` or no type, as `sendBeacon`
 * sends a text. Query values come first where a key is in both [COL-16]. A body that should be one of these and cannot be
 * read refuses the whole call (901): what stands in it may be the visitor's refusal. One of another type is left alone,
 * told by 901, and what the address says counts; unless it names a flag of privacy. Source: spec/collection.md [COL-14],
 * [COL-119].
 */
export function addBody(request: EdgeRequest, body: Buffer, oversize: boolean, limits: EdgeLimits): void {
  if (body.length === 0) return
  const type = parseMediaType(request.headers['content-type'] ?? '')
  if (oversize) {
    request.oversize = true
    addAnswerForm(request, body.toString('latin1'))
    return
  }
  const kind = kindOf(type.essence)
  if (kind === undefined) {
    const why = `the type ${type.essence} is neither a form nor JSON`
    if (PRIVACY.test(body.toString('latin1'))) request.bodyProblem = why
    else request.unreadBody = why
    return
  }
  const read = formOf(body, kind, type)
  if (read.status === 'problem') request.bodyProblem = read.problem
  else if (read.status === 'malformed') request.parameters.malformed = true
  else parseParameters(read.form, 0, read.form.length, true, limits, request.parameters)
}

type ReadForm =
  /** URL-encoded, one character for each byte. */
  | { readonly status: 'form'; readonly form: string }
  /** Bytes that are no text of the character set: as broken as a broken escape (311). */
  | { readonly status: 'malformed' }
  | { readonly status: 'problem'; readonly problem: string }

/** A name under which a call says something of privacy or consent, whatever stands around it. */
const PRIVACY = /\b(?:gdpr|gdpr_consent|gpp|gpp_sid|us_privacy|d_coppa|d_consent)\b/i

type Kind = 'form' | 'json' | 'multipart' | 'text'

function formOf(body: Buffer, kind: Kind, type: MediaType): ReadForm {
  const charset = type.parameters.get('charset') ?? ''
  const bytes = inUtf8(body, charset)
  if (bytes === 'unknown') return problem(`the character set ${charset} is not known`)
  if (bytes === 'malformed') return { status: 'malformed' }
  if (kind === 'form') return { status: 'form', form: bytes.toString('latin1') }
  if (!isUtf8(bytes)) return { status: 'malformed' }

  const text = bytes.toString('utf8')
  if (kind === 'multipart') return encoded(multipartFields(text, type.parameters.get('boundary')))
  if (kind === 'json' || /^\s*[{[]/.test(text)) return encoded(flatJson(text))
  const form = text.trimEnd()
  // A first key of letters and such, its equals sign, and all on one line: no prose, no XML, no list of lines.
  if (!/^[^\s=&<>{}"]+=[^\r\n]*$/.test(form)) return problem('text that is neither a form nor JSON')
  return { status: 'form', form: Buffer.from(form).toString('latin1') }
}

function kindOf(essence: string): Kind | undefined {
  if (essence === 'application/x-www-form-urlencoded') return 'form'
  if (essence === '' || essence === 'text/plain') return 'text'
  if (essence === 'multipart/form-data') return 'multipart'
  return essence === 'application/json' || essence === 'text/json' || essence.endsWith('+json') ? 'json' : undefined
}

/** What is said to be UTF-8 stays as it is, and is looked at later. */
function inUtf8(body: Buffer, charset: string): Buffer | 'unknown' | 'malformed' {
  if (/^(?:utf-?8|us-ascii|ascii|)$/i.test(charset)) return isMarked(body) ? body.subarray(3) : body
  try {
    return Buffer.from(new TextDecoder(charset, { fatal: true }).decode(body))
  } catch (error) {
    return error instanceof RangeError ? 'unknown' : 'malformed'
  }
}

/** Begins with the mark that some editors and libraries put before UTF-8. */
function isMarked(body: Buffer): boolean {
  return body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf
}

function problem(text: string): ReadForm {
  return { status: 'problem', problem: text }
}

function encoded(read: BodyPairs): ReadForm {
  if (!read.ok) return problem(read.problem)
  try {
    const form = read.pairs.map(([key, value]) => `${encodeURIComponent(key)}=${encodeValue(key, value)}`).join('&')
    return { status: 'form', form }
  } catch {
    // Half a character: no text [SEC-07].
    return { status: 'malformed' }
  }
}

/** In a declared ID the separator is written as the byte itself or as `%01`, as all examples do [COL-78]; the rest is literal. */
function encodeValue(key: string, value: string): string {
  if (roleOf(key) !== 'declared') return encodeURIComponent(value)
  return value.replaceAll('\x01', '%01').split('%01').map(encodeURIComponent).join('%01')
}

/** Where the form of the answer stands in a form, in JSON, in multipart fields. */
const answerForms = [
  /(?:^|&)(d_rtbd|d_cb)=([^&]*)/g,
  /"(d_rtbd|d_cb)"\s*:\s*"([^"\\]*)"/g,
  /name="?(d_rtbd|d_cb)"?\r\n\r\n([^\r\n]*)/g,
]

/** Of a body that is too large only the form of the answer is read [COL-15]. */
function addAnswerForm({ parameters: { signals, withheld } }: EdgeRequest, text: string): void {
  for (const form of answerForms) {
    for (const [, key, value = ''] of text.matchAll(form)) {
      if (key === 'd_rtbd' && !signals.has('d_rtbd')) signals.add('d_rtbd', decodeTolerantly(value))
      if (key === 'd_cb' && !withheld.has('d_cb')) withheld.set('d_cb', decodeTolerantly(value))
    }
  }
}
