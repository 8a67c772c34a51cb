import type { CallError } from '../model/collected-call.ts'
import { DeniedDevice, type DeniedKind, declaredKind } from '../model/deny-entry.ts'
import type { Directory } from '../model/directory.ts'
import type { DeclaredId } from '../model/event.ts'
import type { CallIds } from './call-ids.ts'
import type { DenyList } from './deny-list.ts'
import { isMistakenId } from './deny-seeds.ts'
import { callError } from './error-codes.ts'

export type KeptIds = Pick<CallIds, 'deviceId' | 'ecid' | 'cookieDeviceId' | 'firstDeviceId' | 'declaredIds'>

/**
 * Counts the IDs of a call and leaves out those on the deny list, each with its code [COL-147], [COL-149].
 * @param onCallerOver given for a call of a listed caller, which is counted and warned of only [COL-146]
 * @returns undefined when IDs were denied and none is left: the call is disregarded [COL-148]
 */
export function withoutDenied(
  denyList: DenyList,
  directory: Directory,
  ids: CallIds,
  nowMs: number,
  errors: CallError[],
  onCallerOver?: (kind: DeniedKind) => void,
): KeptIds | undefined {
  let denied = ids.deniedCount
  const keep = <Id extends string>(id: Id | undefined, kind: number): Id | undefined => {
    if (id === undefined || !(isMistakenId(id) || denyList.isDenied(kind, id, nowMs, onCallerOver))) return id
    denied++
    errors.push(callError(307, id))
    return undefined
  }
  const keepDeclared = ({ dataSourceId, id }: DeclaredId): boolean => {
    const isDeviceId = directory.dataSources.get(dataSourceId)?.idType === 'DEVICE_ADVERTISING_ID'
    if (!denyList.isDenied(declaredKind(dataSourceId, isDeviceId), id, nowMs, onCallerOver)) return true
    denied++
    errors.push(callError(isDeviceId ? 306 : 303, id))
    return false
  }

  const deviceId = keep(ids.deviceId, DeniedDevice.uuid)
  const ecid = keep(ids.ecid, DeniedDevice.ecid)
  // A page library sends the cookie's ID as parameter too: that is one call, counted once.
  const isSame = ids.cookieDeviceId === ids.deviceId
  const cookieDeviceId = isSame ? deviceId : keep(ids.cookieDeviceId, DeniedDevice.uuid)
  // Counts as what names the device only where nothing else does.
  const isNamed = (ids.deviceId ?? ids.ecid ?? ids.cookieDeviceId) !== undefined
  const firstDeviceId = isNamed ? undefined : keep(ids.firstDeviceId, DeniedDevice.uuid)
  const declaredIds = ids.declaredIds.length === 0 ? ids.declaredIds : ids.declaredIds.filter(keepDeclared)

  const isAnyLeft = deviceId ?? ecid ?? cookieDeviceId ?? firstDeviceId ?? declaredIds[0]
  if (denied > 0 && isAnyLeft === undefined) return undefined
  return { deviceId, ecid, cookieDeviceId, firstDeviceId, declaredIds }
}
