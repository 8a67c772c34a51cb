import { Signals } from '../model/signals.ts'
import { type DeclaredKey, roleOf } from './key-roles.ts'
import { decodeText } from './percent.ts'
import { PrivacyFlags, type PrivacyKey, privacyKeyOf } from './privacy-flags.ts'

/**
 * The parameters of one call, from path, query and body together. Maps, so that no key can reach a prototype [SEC-06].
 */
export interface Parameters {
  /** What rules may see; several values where a key repeats or lists them [COL-28], [COL-29]. */
  readonly signals: Signals
  /** First value of the keys that are never signals: IDs, redirects, cache busters with a use. */
  readonly withheld: Map<string, string>
  /** All that is said of consent, beyond every limit too: a flag that is left out would protect nobody [COL-275]. */
  readonly privacy: PrivacyFlags
  /** Parts of declared IDs in request order, not decoded [COL-80]. */
  readonly declared: RawDeclared[]
  /** A percent escape or UTF-8 sequence was broken: the whole request is disregarded (311) [COL-38]. */
  malformed: boolean
  /** Parameters and values left out because they were too many or too long [SEC-01]. */
  dropped: number
  count: number
}

export interface RawDeclared {
  readonly key: DeclaredKey
  /** As it arrived; `+` is data in it [COL-34]. */
  readonly raw: string
}

export interface ParseLimits {
  readonly parametersMax: number
  readonly valueCharactersMax: number
}

export function emptyParameters(): Parameters {
  return {
    signals: new Signals(),
    withheld: new Map(),
    privacy: new PrivacyFlags(),
    declared: [],
    malformed: false,
    dropped: 0,
    count: 0,
  }
}

const PERCENT = 1
const PLUS = 2
const COMMA = 4
const HIGH = 8

/**
 * Adds the pairs of `text[start, end)`. It goes on behind a broken pair, because the form of the answer (`d_rtbd`) and
 * a click's target (`d_rd`) count even then [COL-189].
 * @param text one character for each byte (a request target, or a body read as Latin-1)
 * @param plusIsSpace false in an `/ibs:` path [COL-34]
 */
export function parseParameters(
  text: string,
  start: number,
  end: number,
  plusIsSpace: boolean,
  limits: ParseLimits,
  into: Parameters,
): void {
  const plus = plusIsSpace ? PLUS : 0
  let at = start
  while (at < end) {
    let equals = -1
    let keyFlags = 0
    let flags = 0
    let i = at
    for (; i < end; i++) {
      const unit = text.charCodeAt(i)
      // Letters and digits first: they are nearly everything.
      if (unit > 0x3d) {
        if (unit >= 0x80) flags |= HIGH
      } else if (unit > 0x2c) {
        if (unit === 0x3d && equals < 0) {
          equals = i
          keyFlags = flags
          flags = 0
        }
      } else if (unit === 0x26) break
      else if (unit === 0x25) flags |= PERCENT
      else if (unit === 0x2b) flags |= plus
      else if (unit === 0x2c) flags |= COMMA
    }
    if (i > at) addPair(text, at, equals, i, keyFlags, flags, limits, into)
    at = i + 1
  }
}

function addPair(
  text: string,
  start: number,
  equals: number,
  end: number,
  keyFlags: number,
  valueFlags: number,
  limits: ParseLimits,
  into: Parameters,
): void {
  const isSurplus = ++into.count > limits.parametersMax
  const keyEnd = equals < 0 ? end : equals
  const valueStart = equals < 0 ? end : equals + 1
  const key = decode(text.slice(start, keyEnd), equals < 0 ? valueFlags : keyFlags)
  const flags = equals < 0 ? 0 : valueFlags
  if (isSurplus) {
    into.dropped++
    const privacyKey = key === undefined ? undefined : privacyKeyOf(key)
    if (privacyKey !== undefined) addPrivacy(privacyKey, text.slice(valueStart, end), flags, limits, into)
    return
  }
  if (key === undefined) {
    into.malformed = true
    return
  }
  if (key === '') return
  if (key.length > limits.valueCharactersMax) {
    into.dropped++
    return
  }
  // A click whose equals sign was encoded as well [COL-190].
  if (equals < 0 && key.startsWith('d_rd=')) {
    if (!into.withheld.has('d_rd')) into.withheld.set('d_rd', key.slice(5))
    return
  }
  addValue(key, text.slice(valueStart, end), flags, limits, into)
}

function addValue(key: string, raw: string, flags: number, limits: ParseLimits, into: Parameters): void {
  const privacyKey = privacyKeyOf(key)
  if (privacyKey !== undefined) {
    addPrivacy(privacyKey, raw, flags, limits, into)
    // Two of them are what rules may see as well.
    if (privacyKey !== 'gdpr' && privacyKey !== 'd_coppa') return
  }
  const role = roleOf(key)
  if (role === undefined) {
    if ((flags & COMMA) === 0) addSignal(key, raw, flags, limits, into)
    // Split before decoding, so that an encoded comma stays data [COL-30].
    else addList(key, raw, flags, limits, into)
    return
  }
  if (role === 'whole') addSignal(key, raw, flags, limits, into)
  else if (role === 'declared' || role === 'declared_signal') {
    if (raw.length > limits.valueCharactersMax) into.dropped++
    else into.declared.push({ key: key as DeclaredKey, raw })
    if (decode(raw, flags & ~PLUS) === undefined) into.malformed = true
    else if (role === 'declared_signal') addSignal(key, raw, flags, limits, into)
  } else addWithheld(key, role, raw, flags, limits, into)
}

/** Stands for a value that is too long to be one: nothing it is compared with. */
const TOO_LONG = '\ufffd'

function addPrivacy(key: PrivacyKey, raw: string, flags: number, limits: ParseLimits, into: Parameters): void {
  const value = decode(raw, flags)
  if (value === undefined) into.malformed = true
  else if (value.length <= limits.valueCharactersMax) into.privacy.add(key, value)
  else {
    into.dropped++
    into.privacy.add(key, TOO_LONG)
  }
}

function addWithheld(
  key: string,
  role: 'withheld' | 'ignored',
  raw: string,
  flags: number,
  limits: ParseLimits,
  into: Parameters,
): void {
  const value = decode(raw, flags)
  if (value === undefined) into.malformed = true
  else if (value.length > limits.valueCharactersMax) into.dropped++
  else if (role === 'withheld' && !into.withheld.has(key)) into.withheld.set(key, value)
}

/** Each value of a list counts as a parameter: a body of commas must not become a signal with thousands of values. */
function addList(key: string, raw: string, flags: number, limits: ParseLimits, into: Parameters): void {
  into.count--
  for (const part of raw.split(',')) {
    if (++into.count > limits.parametersMax) into.dropped++
    else addSignal(key, part, flags, limits, into)
  }
}

function addSignal(key: string, raw: string, flags: number, limits: ParseLimits, into: Parameters): void {
  const decoded = decode(raw, flags)
  if (decoded === undefined) {
    into.malformed = true
    return
  }
  if (decoded.length > limits.valueCharactersMax) {
    into.dropped++
    return
  }
  const value = unquoted(decoded)
  const name = isHeaderKey(key) ? key.toLowerCase() : key
  into.signals.add(name, value)
}

function decode(raw: string, flags: number): string | undefined {
  if ((flags & (PERCENT | PLUS | HIGH)) === 0) return raw
  return decodeText((flags & PLUS) === 0 ? raw : raw.replaceAll('+', ' '), (flags & HIGH) !== 0)
}

/** `age="41 to 55"` means the text inside [COL-33]. */
function unquoted(value: string): string {
  const last = value.length - 1
  return last > 0 && value.charCodeAt(0) === 0x22 && value.charCodeAt(last) === 0x22 ? value.slice(1, last) : value
}

/** Keys of header data are known to us in lower case only, so that no other spelling passes beside them [COL-23]. */
function isHeaderKey(key: string): boolean {
  return key.charCodeAt(1) === 0x5f && (key.charCodeAt(0) | 0x20) === 0x68
}
