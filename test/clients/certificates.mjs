// A certificate authority for one run, and a server certificate for the host names of the test, made by openssl.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** @returns paths and texts of the authority (`ca`) and of the certificate with its key */
export function makeCertificates(folder, hostNames) {
  const at = (name) => join(folder, name)
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl([
    'req',
    '-x509',
    ...curve,
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.pem'),
    '-subj',
    '/CN=Usher test authority',
    '-days',
    '2',
  ])
  openssl(['req', ...curve, '-keyout', at('server.key'), '-out', at('server.csr'), '-subj', '/CN=usher.test'])
  writeFileSync(at('server.ext'), `subjectAltName=${hostNames.map((name) => `DNS:${name}`).join(',')},IP:127.0.0.1\n`)
  const sign = [
    '-CA',
    at('ca.pem'),
    '-CAkey',
    at('ca.key'),
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    at('server.ext'),
  ]
  openssl(['x509', '-req', '-in', at('server.csr'), ...sign, '-out', at('server.pem')])
  const read = (name) => readFileSync(at(name), 'utf8')
  return {
    caPath: at('ca.pem'),
    certPath: at('server.pem'),
    keyPath: at('server.key'),
    ca: read('ca.pem'),
    cert: read('server.pem'),
    key: read('server.key'),
  }
}

function openssl(args) {
  const result = spawnSync('openssl', args, { encoding: 'utf8' })
  if (result.error) throw new Error(`openssl could not be run: ${result.error.message}`)
  if (result.status !== 0) throw new Error(`openssl ${args[0]} failed: ${result.stderr}`)
}
