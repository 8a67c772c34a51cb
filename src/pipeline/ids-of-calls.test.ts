import { expect, test } from 'vitest'
import { declaredProfileId, deviceProfileId } from '../model/ids.ts'
import { deviceId, makeCall } from '../testkit/make-call.ts'
import { CRM, makeDefinitions, PARTNER } from '../testkit/make-definitions.ts'
import { makePipeline } from '../testkit/make-pipeline.ts'

/** What the IDs of a call leave behind, at the device and at each other. */
const crm = (id: string) => ({ dataSourceId: CRM, id, authState: 1 as const })
const partner = (id: string) => ({ dataSourceId: PARTNER, id, authState: 0 as const })
const person = (id: string) => declaredProfileId(CRM, id)
const browser = (n: number) => deviceProfileId(deviceId(n))
const definitions = makeDefinitions()

test('/id of a device says nothing that is kept, unless it brings an ID that is new; its ECID is answered [COL-254] [COL-174~]', async () => {
  await using pipeline = await makePipeline(definitions)
  const id = (changes: Parameters<typeof makeCall>[2]) =>
    pipeline.process(makeCall(1, {}, { kind: 'id', organization: 'AB@AdobeOrg', hasOrganization: true, ...changes }))
  const first = await id({})
  expect([first, await pipeline.profile(browser(1))]).toMatchObject([
    { ecid: expect.stringMatching(/^[0-9]{38}$/) },
    undefined,
  ])
  await id({ declaredIds: [partner('hd-1')] })
  expect((await pipeline.profile(browser(1)))?.links.map((link) => link.id)).toEqual(['hd-1'])
  const again = await id({ declaredIds: [partner('hd-1')] })
  expect(again).toMatchObject({ ecid: (first as { ecid: string }).ecid })
  expect((await pipeline.profile(browser(1)))?.revision).toBe(1)
  // Without an organization there is none, and an event is not asked for it.
  expect(await id({ organization: '', hasOrganization: false })).toMatchObject({ ecid: '' })
  expect(await pipeline.process(makeCall(1, {}, { organization: 'AB@AdobeOrg' }))).toMatchObject({ ecid: '' })
  // A device that is known by its ECID is answered with it.
  const named = { organization: 'AB@AdobeOrg', ecid: '54192285857942994142875423154873503351' }
  expect(await pipeline.process(makeCall(undefined, {}, named))).toMatchObject({ source: 'ecid', ecid: named.ecid })
})

test('IDs that come together later are linked too, each with every other it was seen with [COL-97] [COL-77]', async () => {
  await using pipeline = await makePipeline(definitions)
  const linksOf = async (id: string) => (await pipeline.profile(person(id)))?.links.map((link) => link.id).sort()
  for (const other of ['household', 'household', 'office'])
    await pipeline.process(makeCall(1, {}, { declaredIds: [crm('anna'), crm(other)] }))
  expect([await linksOf('anna'), await linksOf('household'), await linksOf('office')]).toEqual([
    ['household', 'office'],
    ['anna'],
    ['anna'],
  ])
})
