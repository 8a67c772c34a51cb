import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { TrustedProxies } from './client-address.ts'

/**
 * Server-to-server callers: they call for others and may hand over the end user's address [COL-264]. An entry is a
 * network, or `sha256:` and the fingerprint of a client certificate; with `alias=` in front it counts for that alias alone.
 */
export class Callers {
  readonly isEmpty: boolean
  /** Whether clients are to be asked for a certificate. */
  readonly haveCertificates: boolean
  /** By alias; the empty one holds those that call for every alias. */
  private readonly byAlias = new Map<string, CallerGroup>()

  /** @throws RangeError for an entry that is neither a network nor a fingerprint */
  constructor(entries: readonly string[]) {
    const lists = new Map<string, string[]>()
    for (const entry of entries) {
      const equals = entry.indexOf('=')
      const alias = entry.slice(0, Math.max(equals, 0)).trim().toLowerCase()
      lists.set(alias, [...(lists.get(alias) ?? []), entry.slice(equals + 1).trim()])
    }
    for (const [alias, identities] of lists) this.byAlias.set(alias, groupOf(identities))
    this.isEmpty = entries.length === 0
    this.haveCertificates = [...this.byAlias.values()].some(({ fingerprints }) => fingerprints.size > 0)
  }

  /** @param label left-most label of the host that is called */
  hasAddress(address: string, label: string): boolean {
    return this.some(label, ({ networks }) => networks.includes(address))
  }

  /** Whether the client of this connection has proven to hold the key of a listed certificate. */
  hasCertificateOf(message: IncomingMessage, label: string): boolean {
    if (!this.haveCertificates) return false
    const socket = message.socket as Partial<TLSSocket>
    const fingerprint = socket.getPeerX509Certificate?.()?.fingerprint256
    return fingerprint !== undefined && this.some(label, ({ fingerprints }) => fingerprints.has(plain(fingerprint)))
  }

  private some(label: string, holds: (group: CallerGroup) => boolean): boolean {
    const ofAll = this.byAlias.get('')
    const ofAlias = label === '' ? undefined : this.byAlias.get(label)
    return (ofAll !== undefined && holds(ofAll)) || (ofAlias !== undefined && holds(ofAlias))
  }
}

interface CallerGroup {
  readonly networks: TrustedProxies
  readonly fingerprints: ReadonlySet<string>
}

const CERTIFICATE = /^sha256:/i

function groupOf(identities: readonly string[]): CallerGroup {
  const fingerprints = identities
    .filter((identity) => CERTIFICATE.test(identity))
    .map((identity) => plain(identity.replace(CERTIFICATE, '')))
  const wrong = fingerprints.find((fingerprint) => !/^[0-9a-f]{64}$/.test(fingerprint))
  if (wrong !== undefined) throw new RangeError(`edge.callers: not a SHA-256 fingerprint: ${wrong}`)
  return {
    networks: new TrustedProxies(identities.filter((identity) => !CERTIFICATE.test(identity))),
    fingerprints: new Set(fingerprints),
  }
}

function plain(fingerprint: string): string {
  return fingerprint.replaceAll(':', '').toLowerCase()
}
