import { expect, test } from 'vitest'
import type { DataSourceId, DeviceId } from '../model/ids.ts'
import type { DeviceLink, IdLink } from '../model/profile.ts'
import { addDeviceLink, addIdLink, lastAuthenticated, latestDevice } from './links.ts'

const LINK_LIMITS = { crossDeviceIdsPerDataSource: 10 }

const crm = 1000 as DataSourceId
const device = (n: number) => String(n).padStart(38, '0') as DeviceId

test('the eleventh cross-device ID of a data source evicts the oldest mapping, of that source only [COL-75] [AUD-169] [OUT-17] [AUD-313]', () => {
  let links: readonly IdLink[] = addIdLink(
    [],
    { dataSourceId: 7 as DataSourceId, id: 'other', authState: 0 },
    'CROSS_DEVICE',
    1,
  ).links
  for (let n = 0; n < LINK_LIMITS.crossDeviceIdsPerDataSource; n++)
    links = addIdLink(links, { dataSourceId: crm, id: `u${n}`, authState: 0 }, 'CROSS_DEVICE', 10 + n).links
  const change = addIdLink(links, { dataSourceId: crm, id: 'new', authState: 0 }, 'CROSS_DEVICE', 99)
  expect(change.evicted.map((link) => link.id)).toEqual(['u0'])
  expect(change.isNew).toBe(true)
  expect(change.links).toHaveLength(11)
  expect(change.links.some((link) => link.id === 'other')).toBe(true)
})

test('the 101st device of a person evicts the oldest; a cookie ID keeps 1,000 [COL-75] [AUD-169] [AUD-313] [OUT-17]', () => {
  const fill = (count: number, idType: 'CROSS_DEVICE' | 'COOKIE') => {
    let devices: readonly DeviceLink[] = []
    for (let n = 0; n < count; n++) devices = addDeviceLink(devices, device(n), idType, n).links
    return devices
  }
  const person = addDeviceLink(fill(100, 'CROSS_DEVICE'), device(100), 'CROSS_DEVICE', 100)
  expect(person.evicted.map((link) => link.deviceId)).toEqual([device(0)])
  expect(person.links).toHaveLength(100)
  const cookie = addDeviceLink(fill(1000, 'COOKIE'), device(1000), 'COOKIE', 1000)
  expect(cookie.evicted).toHaveLength(1)
  expect(cookie.links).toHaveLength(1000)
})

test('a device seen again with its ID becomes the latest mapping without growing the list [COL-70]', () => {
  let devices = addDeviceLink([], device(1), 'CROSS_DEVICE', 1).links
  devices = addDeviceLink(devices, device(2), 'CROSS_DEVICE', 2).links
  const again = addDeviceLink(devices, device(1), 'CROSS_DEVICE', 3)
  expect(again.isNew).toBe(false)
  expect(latestDevice(again.links)).toBe(device(1))
  expect(again.links).toHaveLength(2)
})

test('the mapping is stored in all three states, and only state 1 moves "last authenticated" [COL-90] [AUD-188] [AUD-343]', () => {
  let links: readonly IdLink[] = []
  links = addIdLink(links, { dataSourceId: crm, id: 'never', authState: 0 }, 'CROSS_DEVICE', 1).links
  expect(lastAuthenticated(links, crm)).toBeUndefined()
  links = addIdLink(links, { dataSourceId: crm, id: 'anna', authState: 1 }, 'CROSS_DEVICE', 2).links
  links = addIdLink(links, { dataSourceId: crm, id: 'bo', authState: 1 }, 'CROSS_DEVICE', 3).links
  expect(lastAuthenticated(links, crm)?.id).toBe('bo')
  links = addIdLink(links, { dataSourceId: crm, id: 'anna', authState: 2 }, 'CROSS_DEVICE', 4).links
  links = addIdLink(links, { dataSourceId: crm, id: 'never', authState: 0 }, 'CROSS_DEVICE', 5).links
  expect(lastAuthenticated(links, crm)?.id).toBe('bo')
  expect(links.map((link) => link.id).sort()).toEqual(['anna', 'bo', 'never'])
})
