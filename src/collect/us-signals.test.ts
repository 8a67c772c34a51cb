import { expect, test } from 'vitest'
import { ALL_DESTINATIONS } from '../model/profile.ts'
import fc from '../testkit/properties.ts'
import { parseGpp } from './gpp.ts'
import { GPP_VECTORS } from './gpp-vectors.conformance.ts'
import { PrivacyFlags, type PrivacyKey } from './privacy-flags.ts'
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

type Said = { readonly [key in PrivacyKey]?: string | readonly string[] }

function decide(said: Said, { gpc = '', usEnforcement = false } = {}) {
  const flags = new PrivacyFlags()
  for (const [key, values] of Object.entries(said)) {
    for (const value of [values].flat()) flags.add(key as PrivacyKey, value)
  }
  const decision = decideUs(gpc, flags, usEnforcement)
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

test('gpp_sid says which sections are in force; without it every US section counts, the strictest wins [SEC-78] [SEC-73~]', () => {
  expect(decide({ gpp: THREE })).toBe('sale gpp')
  expect(decide({ gpp: THREE, gpp_sid: '8' })).toBe('sale gpp')
  for (const gpp_sid of ['7', '9', '7,9', '7_9', '2', '-1']) expect(decide({ gpp: THREE, gpp_sid })).toBe(undefined)
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
  ['a section list that is none, and no string', { gpp_sid: '${GPP_SID}' }],
  ['a macro that was not replaced', { gpp: '${GPP_STRING_565}' }],
  ['another macro that was not replaced', { gpp: '[GPP]', gpp_sid: '[GPP_SID]' }],
] as const)('%s counts as opt-out with US enforcement on, and not otherwise [SEC-78]', (_what, said) => {
  expect(decide(said, { usEnforcement: true })).toMatch(/^sale .*undecodable$/)
  expect(decide(said)).toBe(undefined)
})

test.each(['-1,7', '0', '00', ' -1', '-1 ', '7, 9', '07', '7.9', '-7', 'x', '[GPP_SID]', '${GPP_SID}', '7,', '-01'])(
  'gpp_sid=%j is no list of section numbers, so every section of the string counts [COL-275] [SEC-78]',
  (gpp_sid) => {
    expect(decide({ gpp: THREE, gpp_sid })).toBe('sale gpp')
    expect(decide({ gpp: 'DBABRg~BAoAABA', gpp_sid })).toBe(undefined)
  },
)

test('an empty value of a US flag is one that was not given [COL-275] [SEC-78]', () => {
  expect(decide({ gpp: '', gpp_sid: '', us_privacy: '' }, { usEnforcement: true })).toBe(undefined)
  expect(decide({ gpp: THREE, gpp_sid: '' })).toBe('sale gpp')
})

test.each(['1NNN', '1YNY', '1-N-', '1---', '1Y-N', '1xNx'])('us_privacy=%s is no opt-out [COL-275]', (us_privacy) => {
  expect(decide({ us_privacy }, { usEnforcement: true })).toBe(undefined)
})

test.each(['1YYN', '1NYN', '1-Y-'])('us_privacy=%s is an opt-out [COL-275] [SEC-78]', (us_privacy) => {
  expect(decide({ us_privacy })).toBe('sale us_privacy')
})

test.each([
  'Y',
  '1yyn',
  '1YnN',
  '2YNN',
  '1YN',
  '1YNNN',
  ' 1YNN',
  '1YNN ',
  '1Y N',
  '0',
  '-',
  '${US_PRIVACY}',
  '[US_PRIVACY]',
  '"1YNN"',
])(
  'us_privacy=%j says nothing that is documented, and counts as an opt-out whatever the enforcement [COL-275]',
  (us_privacy) => {
    expect(decide({ us_privacy })).toMatch(/^sale us_privacy/)
  },
)

test('of values sent several times the strictest counts, in either order [COL-275] [SEC-73~]', () => {
  for (const us_privacy of [
    ['1YNN', '1YYN'],
    ['1YYN', '1YNN'],
  ])
    expect(decide({ us_privacy })).toBe('sale us_privacy')
  expect(decide({ us_privacy: ['1YNN', '${US_PRIVACY}'] })).toBe('sale us_privacy_undecodable')
  expect(decide({ us_privacy: ['1YNN', '1-N-', ''] })).toBe(undefined)
  for (const gpp of [
    [FREE_VIRGINIA, SALE_CALIFORNIA],
    [SALE_CALIFORNIA, FREE_VIRGINIA],
  ])
    expect(decide({ gpp })).toBe('sale gpp')
  expect(decide({ gpp: [SALE_CALIFORNIA, CHILD_VIRGINIA] })).toBe('storage gpp_child')
  expect(decide({ gpp: [FREE_VIRGINIA, 'broken'] }, { usEnforcement: true })).toBe('sale gpp_undecodable')
  for (const gpp_sid of [
    ['-1', '8'],
    ['7', '8'],
    ['9', 'x'],
  ])
    expect(decide({ gpp: THREE, gpp_sid })).toBe('sale gpp')
  expect(decide({ gpp: THREE, gpp_sid: ['-1', '7'] })).toBe(undefined)
})

test('Sec-GPC is a signal by the value 1 only, on any of its lines [COL-275]', () => {
  for (const gpc of ['1', '0, 1', '1,1']) expect(decide({}, { gpc })).toBe('sale gpc')
  for (const gpc of ['', '0', 'true', '11', '"1"', '1;x']) expect(decide({}, { gpc })).toBe(undefined)
})

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
