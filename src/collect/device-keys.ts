import type { IncomingHttpHeaders } from 'node:http'
import { hardwareOf, makerOf, modelOf, osOf } from './user-agent.ts'

/** Keys of the platform with their values, to be added to the signals of an event. */
export type KnownSignals = readonly (readonly [key: string, value: string])[]

/** What a browser tells about itself, as texts; hints without their quotes [COL-217]. */
export interface DeviceClaims {
  readonly userAgent: string
  readonly platform: string
  readonly platformVersion: string
  readonly model: string
  readonly mobile: string
}

/** Characters that are read: the longest honest ones have half of it. */
const TEXT_MAX = 512
const CACHED_MAX = 2_000
const NONE: KnownSignals = []

/**
 * Device keys by what the browser says of itself. A site sees few different browsers and each of them often, so what was
 * read is remembered: a look-up costs less than a microsecond, reading some ten. Source: collection.md section 16.2.
 */
export class DeviceKeys {
  readonly #known = new Map<string, KnownSignals>()

  of(headers: IncomingHttpHeaders): KnownSignals {
    const claims = readClaims(headers)
    const { userAgent, platform, platformVersion, model, mobile } = claims
    if (userAgent === '' && platform === '') return NONE
    const name = `${userAgent}\n${platform}\n${platformVersion}\n${model}\n${mobile}`
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const signals = deviceSignals(claims)
    // The oldest goes; one that is still in use is read again, once in two thousand.
    if (this.#known.size >= CACHED_MAX) this.#known.delete(this.#known.keys().next().value ?? '')
    this.#known.set(name, signals)
    return signals
  }

  get size(): number {
    return this.#known.size
  }
}

/** The seven keys, in lower case; one that cannot be told is left out, and the others stay [COL-212], [COL-213]. */
export function deviceSignals(claims: DeviceClaims): KnownSignals {
  const os = osOf(claims)
  const model = modelOf(claims)
  const maker = makerOf(claims, model)
  const rows: readonly (readonly [key: string, value: string | undefined])[] = [
    ['d_device_vendor', maker],
    ['d_device_hardware_type', hardwareOf(claims, model)],
    ['d_device_os_version', os.version],
    ['d_device_os_name', os.name],
    ['d_device_model', model],
    ['d_device_marketing_name', isName(model) ? model : undefined],
    ['d_device_manufacturer', maker],
  ]
  return rows.flatMap(([key, value]) =>
    value === undefined || value === '' ? [] : [[key, value.toLowerCase()] as const],
  )
}

/** `Pixel 7` and `iPhone` are what a shop calls them; `SM-G960F` is a number of the maker's. */
function isName(model: string | undefined): boolean {
  return model !== undefined && !/^[A-Z0-9]+[-_]?[A-Z]*[0-9]{2,}|^[A-Z]{2,}-/.test(model)
}

function readClaims(headers: IncomingHttpHeaders): DeviceClaims {
  return {
    userAgent: cut(headers['user-agent']),
    platform: cut(headers['sec-ch-ua-platform']),
    platformVersion: cut(headers['sec-ch-ua-platform-version']),
    model: cut(headers['sec-ch-ua-model']),
    mobile: cut(headers['sec-ch-ua-mobile']),
  }
}

/** A hint stands in quotes. Copied where it is cut, so that what is remembered does not hold on to a long header. */
function cut(header: string | string[] | undefined): string {
  if (typeof header !== 'string') return ''
  const text = header.length > TEXT_MAX ? Buffer.from(header.slice(0, TEXT_MAX)).toString() : header
  return text.startsWith('"') && text.endsWith('"') && text.length > 1 ? text.slice(1, -1) : text
}
