import type { OptOutCall } from '../model/collected-call.ts'
import { newEventId } from './make-call.ts'

/** A partner-level opt-out on request that names nobody yet. */
export function makeOptOut(changes: Partial<OptOutCall> = {}): OptOutCall {
  return {
    eventId: newEventId(),
    receivedAtMs: Date.UTC(2026, 10, 22, 10),
    level: 'partner',
    reason: 'request',
    deviceId: undefined,
    ecid: undefined,
    organization: '',
    cookieDeviceId: undefined,
    declaredIds: [],
    deprecatedPair: undefined,
    ...changes,
  }
}
