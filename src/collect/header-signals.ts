import type { Signals } from '../model/signals.ts'
import type { EdgeRequest } from './edge-request.ts'
import { headerText } from './header-text.ts'

/**
 * Adds what the server itself knows of a call: `h_` keys from its headers [COL-23], [COL-24]. A header wins over a
 * caller's own `h_` key, except for the referer: browsers cut that header to the origin, and the page library sends the
 * full address itself.
 */
export function addHeaderSignals(request: EdgeRequest): Signals {
  const { signals } = request.parameters
  const { headers } = request
  set(signals, 'h_host', request.host?.name)
  set(signals, 'h_user-agent', headers['user-agent'])
  set(signals, 'h_accept-language', headers['accept-language'])
  if (!signals.has('h_referer')) set(signals, 'h_referer', headers.referer)
  set(signals, 'h_referrer', headers['referrer'])
  set(signals, 'h_date', headers.date)
  set(signals, 'h_ip', request.address)
  return signals
}

function set(signals: Signals, key: string, value: string | string[] | undefined): void {
  if (typeof value !== 'string' || value === '') return
  if (signals.has(key)) signals.delete(key)
  signals.add(key, headerText(value))
}
