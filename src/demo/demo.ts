import { createHttpClient } from '../lib/http-client.ts'
import { createRestClient } from '../lib/rest-client.ts'
import { describeRecord } from '../partner/describe-record.ts'
import { type Partner, startPartner } from '../partner/partner.ts'
import { startCrowd } from './crowd.ts'
import { ensureDefinitions } from './definitions.ts'

/**
 * The demo workspace [OPS-2]: definitions, generated visitors that call the running edge, and a partner on loopback
 * that checks what it is sent and reads it aloud.
 */
export interface DemoOptions {
  readonly edgeUrl: string
  readonly adminUrl: string
  readonly adminToken: string
  /** PEM to trust when the listeners have a certificate of their own. */
  readonly ca?: string | undefined
  readonly partner: Partner
  readonly partnerKey: string
  /** Calls a second; 0 switches the visitors off. */
  readonly rate: number
}

export interface Demo {
  stop(): Promise<void>
}

/** Started before the server, because the server is told which address of loopback it may reach [OPS-25]. */
export function startDemoPartner(port: number, key: string, nowMs: () => number): Promise<Partner> {
  return startPartner({ port, signing: { keys: [key] }, nowMs })
}

/** @param print gets one line for each message that reaches the partner */
export async function startDemo(options: DemoOptions, print: (line: string) => void): Promise<Demo> {
  const http = createHttpClient(options.ca)
  const api = createRestClient(http, options.adminUrl, options.adminToken)
  const { segmentNames } = await ensureDefinitions(api, { url: `${options.partner.url}/aam`, key: options.partnerKey })
  options.partner.onMessage((record) => print(describeRecord(record, (id) => segmentNames.get(id) ?? `segment ${id}`)))
  const crowd =
    options.rate > 0
      ? startCrowd({ http, edgeUrl: options.edgeUrl, rate: options.rate, random: Math.random })
      : undefined
  return {
    async stop() {
      await crowd?.stop()
      http.close()
    },
  }
}
