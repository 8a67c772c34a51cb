import { isIP } from 'node:net'
import { groupsOf } from './networks.ts'

/**
 * Address of a listener, as it is reached from this machine, without a trailing slash: where it listens on every address
 * (`0.0.0.0`, `::`), that is loopback.
 */
export function listenerUrl(host: string, port: number, isTls: boolean): string {
  const scheme = isTls ? 'https' : 'http'
  if (isEveryAddress(host)) return `${scheme}://${host.includes(':') ? '[::1]' : '127.0.0.1'}:${port}`
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** It stands for all addresses of the machine. */
export function isEveryAddress(host: string): boolean {
  return isIP(host) === 6 ? groupsOf(host).every((group) => group === 0) : host === '0.0.0.0'
}
