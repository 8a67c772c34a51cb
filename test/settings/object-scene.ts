import { consentString } from '../../src/collect/test-consent.conformance.ts'
import { acts, type Check, forPeople } from './check.ts'
import { type Answer, startWorld, unique, until, type World } from './world.ts'

/** What the checks of objects are made of: how things are made in the whole server, and what is then looked at. */
let shared: Promise<World> | undefined
export const withWorld = () => (shared ??= startWorld())
export const closeWorld = async () => (await shared)?.[Symbol.asyncDispose]()

export const inWorld = (see: (world: World) => Promise<readonly [unknown, unknown]>): Check =>
  acts(async () => see(await withWorld()))

export const SHOWN = 'Shown to people beside the object; nothing is decided by it.'
export const text = forPeople(SHOWN)

// What others need.
export const makeSource = (w: World, more: object = {}) => w.make('/v1/datasources', { name: unique(), ...more })
export const makeCrm = (w: World, more: object = {}) =>
  makeSource(w, { idType: 'CROSS_DEVICE', integrationCode: unique(), ...more })
export const sourceId = async (w: World): Promise<number> => (await makeSource(w)).dataSourceId
export async function makeTrait(w: World, more: object = {}) {
  const key = unique()
  const blank = {
    name: key,
    folderId: 0,
    traitType: 'RULE_BASED_TRAIT',
    traitRule: `${key} == 1`,
    dataSourceId: await sourceId(w),
  }
  return { key, ...(await w.make('/v1/traits', { ...blank, ...more })) }
}
export async function makeSegment(w: World, segmentRule: string, more: object = {}) {
  return w.make('/v1/segments', { name: unique(), segmentRule, folderId: 0, dataSourceId: await sourceId(w), ...more })
}
export const makeFolder = (w: World, more: object = {}) =>
  w.make('/v1/folders/traits', { name: unique(), parentFolderId: 0, ...more })
export const lastOf = (source: Answer) => ({
  ...{ name: unique(), crossDeviceOption: 'LAST', deviceOption: 'DEVICE' },
  crossDeviceDataSourceIds: [source.dataSourceId],
})
export async function makeDestination(w: World, userDpid: number, more: object = {}, s2s: object = {}) {
  const path = `/${unique()}`
  const settings = { url: w.partnerUrl + path, userDpid, batchMaxWaitMs: 0, ...s2s }
  return { path, ...(await w.make('/v1/destinations', { name: path, destinationType: 'S2S', s2s: settings, ...more })) }
}
export const mapTo = (w: World, destination: Answer, sid: number, more: object = {}) =>
  w.make(`/v1/destinations/${destination.destinationId}/mappings`, { sid, ...more })

// What is looked at.
export const statusOf = async (w: World, path: string, body: object) => (await w.send('POST', path, body)).status
export const profile = async (w: World, uuid: string) => (await w.send('GET', `/v1/profiles/${uuid}`)).body
export const sidsOf = (list: readonly { sid: number; status?: string }[]) =>
  list.filter(({ status }) => status !== 'out').map(({ sid }) => sid)
export const codesOf = (answer: Answer) => (answer.errors ?? []).map((error: { code: number }) => error.code)
export const listed = async (w: World, path: string, id: string, value: number) =>
  (await w.send('GET', path)).body.some((item: Answer) => item[id] === value)

/** An object can be found under an ID that was chosen for it. */
export const chosenId = (path: string, member: string, draft: (w: World) => Promise<object>): Check =>
  inWorld(async (w) => {
    const id = 1_900_000 + Number(unique().slice(1))
    const found = async () => (await w.send('GET', `${path}/${id}`)).status
    const before = await found()
    await w.make(path, { ...(await draft(w)), [member]: id })
    return [before, await found()]
  })

/** Segments of one visitor, who first comes without a name and then signs in as a person with `second`. */
export async function personIn(w: World, crm: Answer, first: string, second: string): Promise<number[]> {
  const { uuid } = await w.event(`${first}=1`)
  await w.event(`d_uuid=${uuid}&${second}=1&d_cid=${crm.dataSourceId}%01${unique()}%011`)
  return sidsOf((await profile(w, uuid)).segments)
}

/** Which of two merge rules lets a trait of the device and one of the person come together? */
export function mergedUnder(rules: (w: World, crm: Answer) => Promise<readonly [object, object]>): Check {
  return inWorld(async (w) => {
    const crm = await makeCrm(w)
    const [a, b] = [await makeTrait(w), await makeTrait(w)]
    const segments: Answer[] = []
    for (const rule of await rules(w, crm)) {
      const { mergeRuleDataSourceId } = await w.make('/v1/merge-rules', rule)
      segments.push(await makeSegment(w, `${a.sid}T AND ${b.sid}T`, { mergeRuleDataSourceId }))
    }
    await w.settled()
    const held = await personIn(w, crm, a.key, b.key)
    return [held.includes(segments[0].sid), held.includes(segments[1].sid)]
  })
}

/** Is the one told of a visitor, and the other not? Both hear of the same segment; the first answer is waited for. */
export function told(
  define: (w: World, sid: number, dpid: number) => Promise<readonly [Answer, Answer]>,
  query = '',
): Check {
  return inWorld(async (w) => {
    const [source, trait] = [await makeSource(w), await makeTrait(w)]
    const segment = await makeSegment(w, `${trait.sid}T`)
    const [yes, no] = await define(w, segment.sid, source.dataSourceId)
    await w.settled()
    await w.event(`${trait.key}=1&d_cid=${source.dataSourceId}%01${unique()}${query}`)
    const messages = (destination: Answer) => w.received.filter(({ url }) => url === destination.path)
    await until(() => messages(yes)[0])
    return [messages(yes).length > 0, messages(no).length > 0]
  })
}

export const DAY_MS = 86_400_000
export const dayFrom = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10)
export const withoutVendor = `&gdpr=1&gdpr_consent=${consentString({})}`

/** The two in force differ in one member of the ID sync that they offer. */
export const sync = (values: readonly [object, object]): Check =>
  inWorld(async (w) => {
    const sources: Answer[] = []
    for (const value of values) sources.push(await makeSource(w, { idSync: { url: 'https://s.example/a', ...value } }))
    await w.settled()
    const { ibs = [] } = await w.event('a=1')
    const offered = (source: Answer) => {
      const { id: _id, ...rest } = ibs.find(({ id }: Answer) => id === String(source.dataSourceId)) ?? {}
      return JSON.stringify(rest)
    }
    return [offered(sources[0]), offered(sources[1])]
  })

export const makeRule = async (w: World): Promise<number> =>
  (await w.make('/v1/merge-rules', { name: unique(), crossDeviceOption: 'NONE', deviceOption: 'DEVICE' }))
    .mergeRuleDataSourceId
export const replaceRule = (
  w: World,
  existingMergeRuleDataSourceId: number,
  replaceWithMergeRuleDataSourceId: number,
) => w.make('/v1/segments/bulk-merge-rule-replace', { existingMergeRuleDataSourceId, replaceWithMergeRuleDataSourceId })
