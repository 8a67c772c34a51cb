import { expect, test } from 'vitest'
import fc from '../testkit/properties.ts'
import { Signals } from './signals.ts'

/** A map from key to values, the obvious form. */
function obviously(pairs: readonly (readonly [string, string])[]): Map<string, string[]> {
  const map = new Map<string, string[]>()
  for (const [name, value] of pairs) map.set(name, [...(map.get(name) ?? []), value])
  return map
}

const names = fc.constantFrom('a', 'A', 'd_sid', 'd_rtbd', 'gdpr', 'gdpr_x', 'd', 'h_ip', '', '__proto__')
const pairs = fc.array(fc.tuple(names, fc.string({ maxLength: 3 })), { maxLength: 12 })

test('signals answer what a map of lists would, also after a key was taken out [COL-28] [SEC-06~]', () => {
  fc.assert(
    fc.property(pairs, names, names, (given, asked, taken) => {
      const signals = Signals.of(given)
      const map = obviously(given)
      expect([signals.first(asked), signals.all(asked), signals.has(asked)]).toEqual([
        map.get(asked)?.[0],
        map.get(asked) ?? [],
        map.has(asked),
      ])
      signals.delete(taken)
      map.delete(taken)
      expect([signals.first(asked), signals.has(taken)]).toEqual([map.get(asked)?.[0], false])
      expect(signals.names.map((name, at) => [name, signals.values[at]])).toEqual(
        given.filter(([name]) => name !== taken),
      )
    }),
  )
})
