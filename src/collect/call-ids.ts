import type { CallError } from '../model/collected-call.ts'
import type { DeclaredId } from '../model/event.ts'
import { type DeviceId, isDeviceId } from '../model/ids.ts'
import { readDeclaredIds } from './declared-ids.ts'
import type { Edge } from './edge.ts'
import { type EdgeRequest, firstValue } from './edge-request.ts'
import { callError } from './error-codes.ts'
import { firstVisitDevice } from './first-visit.ts'

/** IDs of a call, valid in form. */
export interface CallIds {
  readonly deviceId: DeviceId | undefined
  readonly ecid: string | undefined
  readonly cookieDeviceId: DeviceId | undefined
  /** The new ID of a browser that nothing else names (`d_first`). */
  readonly firstDeviceId: DeviceId | undefined
  readonly declaredIds: readonly DeclaredId[]
  readonly deprecatedPair: DeclaredId | undefined
  /** Declared IDs refused as known mistakes, or by an operator. */
  readonly deniedCount: number
  readonly organization: string
  readonly hasOrganization: boolean
}

/** @param errors receives 101, 102 and the codes of declared IDs */
export function readIds(edge: Edge, request: EdgeRequest, errors: CallError[]): CallIds {
  const { withheld, declared } = request.parameters
  const uuid = withheld.get('d_uuid')
  const mid = withheld.get('d_mid')
  const isUuid = uuid !== undefined && isDeviceId(uuid)
  const isMid = mid !== undefined && isDeviceId(mid)
  if (mid !== undefined && mid !== '' && !isMid) errors.push(callError(101, mid))
  if (uuid !== undefined && uuid !== '' && !isUuid) errors.push(callError(102, uuid))
  const cookie = request.cookies.demdex
  const ids = readDeclaredIds(declared, edge.directory(), edge.denyList.dataSourceIds, errors)
  const organization = firstValue(request, 'd_orgid') ?? ''
  return {
    deviceId: isUuid ? (uuid as DeviceId) : undefined,
    ecid: isMid ? mid : undefined,
    cookieDeviceId: cookie !== undefined && isDeviceId(cookie) ? cookie : undefined,
    firstDeviceId: firstVisitDevice(edge.firstVisitKey, request),
    declaredIds: ids.ids,
    deprecatedPair: ids.deprecatedPair,
    deniedCount: ids.deniedCount,
    // An alias stands for the one organization of the installation.
    organization: organization === '' ? (edge.config.organizations[0] ?? '') : organization,
    hasOrganization: organization !== '',
  }
}
