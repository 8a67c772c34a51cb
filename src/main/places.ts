import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { ConfigError, type EdgeSettings } from '../config.ts'
import type { Log } from '../lib/log.ts'
import type { Place } from '../model/place.ts'
import { checkMmdb, openMmdb } from './mmdb-file.ts'
import { placeOfRecord } from './place-of-record.ts'

/** Says where an address is; by the operator's own table, or by the bundled one, which knows countries. */
export interface Places {
  /** @returns undefined for an address that is in no table */
  of(address: string): Place | undefined
}

/** CC0: countries of IPv4 and IPv6 networks, 8 MB in memory. */
const BUNDLED = '@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb'
const SAMPLES = 512

/**
 * Reads the table before anything is served; nothing leaves the server for a lookup [COL-203].
 * @throws ConfigError naming the setting, for a file that is missing, no table, damaged, or without countries
 */
export async function openPlaces(
  { geoFile }: Pick<EdgeSettings, 'geoFile'>,
  log: Pick<Log, 'info' | 'warn'>,
): Promise<Places> {
  let path = geoFile ?? BUNDLED
  try {
    if (geoFile === undefined) path = createRequire(import.meta.url).resolve(BUNDLED)
    const bytes = await readFile(path)
    const file = openMmdb(bytes)
    // The bundled one is held by the hash of its package.
    if (geoFile !== undefined) refuseWithoutCountries(file.get, checkMmdb(bytes, SAMPLES))
    log.info('geo.opened', { path, builtAt: file.builtAt.toISOString() })
    return placesOf(file.get, (error) => log.warn('geo.damaged', { path, error }))
  } catch (error) {
    throw new ConfigError([
      `edge.geoFile (USHER_EDGE_GEO_FILE): ${path} ${reasonOf(error)}. Allowed: a country or city table in the MaxMind DB format (.mmdb), or nothing for the bundled country table`,
    ])
  }
}

function reasonOf(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException
  return code === undefined ? message : `cannot be read: ${message}`
}

function refuseWithoutCountries(get: (address: string) => unknown, addresses: readonly string[]): void {
  let hasCountry = false
  try {
    for (const address of addresses) hasCountry = placeOfRecord(get(address)).country !== undefined || hasCountry
  } catch {
    throw new Error('is damaged: a record cannot be read')
  }
  // The lists of refused countries would be without effect.
  if (!hasCountry) throw new Error('names no countries')
}

/** @param onDamaged is told once: what is damaged would otherwise fill the log call by call */
function placesOf(get: (address: string) => unknown, onDamaged: (error: unknown) => void): Places {
  let lastAddress = ''
  let last: Place | undefined
  let isDamaged = false
  return {
    of(address) {
      // One call asks twice: for its country, and for its signals.
      if (address === lastAddress) return last
      lastAddress = address
      try {
        const record = get(address)
        last = record === null ? undefined : placeOfRecord(record)
      } catch (error) {
        last = undefined
        if (!isDamaged) onDamaged(error)
        isDamaged = true
      }
      return last
    },
  }
}
