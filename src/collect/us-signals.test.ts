import { expect, test } from 'vitest'
import { ALL_DESTINATIONS } from '../model/profile.ts'
import fc from '../testkit/properties.ts'
import { parseGpp } from './gpp.ts'
import { GPP_VECTORS } from './gpp-vectors.conformance.ts'
import { DEVICE, dataSource, NEW_DEVICE, startTestEdge, testDirectory } from './test-edge.conformance.ts'
import { readUsSection } from './us-sections.ts'
import { decideUs } from './us-signals.ts'

const SALE_CALIFORNIA = 'DBABBg~BAQAAABA.QA'
const FREE_VIRGINIA = 'DBABRg~BAoAABA'
const CHILD_VIRGINIA = 'DBABRg~BAAAAFA'
/** US national not opted out, California opted out, Virginia not opted out. */
const THREE = 'DBABrYA~CAAgAAAAAABA.QA~BAQAAABA.QA~BAgAABA'
/** Ids 6, 10 and 27, so that the distances in the header are large: US privacy `N`, Colorado no, Rhode Island yes. */
const APART = 'DBADTWpg~1YNN~BAgAAEA.QA~BQBA.AAA'

function decide(said: Record<string, string>, { gpc = '', usEnforcement = false } = {}) {
  const decision = decideUs(gpc, new Map(Object.entries(said)), usEnforcement)
  return decision === undefined ? undefined : `${decision.forbids} ${decision.reason}`
}

test.each(GPP_VECTORS)('section %i that says %s is read from %s [SEC-78]', (section, says, string) => {
  const sections = parseGpp(string)
  expect([...(sections?.keys() ?? [])]).toEqual([section])
  expect(readUsSection(section, sections?.get(section) ?? '')).toEqual({
    isSaleDenied: says === 'sale',
    isSensitiveDenied: says === 'sensitive',
    isChildDenied: says === 'child',
  })
})

test('every US section of the registry, 6 to 27, has a vector, and each kind of field of it [SEC-78]', () => {
  const ids = Array.from({ length: 22 }, (_, at) => at + 6)
  expect([...new Set(GPP_VECTORS.map(([section]) => section))].sort((a, b) => a - b)).toEqual(ids)
  const saying = (says: string) =>
    new Set(GPP_VECTORS.filter((row) => row[1] === says).map(([section]) => section)).size
  // US privacy has neither, Maryland's section none of children and of sensitive data.
  expect([saying('sale'), saying('sensitive'), saying('child')]).toEqual([22, 20, 20])
})

test('the first version of the national section is shorter: 12 kinds of data, 2 of children [SEC-78]', () => {
  // By hand from the specification: version 1, nine fields of 0, twelve of 2 bits, two of 2 bits, four more.
  const v1 = (sensitive: string, children: string) =>
    toBase64Url(`000001${'00'.repeat(9)}${sensitive}${children}00010000`)
  const clear = '00'.repeat(12)
  const read = (text: string) => readUsSection(7, text)
  expect(read(v1(clear, '0000'))).toMatchObject({ isSensitiveDenied: false, isChildDenied: false })
  expect(read(v1(`${'00'.repeat(11)}01`, '0000'))).toMatchObject({ isSensitiveDenied: true, isChildDenied: false })
  expect(read(v1(clear, '0001'))).toMatchObject({ isSensitiveDenied: false, isChildDenied: true })
  // The last two bits decide of the child and stand in the last of ten characters: none of them is lost.
  expect(read(v1(clear, '0001').slice(0, 8))).toBeUndefined()
})

test('a string padded to whole characters only, as the specification has it, is read to its last bit [SEC-78]', () => {
  // The encoder of the IAB pads to whole bytes as well and writes `DBABLA` and `DBABRg`.
  expect([...(parseGpp('DBABL~CAAQAAAAABA')?.keys() ?? [])]).toEqual([7])
  expect(parseGpp('DBAB')).toBe(undefined)
  // Virginia, cut behind the known child: 6 + 2 * 14 bits, of which five characters hold the first 30.
  expect(readUsSection(9, 'BAAAAF')).toMatchObject({ isChildDenied: true })
  expect(readUsSection(9, 'BAAAA')).toBe(undefined)
})

test('gpp_sid says which sections are in force; without it every US section counts, the strictest wins [SEC-78] [SEC-73]', () => {
  expect(decide({ gpp: THREE })).toBe('sale gpp')
  expect(decide({ gpp: THREE, gpp_sid: '8' })).toBe('sale gpp')
  for (const gpp_sid of ['7', '9', '7,9', '7_9', '2', '-1', '0', 'x'])
    expect(decide({ gpp: THREE, gpp_sid })).toBe(undefined)
  expect(decide({ gpp: APART })).toBe('sale gpp')
  expect([decide({ gpp: APART, gpp_sid: '6,10' }), decide({ gpp: APART, gpp_sid: '6,27' })]).toEqual([
    undefined,
    'sale gpp',
  ])
  expect(decide({ gpp: CHILD_VIRGINIA }, { gpc: '1' })).toBe('storage gpp_child')
  expect(decide({ gpp: FREE_VIRGINIA }, { gpc: '1' })).toBe('sale gpc')
  expect(decide({ gpp: FREE_VIRGINIA, us_privacy: '1YYN' })).toBe('sale us_privacy')
})

test('sections that are none of the US ones are ignored, whatever is in them [SEC-78]', () => {
  expect(decide({ gpp: 'DBABMA~not.a.tcf.string' }, { usEnforcement: true })).toBe(undefined)
  expect(decide({ gpp: 'DBABMA~x', gpp_sid: '2' }, { usEnforcement: true })).toBe(undefined)
})

test.each([
  ['no GPP string', { gpp: 'nonsense' }],
  ['a header of another type', { gpp: 'BBABBg~BAQAAABA.QA' }],
  ['fewer sections than the header names', { gpp: 'DBABrYA~CAAgAAAAAABA.QA' }],
  ['a section that ends early', { gpp: 'DBABBg~BA' }],
  ['a section of an unknown version', { gpp: 'DBABBg~CAQAAABA.QA' }],
  ['a field with the value 3', { gpp: 'DBABBg~BAwAAABA.QA' }],
  ['characters of no alphabet', { gpp: 'DBABBg~BAQ!AABA.QA' }],
  ['a section in force that is not there', { gpp: FREE_VIRGINIA, gpp_sid: '8,9' }],
  ['a section in force and no string', { gpp_sid: '7' }],
  ['a US privacy string of another version', { us_privacy: '2YYN' }],
])('%s counts as opt-out with US enforcement on, and not otherwise [SEC-78]', (_what, said) => {
  expect(decide(said, { usEnforcement: true })).toMatch(/^sale .*undecodable$/)
  expect(decide(said)).toBe(undefined)
})

test.each(['', '${GPP_STRING_565}', '{{gpp}}', '%GPP%'])(
  '%j is no string: an ad server forgot its macro, nobody is opted out [SEC-78] [COL-244]',
  (gpp) => {
    expect(decide({ gpp, gpp_sid: gpp, us_privacy: gpp }, { usEnforcement: true })).toBe(undefined)
  },
)

test('no text makes the decoder throw or take long [SEC-12]', () => {
  const letters = fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~.')
  const strings = fc.oneof(
    fc.string({ unit: letters, maxLength: 200 }).map((text) => `DB${text}`),
    fc.string({ maxLength: 60 }),
  )
  fc.assert(fc.property(strings, (gpp) => void decide({ gpp }, { usEnforcement: true })))
  // One range that claims half a million sections.
  expect(parseGpp(`DBAB${'_'.repeat(40)}`)).toBe(undefined)
})

test('an opt-out in a GPP string stops syncs and delivery, not collection [SEC-78] [SEC-77]', async () => {
  const directory = testDirectory([dataSource(420, { redirectHosts: ['partner.example'] })])
  await using edge = await startTestEdge({ directory })
  await edge.call(`/event?c_a=b&gpp=${SALE_CALIFORNIA}&gpp_sid=8`)
  expect(edge.calls[0]?.consent).toMatchObject({
    store: true,
    cookie: true,
    syncDenied: true,
    deniedDestinations: [ALL_DESTINATIONS],
    reason: 'gpp',
  })
  expect(edge.calls[0]?.consent.fingerprint).toHaveLength(16)
  expect(JSON.stringify(edge.calls[0]?.signals)).not.toContain(SALE_CALIFORNIA)
  const redir = encodeURIComponent('https://partner.example/?u=${DD_UUID}')
  const sync = async (gpp: string) =>
    (await edge.call(`/ibs:dpid=420&dpuuid=u1&redir=${redir}&gpp=${gpp}`)).headers.location
  expect(await sync(SALE_CALIFORNIA)).toBe('https://partner.example/?u=')
  expect(await sync(FREE_VIRGINIA)).toBe(`https://partner.example/?u=${NEW_DEVICE}`)
})

test('what is said of sensitive data or a known child stops storage: 315, no cookie, and nobody is opted out [SEC-78]', async () => {
  await using edge = await startTestEdge()
  for (const gpp of [CHILD_VIRGINIA, 'DBABBg~BAAAAEBA.QA']) {
    const reply = await edge.call(`/event?d_rtbd=json&d_uuid=${DEVICE}&c_a=b&gpp=${gpp}`)
    expect([reply.codes(), reply.cookies, reply.json()['uuid']]).toEqual([[315], [], undefined])
  }
  expect([edge.calls, edge.optOuts]).toEqual([[], []])
})

test('US enforcement is a setting of the edge [SEC-78]', async () => {
  await using edge = await startTestEdge({ config: { usEnforcement: true } })
  await edge.call('/event?gpp=broken')
  expect(edge.calls[0]?.consent).toMatchObject({ store: true, syncDenied: true, reason: 'gpp_undecodable' })
})

function toBase64Url(bits: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return (bits.match(/.{6}/g) ?? []).map((six) => alphabet[Number.parseInt(six, 2)]).join('')
}
