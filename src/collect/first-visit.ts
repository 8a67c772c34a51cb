import { createHmac } from 'node:crypto'
import type { DeviceId } from '../model/ids.ts'
import type { EdgeRequest } from './edge-request.ts'

const ALL_IDS = 10n ** 38n

/**
 * The new ID of a browser that has none, for calls that may not wait for the first answer: those with the same `d_first`,
 * a text the page makes, get the same ID as long as nothing else names a device. A page cannot choose the ID or hand it to
 * other browsers, because the edge's key, the address and the kind of browser are part of it: the cookie that follows is
 * as much ours as one that was drawn [COL-259].
 * @param key 32 bytes, the same on every edge of an installation
 * @returns undefined when the call carries no such text
 */
export function firstVisitDevice(key: Buffer, request: EdgeRequest): DeviceId | undefined {
  const text = request.parameters.withheld.get('d_first') ?? ''
  if (text === '') return undefined
  const parts = ['first visit', text, request.address, request.headers['user-agent'] ?? '']
  const digest = createHmac('sha256', key).update(JSON.stringify(parts)).digest('hex')
  return String(BigInt(`0x${digest}`) % ALL_IDS).padStart(38, '0') as DeviceId
}
