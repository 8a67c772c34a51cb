// The system's nginx, for the guide docs/behind-a-proxy.md. Node's own modules only: scripts/test.mjs asks too.
import { existsSync } from 'node:fs'

const USUAL = [
  '/usr/sbin/nginx',
  '/usr/local/sbin/nginx',
  '/usr/bin/nginx',
  '/usr/local/bin/nginx',
  '/opt/homebrew/bin/nginx',
]

/** Looks each time it is asked: `npm test` installs one and goes on. */
export function nginxPath() {
  return USUAL.find((path) => existsSync(path)) ?? '/usr/sbin/nginx'
}

export function hasNginx() {
  return existsSync(nginxPath())
}
