import { z } from 'zod'
import { isCountryCode } from './country-codes.ts'
import { parseNetwork } from './networks.ts'
import { isOpenToAll } from './public-suffix.ts'

/**
 * What one entry of a list of the configuration may be. An entry that can never fit anything is refused at the start, with
 * the setting's name: it would otherwise be a rule that nobody meant, in silence. Source: operating.md [OPS-20].
 */
const entry = (isPlausible: (text: string) => boolean, what: string) => z.string().refine(isPlausible, `is not ${what}`)

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i
const isLabel = (text: string) => LABEL.test(text)
/** Of a name or an IPv4 address, lower case. */
const isHost = (text: string) =>
  text.length <= 253 && text === text.toLowerCase() && text.split('.').every((label) => LABEL.test(label))

/** `www` */
export const hostLabel = entry(isLabel, 'one label of a host name')

const isBrowserHost = (text: string) => isHost(text) || /^\[[0-9a-f:.]+\]$/.test(text)

/** `www.example.com`, as browsers write it. */
export const hostName = entry(isBrowserHost, 'a host name in lower case, without scheme, port or wildcard')

/** `10.0.0.5`, `10.0.0.0/8` */
export const network = entry((text) => parseNetwork(text) !== undefined, 'an address or network')

/** A network or the SHA-256 of a certificate, perhaps with `alias=` in front. */
export const caller = entry((text) => {
  const [first = '', ...rest] = text.split('=')
  const identity = rest.length === 0 ? first : rest.join('=').trim()
  if (rest.length > 0 && !isLabel(first.trim())) return false
  const fingerprint = /^sha256:(.*)$/i.exec(identity)?.[1]
  if (fingerprint !== undefined) return /^[0-9a-f]{64}$/i.test(fingerprint.replaceAll(':', ''))
  return parseNetwork(identity) !== undefined
}, 'an address, a network, or sha256: and 64 hexadecimal digits, with or without alias= in front')

/** `0123456789ABCDEF01234567@AdobeOrg` */
export const organization = entry(
  (text) => /^[0-9A-Za-z]{1,64}@[0-9A-Za-z]{1,32}$/.test(text),
  'letters and digits, @, letters and digits',
)

/** `https://www.example.com`; also of an app, `capacitor://localhost`. */
export const origin = entry((text) => {
  if (/^https?:/i.test(text))
    return URL.canParse(text) && new URL(text).origin === text && isBrowserHost(new URL(text).hostname)
  return /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9._-]+(?::[0-9]{1,5})?$/.test(text)
}, 'an origin as browsers write it: scheme, host in lower case, a port unless it is the usual one, no path')

/** `www.example.com`, `*.example.com`, `http://www.example.com:8080` */
export const redirectHost = entry((text) => {
  const found = /^(https?:\/\/)?(\*\.)?([^:/*]+|\[[0-9a-f:.]+\](?=:))(?::([0-9]{1,5}))?$/i.exec(text)
  if (found === null) return false
  const [, scheme = 'https://', wildcard, host = '', port] = found
  // A browser leaves out the usual port, so that nothing would ever fit.
  if (port === (scheme.toLowerCase() === 'http://' ? '80' : '443')) return false
  if (host.startsWith('[')) return wildcard === undefined
  return isHost(host.toLowerCase()) && (wildcard === undefined || !isOpenToAll(`*.${host}`))
}, 'a host, *.domain where one party registered the domain, or one of them behind http://, with a port unless it is the usual one')

/** `https://optout.example/token/%token%` */
export const optOutTool = entry((text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'https:' || url.username !== '' || /[%{}$]/.test(url.host)) return false
  return text.includes('%token%')
}, 'an https address with %token% behind the host')

/** Of a client of another system. */
export const clientId = entry((text) => /^[A-Za-z0-9._~:@/+=-]{1,200}$/.test(text), 'a client id')

export const filePath = entry(
  (text) => text.trim() === text && !/^[[{]|["\p{Cc}]/u.test(text) && text !== '',
  'a path without quotes and brackets',
)

export const countryCode = z
  .string()
  .regex(/^[A-Z]{2}$/, 'is not a two-letter country code in upper case')
  .refine(isCountryCode, 'is no country of ISO 3166-1')

export const dataSourceId = z.int().min(0)
