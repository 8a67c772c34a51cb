import { expect, test } from 'vitest'
import {
  DESTINATION,
  deviceIn,
  openWorkbench,
  profileIdOf,
  rulesOf,
  startReceiver,
  told,
  until,
} from './workbench.conformance.ts'

test('a message that is accepted after its segment was unmapped is taken back by the next one, under the name it had [OUT-58]', async () => {
  let answer = () => {}
  await using receiver = await startReceiver((response, _request, number) => {
    if (number > 1) response.end()
    else answer = () => response.end()
  })
  const config = { url: receiver.url, unsegmentOnUnmap: true }
  const mappings = [{ segmentId: 101 }]
  await using bench = await openWorkbench({
    destinations: [{ config, mappings: [...mappings, { segmentId: 100, value: 'shoes' }] }],
  })
  await bench.commit(deviceIn(1, [100, 101]))
  await receiver.count(1)
  const destination = { config, mappings, mappingVersion: 2, formerAliases: { 100: 'shoes' } }
  bench.rules = rulesOf({ version: 2, destinations: [destination], segments: [100] })
  bench.dispatcher.rulesChanged()
  answer()
  await receiver.count(2)
  await bench.idle()
  await until(() => bench.ended.length === 2)
  expect(receiver.requests.flatMap(told)).toEqual(
    ['user-1: shoes+ 101+', 'user-1: 101+ shoes-'].map((text) => expect.stringMatching(sorted(text))),
  )
  // Nothing is left to take back: no third message.
  expect((await bench.deliveries.lookUp(DESTINATION, [profileIdOf(1)]))[0]).toMatchObject({
    isOwed: false,
    told: { active: [101] },
  })
  expect(receiver.requests).toHaveLength(2)
})

/** In either order. */
function sorted(text: string): RegExp {
  const [user, one, other] = text.split(' ').map((part) => part.replace('+', '\\+'))
  return new RegExp(`^${user} (${one} ${other}|${other} ${one})$`)
}
