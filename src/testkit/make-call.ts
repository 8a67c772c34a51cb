import { randomBytes } from 'node:crypto'
import type { CollectedCall } from '../model/collected-call.ts'
import type { ConsentDecision } from '../model/event.ts'
import type { DeviceId, EventId } from '../model/ids.ts'
import { Signals } from '../model/signals.ts'

export const CONSENT: ConsentDecision = {
  cookie: true,
  store: true,
  syncDenied: false,
  deniedDestinations: [],
  reason: 'none_applies',
  fingerprint: '',
}

export function deviceId(n: number): DeviceId {
  return String(n).padStart(38, '0') as DeviceId
}

export function newEventId(): EventId {
  return randomBytes(8).toString('base64') as EventId
}

/** An accepted call of a device, with signals given as an object. */
export function makeCall(
  device: number | undefined,
  signals: Readonly<Record<string, string>>,
  changes: Partial<CollectedCall> = {},
): CollectedCall {
  return {
    eventId: newEventId(),
    kind: 'event',
    receivedAtMs: Date.UTC(2026, 10, 22, 10),
    deviceId: device === undefined ? undefined : deviceId(device),
    ecid: undefined,
    organization: '',
    hasOrganization: false,
    cookieDeviceId: undefined,
    firstDeviceId: undefined,
    declaredIds: [],
    signals: Signals.of(Object.entries(signals)),
    traitIds: [],
    onlyDataSourceId: undefined,
    region: 7,
    consent: CONSENT,
    wantsMemberships: true,
    errors: [],
    ...changes,
  }
}
