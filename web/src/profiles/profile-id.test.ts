import { expect, test } from 'vitest'
import { readProfileId } from './profile-id.ts'

const device = '07955261652886032950143702505894272138'

test('a device ID is found also in groups of four or as the store names it', () => {
  expect(readProfileId(device)).toBe(device)
  expect(readProfileId(`d:${device}`)).toBe(device)
  expect(readProfileId(' 0795 5261 6528 8603 2950 1437 0250 5894 2721 38 ')).toBe(device)
})

test('a partner ID keeps what stands behind the data source', () => {
  expect(readProfileId('77052:hd-9f21 x')).toBe('77052:hd-9f21 x')
})

test('anything else is no id', () => {
  expect(readProfileId('hd-9f21')).toBeUndefined()
  expect(readProfileId('1234')).toBeUndefined()
  expect(readProfileId('77052:')).toBeUndefined()
})
