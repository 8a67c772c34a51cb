import { randomBytes } from 'node:crypto'
import { createHttpClient } from '../lib/http-client.ts'
import { createRestClient } from '../lib/rest-client.ts'
import { describeRecord } from '../partner/describe-record.ts'
import { type Partner, startPartner } from '../partner/partner.ts'
import { addPartnerPage } from '../partner/partner-page.ts'
import { type Crowd, startCrowd } from './crowd.ts'
import { ensureDefinitions } from './definitions.ts'
import { idSyncRoute } from './id-sync.ts'
import { startShop } from './shop/shop.ts'

/**
 * The demo workspace [OPS-2]: definitions, a shop with the page tag, generated visitors that call the running edge, and a
 * partner on loopback that checks what it is sent, shows it on a page and reads it aloud.
 */
export interface DemoOptions {
  readonly edgeUrl: string
  readonly adminUrl: string
  readonly adminToken: string
  /** PEM to trust when the listeners have a certificate of their own. */
  readonly ca?: string | undefined
  readonly partner: Partner
  readonly partnerKey: string
  readonly shopPort: number
  /** Calls a second while the visitors walk; 0 keeps them away until they are switched on in the shop. */
  readonly rate: number
}

export interface Demo {
  readonly shopUrl: string
  stop(): Promise<void>
}

/** Of visitors that are switched on although none were asked for. */
const RATE_DEFAULT = 5

/** Started before the server, because the server is told which address of loopback it may reach [OPS-25]. */
export function startDemoPartner(port: number, key: string, nowMs: () => number): Promise<Partner> {
  return startPartner({ port, signing: { keys: [key] }, nowMs })
}

/** @param print gets one line for each message that reaches the partner */
export async function startDemo(options: DemoOptions, print: (line: string) => void): Promise<Demo> {
  const { partner, partnerKey, edgeUrl, adminUrl } = options
  const http = createHttpClient(options.ca)
  const api = createRestClient(http, adminUrl, options.adminToken)
  const names = await ensureDefinitions(api, {
    url: `${partner.url}/aam`,
    syncUrl: `${partner.url}/sync?did=%DID%`,
    key: partnerKey,
  })
  const nameOf = (id: string) => names.segments[id]?.name ?? `segment ${id}`
  partner.onMessage((record) => print(describeRecord(record, nameOf)))
  partner.addRoute(idSyncRoute(edgeUrl, () => `you-${randomBytes(2).toString('hex')}`))
  addPartnerPage(partner, { nameOf })
  const visitors = visitorSwitch((rate) => startCrowd({ http, edgeUrl, rate, random: Math.random }), options.rate)
  const shop = await startShop({
    port: options.shopPort,
    edgeUrl,
    adminUrl,
    partnerUrl: partner.url,
    names,
    visitors,
  })
  return {
    shopUrl: shop.url,
    async stop() {
      await shop.close()
      await visitors.stop()
      http.close()
    },
  }
}

/** Generated visitors that come and go; those who were pausing are others afterwards. */
function visitorSwitch(start: (rate: number) => Crowd, rate: number) {
  let crowd = rate > 0 ? start(rate) : undefined
  let leaving: Promise<void> = Promise.resolve()
  return {
    isRunning: () => crowd !== undefined,
    set(running: boolean) {
      if (running) crowd ??= start(rate > 0 ? rate : RATE_DEFAULT)
      else {
        leaving = Promise.all([leaving, crowd?.stop()]).then(() => undefined)
        crowd = undefined
      }
    },
    async stop() {
      this.set(false)
      await leaving
    },
  }
}
