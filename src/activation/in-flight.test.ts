import { expect, test } from 'vitest'
import { InFlight } from './in-flight.ts'
import { profileIdOf } from './workbench.conformance.ts'

test('a profile of a message on its way cannot be taken for another one [SEC-42~]', () => {
  const inFlight = new InFlight()
  inFlight.hold(profileIdOf(1))
  expect(() => inFlight.hold(profileIdOf(1))).toThrow(/on its way/)
  inFlight.release(profileIdOf(1))
  expect(() => inFlight.hold(profileIdOf(1))).not.toThrow()
})
