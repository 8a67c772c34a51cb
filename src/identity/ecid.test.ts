import { expect, test } from 'vitest'
import type { DeviceId } from '../model/ids.ts'
import fc from '../testkit/properties.ts'
import { makeEcidMapper } from './ecid.ts'

const org = '5DC5123F5245B1D20A490D46@AdobeOrg'
const digits = fc.stringMatching(/^[0-9]{38}$/)
const mapper = makeEcidMapper(Buffer.alloc(32, 7))

test('any 38 digits map to 38 digits and back, issued or not [COL-59] [COL-60]', () => {
  fc.assert(
    fc.property(digits, (id) => {
      const ecid = mapper.ecidOf(org, id as DeviceId)
      expect(ecid).toMatch(/^[0-9]{38}$/)
      expect(mapper.deviceOf(org, ecid)).toBe(id)
      expect(mapper.ecidOf(org, mapper.deviceOf(org, id))).toBe(id)
    }),
  )
})

test('the same pair always gives the same ECID; another organization or key gives another [COL-59]', () => {
  const id = '07955261652886032950143702505894272138' as DeviceId
  expect(makeEcidMapper(Buffer.alloc(32, 7)).ecidOf(org, id)).toBe(mapper.ecidOf(org, id))
  expect(mapper.ecidOf('A7BF3BC75245ADF20A490D4D@AdobeOrg', id)).not.toBe(mapper.ecidOf(org, id))
  expect(makeEcidMapper(Buffer.alloc(32, 8)).ecidOf(org, id)).not.toBe(mapper.ecidOf(org, id))
})
