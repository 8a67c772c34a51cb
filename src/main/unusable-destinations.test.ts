import { expect, test } from 'vitest'
import type { DestinationRule } from '../activation/destination-rules.ts'
import type { DestinationId } from '../model/ids.ts'
import { watchUnusable } from './unusable-destinations.ts'

test('each destination whose settings cannot be used is logged once, with the reason and what to do, and once when it can again', () => {
  const lines: unknown[] = []
  const watch = watchUnusable({
    error: (event, fields) => lines.push(['error', event, fields]),
    info: (event, fields) => lines.push(['info', event, fields]),
  })
  const rules = (unusable: string | undefined) => {
    const destinationId = 423 as DestinationId
    return { byId: new Map([[destinationId, { destinationId, name: 'Halden DSP', unusable } as DestinationRule]]) }
  }
  for (const unusable of [undefined, 's2s.auth: unknown', 's2s.auth: unknown', undefined, undefined])
    watch(rules(unusable))
  expect(lines).toEqual([
    [
      'error',
      'destination.unusable',
      {
        destinationId: 423,
        name: 'Halden DSP',
        reason: 's2s.auth: unknown',
        toDo: 'what it is owed is kept; save the destination again with settings that are valid',
      },
    ],
    ['info', 'destination.usable_again', { destinationId: 423 }],
  ])
})
