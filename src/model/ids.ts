/**
 * Identifiers, branded so that they cannot be swapped. Source: spec/collection.md section 4.
 */
declare const brand: unique symbol
type Brand<T, Name extends string> = T & { readonly [brand]: Name }

/** 38 decimal digits, leading zeros kept [COL-56]. */
export type DeviceId = Brand<string, 'DeviceId'>
/** A data source (DPID). */
export type DataSourceId = Brand<number, 'DataSourceId'>
/** A trait; traits and segments share one sequence of ids (SID) [AUD-5]. */
export type TraitId = Brand<number, 'TraitId'>
export type SegmentId = Brand<number, 'SegmentId'>
export type FolderId = Brand<number, 'FolderId'>
export type MergeRuleId = Brand<number, 'MergeRuleId'>
export type DestinationId = Brand<number, 'DestinationId'>
export type MappingId = Brand<number, 'MappingId'>
/** 8 random bytes in Base64, 12 characters; the `tid` of a collection answer [COL-104]. */
export type EventId = Brand<string, 'EventId'>
/** `dl_` and 22 random characters; fixed when a message is created, never derived from its content [SEC-41]. */
export type DeliveryId = Brand<string, 'DeliveryId'>
/** `d:<device id>` of a device profile, or `<data source id>:<partner's id>` of the profile behind a declared ID [OPS-52]. */
export type ProfileId = Brand<string, 'ProfileId'>

/** Ids of objects are stored in 32 bits, signed, wherever profiles name them. */
export const OBJECT_ID_MAX = 2 ** 31 - 1

const deviceIdPattern = /^[0-9]{38}$/

export function isDeviceId(text: string): text is DeviceId {
  return text.length === 38 && deviceIdPattern.test(text)
}

export function deviceProfileId(deviceId: DeviceId): ProfileId {
  return `d:${deviceId}` as ProfileId
}

export function declaredProfileId(dataSourceId: DataSourceId, id: string): ProfileId {
  return `${dataSourceId}:${id}` as ProfileId
}

export type ParsedProfileId =
  | { readonly kind: 'device'; readonly deviceId: DeviceId }
  | { readonly kind: 'declared'; readonly dataSourceId: DataSourceId; readonly id: string }

/** Reads either form of a profile ID, or a bare device ID. @returns undefined when it is neither. */
export function parseProfileId(text: string): ParsedProfileId | undefined {
  if (isDeviceId(text)) return { kind: 'device', deviceId: text }
  const colon = text.indexOf(':')
  if (colon < 0) return undefined
  const head = text.slice(0, colon)
  const rest = text.slice(colon + 1)
  if (head === 'd') return isDeviceId(rest) ? { kind: 'device', deviceId: rest } : undefined
  if (!/^[0-9]{1,10}$/.test(head) || rest === '') return undefined
  return { kind: 'declared', dataSourceId: Number(head) as DataSourceId, id: rest }
}
