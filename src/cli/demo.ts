import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig, type UsherConfig } from '../config.ts'
import { startDemo, startDemoPartner } from '../demo/demo.ts'
import { createLog } from '../lib/log.ts'
import { ADMIN_TOKEN_FILE, openSecretFile } from '../lib/secret-files.ts'
import { isReachedElsewhere } from '../main/server-file.ts'
import { openDataDir, startUsher } from '../main.ts'
import { installLastResort } from './last-resort.ts'
import { openLine, signInLine } from './link.ts'
import { printReady } from './ready-line.ts'
import type { ServeOptions } from './serve.ts'
import { stopOnSignals } from './stop-on-signals.ts'

export interface DemoCommand extends ServeOptions {
  /** Calls of generated visitors a second. */
  readonly rate: number
  /** False after `--no-visitors`. */
  readonly visitors: boolean
}

/** `serve` with the demo workspace [OPS-2]; runs until a signal. */
export async function demo({ rate, visitors, ...options }: DemoCommand): Promise<void> {
  const config = quiet(loadConfig({ options }))
  for (const warning of openDataDir(config)) process.stderr.write(`${warning}\n`)
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
      shopPort: config.shop.port,
      rate: visitors ? rate : 0,
    },
    (line) => process.stdout.write(`${line}\n`),
  )
  process.stdout.write(welcome({ ...usher, shopUrl: running.shopUrl, partnerUrl: partner.url }, config.dataDir))
  const link = (await usher.needsSetupLink()) ? await usher.newSetupLink() : undefined
  const signIn =
    link === undefined
      ? signInLine(usher.adminUrl, config.dataDir)
      : openLine(usher.adminUrl, link, config.dataDir, isReachedElsewhere(config))
  if (usher.adminUrl !== '') process.stdout.write(`  ${signIn}\n\n`)
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

interface Addresses {
  readonly edgeUrl: string
  readonly adminUrl: string
  readonly shopUrl: string
  readonly partnerUrl: string
}

function welcome({ edgeUrl, adminUrl, shopUrl, partnerUrl }: Addresses, dataDir: string): string {
  const hasTokenFile = existsSync(join(dataDir, ADMIN_TOKEN_FILE))
  return `
  Usher is running.

    Shop       ${shopUrl}/    a sample site with the page tag
    Partner    ${partnerUrl}/    who receives the audiences
    Usher      ${adminUrl}/    UI, and REST API under /v1/
    Edge       ${edgeUrl}/    where pages send events
${hasTokenFile ? `    Token      in ${join(dataDir, ADMIN_TOKEN_FILE)}\n` : ''}
  1. Open the shop, accept, and look at two pairs of shoes.
  2. Open the partner: it knows you now, and that you are a Shoe Lover.
  3. There, play an outage: "Down, 503". Go on shopping, then "Answer at once". Nothing was lost.

  Each line below is a signed message that reached the partner. Ctrl+C stops it.

`
}
