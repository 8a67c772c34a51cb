import type { Signals } from '../model/signals.ts'
import type { KnownSignals } from './device-keys.ts'
import type { Edge } from './edge.ts'
import type { EdgeRequest } from './edge-request.ts'
import { headerText } from './header-text.ts'

/**
 * Adds what the server itself knows of a call: `h_` keys from its headers [COL-23], [COL-24], where its address is
 * [COL-203], and which device it is [COL-212]. What the server knows wins over a caller's own key [COL-209], except for the referer: browsers cut that
 * header to the origin, and the page library sends the full address itself.
 */
export function addServerSignals({ config, deviceKeys }: Edge, request: EdgeRequest): Signals {
  const { signals } = request.parameters
  const { headers } = request
  set(signals, 'h_host', request.host?.name)
  set(signals, 'h_user-agent', headers['user-agent'])
  set(signals, 'h_accept-language', headers['accept-language'])
  if (!signals.has('h_referer')) set(signals, 'h_referer', headers.referer)
  set(signals, 'h_referrer', headers['referrer'])
  set(signals, 'h_date', headers.date)
  set(signals, 'h_ip', request.address)
  // Where a caller handed over no address, its own place is not the visitor's [COL-264].
  if (request.address !== '') setAll(signals, config.geoSignalsOf?.(request.address) ?? [])
  setAll(signals, deviceKeys.of(headers))
  return signals
}

/** A key may come with several values, and what the call itself said under it goes first. */
function setAll(signals: Signals, known: KnownSignals): void {
  for (const [key] of known) if (signals.has(key)) signals.delete(key)
  for (const [key, value] of known) signals.add(key, value)
}

function set(signals: Signals, key: string, value: string | string[] | undefined): void {
  if (typeof value !== 'string' || value === '') return
  if (signals.has(key)) signals.delete(key)
  signals.add(key, headerText(value))
}
