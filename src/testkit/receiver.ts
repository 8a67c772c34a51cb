import { type Partner, type PartnerOptions, startPartner } from '../partner/partner.ts'
import { freePort } from './free-port.ts'

/** A partner for a test, on a free port of loopback: `await using receiver = await startReceiver({ ... })`. */
export async function startReceiver(options: Partial<PartnerOptions> = {}): Promise<Partner> {
  return startPartner({ port: await freePort(), nowMs: Date.now, ...options })
}
