import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig, type UsherConfig } from '../config.ts'
import { startDemo, startDemoPartner } from '../demo/demo.ts'
import { createLog } from '../lib/log.ts'
import { ADMIN_TOKEN_FILE, openSecretFile } from '../lib/secret-files.ts'
import { startUsher } from '../main.ts'
import { installLastResort } from './last-resort.ts'
import { openLine } from './link.ts'
import { printReady } from './ready-line.ts'
import type { ServeOptions } from './serve.ts'
import { stopOnSignals } from './stop-on-signals.ts'

export interface DemoCommand extends ServeOptions {
  /** Calls of generated visitors a second. */
  readonly rate: number
}

/** `serve` with the demo workspace [OPS-2]; runs until a signal. */
export async function demo({ rate, ...options }: DemoCommand): Promise<void> {
  const config = quiet(loadConfig({ options }))
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 })
  const partnerKey = openSecretFile(join(config.dataDir, 'demo-partner.key'))
  const partner = await startDemoPartner(config.partner.port, partnerKey, Date.now)
  // Exactly this address of loopback, and no other, may be reached without the development switch [OPS-25].
  const usher = await startUsher(config, { allowedTargets: [`127.0.0.1:${partner.port}`] })
  installLastResort(createLog({ level: 'warn' }))
  printReady(usher.ready)
  const running = await startDemo(
    {
      edgeUrl: usher.edgeUrl,
      adminUrl: usher.adminUrl,
      adminToken: config.admin.token ?? readFileSync(join(config.dataDir, ADMIN_TOKEN_FILE), 'utf8').trim(),
      ca: config.tls.cert === undefined ? undefined : readFileSync(config.tls.cert, 'utf8'),
      partner,
      partnerKey,
      rate,
    },
    (line) => process.stdout.write(`${line}\n`),
  )
  process.stdout.write(welcome(usher, partner.url, config.dataDir))
  const link = (await usher.needsSetupLink()) ? await usher.newSetupLink() : undefined
  if (link !== undefined) process.stdout.write(`  ${openLine(usher.adminUrl, link)}\n\n`)
  stopOnSignals(async () => {
    await running.stop()
    await usher.close()
    await partner.close()
  })
}

/** The messages are what is to be read here; trouble still shows. */
function quiet(config: UsherConfig): UsherConfig {
  return config.logLevel === 'info' ? { ...config, logLevel: 'warn' } : config
}

function welcome(
  usher: { readonly edgeUrl: string; readonly adminUrl: string },
  partnerUrl: string,
  dataDir: string,
): string {
  const isDocumented = existsSync(join(dataDir, ADMIN_TOKEN_FILE))
  return `
  Usher is running.

    collection edge   ${usher.edgeUrl}/event
    REST API          ${usher.adminUrl}/v1/    described in ${usher.adminUrl}/openapi.json
    demo partner      ${partnerUrl}/aam
${isDocumented ? `    admin token       in ${join(dataDir, ADMIN_TOKEN_FILE)}\n` : ''}
  Generated visitors walk through a shop. Each line below is a signed message that reached the partner.
  Ctrl+C stops it.

`
}
