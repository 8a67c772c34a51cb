import type { CollectedCall, DeviceSource } from '../model/collected-call.ts'
import type { IdType } from '../model/definitions.ts'
import type { DeclaredId } from '../model/event.ts'
import type { DeviceId } from '../model/ids.ts'
import type { EcidMapper } from './ecid.ts'

/** The members of a call that name its device. */
export type DeviceHints = Pick<
  CollectedCall,
  'kind' | 'deviceId' | 'ecid' | 'cookieDeviceId' | 'organization' | 'hasOrganization' | 'declaredIds'
>

export interface FoundDevice {
  readonly deviceId: DeviceId
  readonly source: DeviceSource
}

/** Steps 1 to 3 of [COL-69], which need no look-up: `d_uuid`, `d_mid`, cookie. */
export function deviceOfCall(
  hints: Omit<DeviceHints, 'kind' | 'hasOrganization' | 'declaredIds'>,
  ecids: EcidMapper,
): FoundDevice | undefined {
  if (hints.deviceId !== undefined) return { deviceId: hints.deviceId, source: 'parameter' }
  if (hints.ecid !== undefined) return { deviceId: ecids.deviceOf(hints.organization, hints.ecid), source: 'ecid' }
  if (hints.cookieDeviceId !== undefined) return { deviceId: hints.cookieDeviceId, source: 'cookie' }
  return undefined
}

/**
 * Step 4 of [COL-69]: declared IDs that may name the device, in the order to ask: device advertising IDs first, then
 * cross-device IDs, each in request order. Cookie-type IDs never do (they would bring back an ID the user deleted), an
 * ID sync never does [COL-156], and a call of the ID service asks for the device's own ID.
 */
export function idsThatNameTheDevice(
  hints: DeviceHints,
  idTypeOf: (id: DeclaredId) => IdType | undefined,
): readonly DeclaredId[] {
  if (hints.kind === 'sync' || hints.declaredIds.length === 0) return []
  const advertising = hints.declaredIds.filter((id) => idTypeOf(id) === 'DEVICE_ADVERTISING_ID')
  if (hints.hasOrganization) return advertising
  return [...advertising, ...hints.declaredIds.filter((id) => idTypeOf(id) === 'CROSS_DEVICE')]
}
