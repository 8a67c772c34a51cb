import { expect, test } from 'vitest'
import type { IdType } from '../model/definitions.ts'
import type { DataSourceId, DeviceId } from '../model/ids.ts'
import { makeEcidMapper } from './ecid.ts'
import { type DeviceHints, deviceOfCall, idsThatNameTheDevice } from './resolve-device.ts'

const ecids = makeEcidMapper(Buffer.alloc(32, 1))
const organization = '5DC5123F5245B1D20A490D46@AdobeOrg'
const [a, b, c] = ['1', '2', '3'].map((digit) => digit.repeat(38)) as [DeviceId, DeviceId, DeviceId]
const nothing: DeviceHints = {
  kind: 'event',
  deviceId: undefined,
  ecid: undefined,
  cookieDeviceId: undefined,
  organization,
  hasOrganization: false,
  declaredIds: [],
}
const types: Record<number, IdType> = { 1: 'COOKIE', 2: 'CROSS_DEVICE', 20914: 'DEVICE_ADVERTISING_ID' }
const declared = [1, 2, 20914].map((n) => ({ dataSourceId: n as DataSourceId, id: `id${n}`, authState: 0 as const }))
const idTypeOf = (id: { dataSourceId: DataSourceId }) => types[id.dataSourceId]

test('the device comes from d_uuid, else d_mid, else the cookie; the others are ignored [COL-69]', () => {
  const all = { ...nothing, deviceId: a, ecid: ecids.ecidOf(organization, b), cookieDeviceId: c }
  expect(deviceOfCall(all, ecids)).toEqual({ deviceId: a, source: 'parameter' })
  expect(deviceOfCall({ ...all, deviceId: undefined }, ecids)).toEqual({ deviceId: b, source: 'ecid' })
  expect(deviceOfCall({ ...all, deviceId: undefined, ecid: undefined }, ecids)).toEqual({
    deviceId: c,
    source: 'cookie',
  })
  expect(deviceOfCall(nothing, ecids)).toBeUndefined()
})

test('a device advertising ID names the device before a cross-device ID, and a cookie-type ID never does [COL-69]', () => {
  const ids = idsThatNameTheDevice({ ...nothing, declaredIds: declared }, idTypeOf).map((id) => id.dataSourceId)
  expect(ids).toEqual([20914, 2])
})

test('a call of the ID service is not answered with the device of a person, nor an ID sync with any [COL-69] [COL-156]', () => {
  const withOrganization = { ...nothing, hasOrganization: true, declaredIds: declared }
  expect(idsThatNameTheDevice(withOrganization, idTypeOf).map((id) => id.dataSourceId)).toEqual([20914])
  expect(idsThatNameTheDevice({ ...nothing, kind: 'sync', declaredIds: declared }, idTypeOf)).toEqual([])
})
