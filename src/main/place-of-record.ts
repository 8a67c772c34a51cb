import type { Place } from '../model/place.ts'

/**
 * What a record of an address table says, in the platform's keys. Tables come in two shapes: nested as MaxMind's
 * (`country.iso_code`, `city.names.en`), and flat (`country_code`, `city`, `postcode`).
 */
export function placeOfRecord(record: unknown): Place {
  const country = countryOf(record)
  const state = text(at(record, 'subdivisions', 0, 'iso_code'))?.toLowerCase()
  const rows: readonly (readonly [key: string, value: string | undefined])[] = [
    ['d_country', country?.toLowerCase()],
    // The pages say UK, the published list of values says gb: either rule must match [COL-205].
    ['d_country', country === 'GB' ? 'uk' : undefined],
    ['d_city', text(at(record, 'city', 'names', 'en')) ?? text(at(record, 'city'))],
    ['d_region', state],
    // A code of two letters, as the key is defined; other countries' states have digits.
    ['d_state', state !== undefined && /^[a-z]{2}$/.test(state) ? state : undefined],
    ['d_dma_code', text(at(record, 'location', 'metro_code'))],
    ['d_postal_code', text(at(record, 'postal', 'code')) ?? text(at(record, 'postcode'))],
    ['d_lat', degrees(at(record, 'location', 'latitude') ?? at(record, 'latitude'))],
    ['d_long', degrees(at(record, 'location', 'longitude') ?? at(record, 'longitude'))],
    ['d_isp', text(at(record, 'isp')) ?? text(at(record, 'autonomous_system_organization'))],
  ]
  return { country, signals: rows.filter((row): row is readonly [string, string] => row[1] !== undefined) }
}

function countryOf(record: unknown): string | undefined {
  // Where somebody is counts, not where the network is registered; that is better than nothing.
  const code =
    text(at(record, 'country', 'iso_code')) ??
    text(at(record, 'country_code')) ??
    text(at(record, 'registered_country', 'iso_code'))
  return code !== undefined && /^[A-Za-z]{2}$/.test(code) ? code.toUpperCase() : undefined
}

/** At most four decimals, signed: west and south are negative [COL-208]. */
function degrees(value: unknown): string | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? String(Number(number.toFixed(4))) : undefined
}

function text(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value !== '' ? value : undefined
}

function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let here = value
  for (const part of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, part)) return undefined
    here = (here as Record<string | number, unknown>)[part]
  }
  return here
}
