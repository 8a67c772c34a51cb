import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ConfigError, type UsherConfig } from '../config.ts'

/** Certificate and key of the listeners, PEM. @throws ConfigError for files that cannot be read or do not belong together */
export function readTls({
  tls,
}: Pick<UsherConfig, 'tls'>): { readonly cert: string; readonly key: string } | undefined {
  if (tls.cert === undefined || tls.key === undefined) return undefined
  const settings = 'tls.cert (USHER_TLS_CERT) and tls.key (USHER_TLS_KEY)'
  const cert = readPem('tls.cert (USHER_TLS_CERT)', tls.cert)
  const key = readPem('tls.key (USHER_TLS_KEY)', tls.key)
  if (/ENCRYPTED/.test(key))
    throw new ConfigError([
      `tls.key (USHER_TLS_KEY): ${tls.key} is locked with a passphrase, which nobody can type at a start. Unlock it: openssl pkey -in ${tls.key} -out KEY.pem`,
    ])
  try {
    if (new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) return { cert, key }
  } catch (error) {
    throw new ConfigError([`${settings} cannot be used: ${(error as Error).message}`])
  }
  throw new ConfigError([`${settings} do not belong together: the key is of another certificate`])
}

/**
 * Further authorities for outgoing TLS, PEM. Node itself passes over what it cannot read, and then refuses partners without
 * saying why. @throws ConfigError for a file that cannot be read or holds anything but certificates
 */
export function readExtraCa({ extraCa }: Pick<UsherConfig, 'extraCa'>): string | undefined {
  if (extraCa === undefined) return undefined
  const setting = 'extraCa (USHER_EXTRA_CA)'
  const pem = readPem(setting, extraCa)
  const blocks = pem.match(/-----BEGIN [^-]+-----[\s\S]*?-----END [^-]+-----/g) ?? []
  if (blocks.length === 0)
    throw new ConfigError([
      `${setting}: ${extraCa} holds no certificate; allowed: PEM, which begins with -----BEGIN CERTIFICATE-----`,
    ])
  for (const [at, block] of blocks.entries()) {
    try {
      new X509Certificate(block)
    } catch (error) {
      throw new ConfigError([
        `${setting}: block ${at + 1} of ${extraCa} is no certificate: ${(error as Error).message}`,
      ])
    }
  }
  return pem
}

function readPem(setting: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigError([`${setting}: ${path} cannot be read: ${(error as Error).message}`])
  }
}
