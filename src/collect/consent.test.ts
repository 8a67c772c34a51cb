import { TCString } from '@iabtechlabtcf/core'
import { expect, test } from 'vitest'
import { ALL_DESTINATIONS } from '../model/profile.ts'
import fc from '../testkit/properties.ts'
import { type Consent, decideConsent } from './consent.ts'
import { emptyParameters } from './parse-query.ts'
import { parseConsentString } from './tcf.ts'
import { consentString } from './test-consent.conformance.ts'
import { NOW_MS, testDirectory, vendorDestination } from './test-edge.conformance.ts'

const settings = { gvlVendorId: 565, cmpList: undefined, acceptUnlistedCmp: false, usEnforcement: false }
const directory = testDirectory([], [vendorDestination(1, 10), vendorDestination(2, 20)])

interface Said {
  readonly gdpr?: string | readonly string[]
  readonly string?: string | readonly string[]
  readonly gpc?: string
  readonly usPrivacy?: string
  readonly gpp?: string
}

function decide(
  said: Said,
  over: Partial<typeof settings> | { cmpList: ReadonlyMap<number, number | null> } = {},
): Consent {
  const parameters = emptyParameters()
  for (const value of [said.gdpr ?? []].flat()) parameters.privacy.add('gdpr', value)
  for (const value of [said.string ?? []].flat()) parameters.privacy.add('gdpr_consent', value)
  if (said.usPrivacy !== undefined) parameters.privacy.add('us_privacy', said.usPrivacy)
  if (said.gpp !== undefined) parameters.privacy.add('gpp', said.gpp)
  return decideConsent(parameters, said.gpc, directory, { ...settings, ...over }, NOW_MS)
}

const codes = (consent: Consent): number[] => consent.errors.map((error) => error.code)

test('without gdpr, with 0, or with a lone consent string nothing applies [COL-243] [COL-161] [COL-242]', () => {
  for (const said of [{}, { gdpr: '0' }, { gdpr: '0', string: consentString({}) }, { string: consentString({}) }]) {
    expect(decide(said)).toMatchObject({
      result: 'free',
      gdprMacro: '0',
      decision: { cookie: true, store: true, syncDenied: false, reason: 'none_applies' },
    })
  }
})

test('purposes 1 and 10 and our vendor are enough [COL-240] [COL-243] [SEC-75~]', () => {
  const string = consentString({ purposes: [1, 10], vendors: [565] })
  const consent = decide({ gdpr: '1', string })
  expect(consent).toMatchObject({ result: 'granted', gdprMacro: '1', consentMacro: string, errors: [] })
  expect(consent.decision.fingerprint).toMatch(/^[0-9a-f]{16}$/)
})

test.each([
  [{ purposes: [10] }, 'tcf_purpose_1'],
  [{ purposes: [1] }, 'tcf_purpose_10'],
  [{ vendors: [564, 566] }, 'tcf_vendor'],
  [{ restrictions: [{ purposeId: 10, type: 0, vendorId: 565 }] }, 'tcf_restriction_10'],
  [{ restrictions: [{ purposeId: 1, type: 2, vendorId: 565 }] }, 'tcf_restriction_1'],
  [{ disclosed: [1, 2] }, 'tcf_vendor'],
])('a string that lacks something declines everything: %j [COL-240] [COL-243] [SEC-73~] [SEC-75~]', (parts, reason) => {
  const consent = decide({ gdpr: '1', string: consentString(parts) })
  expect(consent.result).toBe('declined')
  expect(codes(consent)).toEqual([315])
  expect(consent.decision).toMatchObject({ cookie: false, store: false, syncDenied: true, reason })
})

test('a restriction that only demands consent takes nothing away [SEC-75~]', () => {
  const string = consentString({ restrictions: [{ purposeId: 10, type: 1, vendorId: 565 }] })
  expect(decide({ gdpr: '1', string }).result).toBe('granted')
})

test('strings since March 2026 must disclose vendors, older ones need not [SEC-75~]', () => {
  const before = consentString({ createdAtMs: Date.UTC(2026, 1, 28), disclosed: undefined })
  const after = consentString({ createdAtMs: Date.UTC(2026, 2, 1), disclosed: undefined })
  expect(before.includes('.')).toBe(false)
  expect(decide({ gdpr: '1', string: before }).result).toBe('granted')
  expect(decide({ gdpr: '1', string: after })).toMatchObject({ result: 'missing', decision: { store: false } })
})

test.each([undefined, '', '0', 'garbage', '!!!', 'BOEFEAyOEFEAyAHABDENAI4AAAB9vABAASA', 'C', `${'A'.repeat(4000)}`])(
  'the string %s is as good as none: closed, without an opt-out [COL-241] [COL-243] [COL-244] [SEC-76~]',
  (string) => {
    const consent = decide(string === undefined ? { gdpr: '1' } : { gdpr: '1', string })
    expect(consent).toMatchObject({ result: 'missing', decision: { cookie: false, store: false, syncDenied: true } })
    expect(codes(consent)).toEqual([315])
  },
)

test.each([
  'true',
  '00',
  'false',
  '2',
  ' 0',
  '0 ',
  '1 ',
  '-1',
  'null',
  '${GDPR}',
  '[GDPR]',
  '0,0',
  '"0"',
  '%GDPR%',
  'Y',
])('gdpr=%j does not say that it does not apply, so it applies [COL-275] [COL-244]', (gdpr) => {
  expect(decide({ gdpr })).toMatchObject({
    result: 'missing',
    gdprMacro: '1',
    decision: { cookie: false, store: false, syncDenied: true, reason: 'gdpr_flag_unreadable' },
  })
  expect(codes(decide({ gdpr, string: 'x' }))).toEqual([315])
  const granted = decide({ gdpr, string: consentString({}) })
  expect(granted).toMatchObject({ result: 'granted', decision: { store: true, reason: 'gdpr_flag_unreadable' } })
  expect(decide({ gdpr, string: consentString({ purposes: [1] }) })).toMatchObject({
    result: 'declined',
    decision: { reason: 'tcf_purpose_10' },
  })
})

test('an empty gdpr was not given, unless a consent string stands beside it [COL-275]', () => {
  expect(decide({ gdpr: '' }).result).toBe('free')
  expect(decide({ gdpr: '', string: '' }).result).toBe('free')
  expect(decide({ gdpr: '', string: 'x' }).result).toBe('missing')
  expect(decide({ gdpr: '', string: consentString({}) }).result).toBe('granted')
  expect(decide({ gdpr: ['0', ''], string: 'x' }).result).toBe('missing')
  expect(decide({ gdpr: ['0', ''] }).result).toBe('free')
})

test('one gdpr that applies beats any number that do not [COL-275] [COL-242]', () => {
  for (const gdpr of [
    ['0', '1'],
    ['1', '0'],
    ['0', '0', 'x'],
  ])
    expect(decide({ gdpr }).result).toBe('missing')
  expect(decide({ gdpr: ['0', '0'] }).result).toBe('free')
  expect(decide({ gdpr: ['x', '1'] }).decision.reason).toBe('tcf_missing')
})

test('several consent strings are each judged, and the strictest answer is taken [COL-275] [SEC-73~]', () => {
  const grant = consentString({ vendors: [565, 10, 20], disclosed: [565, 10, 20] })
  const without10 = consentString({ vendors: [565, 20], disclosed: [565, 10, 20] })
  const without20 = consentString({ vendors: [565, 10], disclosed: [565, 10, 20] })
  const refusal = consentString({ purposes: [1] })
  const all = (...string: string[]) => decide({ gdpr: '1', string })
  for (const consent of [all(grant, refusal), all(refusal, grant), all('x', refusal), all(refusal, 'x')])
    expect([consent.result, codes(consent)]).toEqual(['declined', [315]])
  for (const consent of [all(grant, 'x'), all('x', grant), all(grant, '0')])
    expect([consent.result, codes(consent)]).toEqual(['missing', [315]])
  const both = all(without10, without20)
  expect([both.result, [...both.decision.deniedDestinations].sort()]).toEqual(['granted', [1, 2]])
  expect(all(grant, '').result).toBe('granted')
  expect(both.decision.fingerprint).not.toBe(all(without10).decision.fingerprint)
})

test('another vendor id of ours is asked for [COL-239]', () => {
  const string = consentString({ vendors: [700], disclosed: [700] })
  expect(decide({ gdpr: '1', string }, { gvlVendorId: 700 }).result).toBe('granted')
  expect(decide({ gdpr: '1', string }).result).toBe('declined')
})

test('an unlisted CMP is 313, a deleted one 314; closed, unless the switch is on [COL-243] [COL-248] [SEC-76~]', () => {
  const said = { gdpr: '1', string: consentString({ cmpId: 31 }) }
  const listed = new Map<number, number | null>([[31, null]])
  const deleted = new Map<number, number | null>([[31, NOW_MS - 1]])
  const later = new Map<number, number | null>([[31, NOW_MS + 1]])
  expect(decide(said, { cmpList: listed }).result).toBe('granted')
  expect(decide(said, { cmpList: later }).result).toBe('granted')
  expect(
    [decide(said, { cmpList: new Map() })].map((consent) => [consent.result, codes(consent), consent.gdprMacro]),
  ).toEqual([['missing', [313, 315], '0']])
  expect(codes(decide(said, { cmpList: deleted }))).toEqual([314, 315])
  const open = { cmpList: deleted, acceptUnlistedCmp: true }
  expect(decide(said, open)).toMatchObject({
    result: 'free',
    gdprMacro: '0',
    consentMacro: '',
    decision: { store: true },
  })
  expect(codes(decide(said, open))).toEqual([314])
})

test('a destination hears only with the consent of its vendor [COL-251] [SEC-77]', () => {
  const string = consentString({ vendors: [565, 20], disclosed: [565, 10, 20] })
  expect(decide({ gdpr: '1', string }).decision.deniedDestinations).toEqual([1])
})

test('Sec-GPC and us_privacy stop syncs and delivery, not collection [SEC-78]', () => {
  for (const said of [{ gpc: '1' }, { usPrivacy: '1YYN' }, { usPrivacy: '1-Y-' }]) {
    expect(decide(said).decision).toMatchObject({
      cookie: true,
      store: true,
      syncDenied: true,
      deniedDestinations: [ALL_DESTINATIONS],
    })
  }
  for (const said of [{ gpc: '0' }, { usPrivacy: '1YNN' }]) {
    expect(decide(said).decision.syncDenied).toBe(false)
  }
  expect(decide({ gpc: '1', gdpr: '1' }).decision).toMatchObject({ store: false, reason: 'tcf_missing' })
})

const ids = fc.uniqueArray(fc.integer({ min: 1, max: 1200 }), { maxLength: 60 })

test('our reading of a string agrees with the reference library [COL-240] [SEC-75~]', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: 11 })),
      ids,
      ids,
      fc.uniqueArray(
        fc.record({
          purposeId: fc.integer({ min: 1, max: 10 }),
          type: fc.integer({ min: 0, max: 2 }),
          vendorId: fc.integer({ min: 1, max: 600 }),
        }),
        { maxLength: 6, selector: (r) => `${r.purposeId}` },
      ),
      (purposes, vendors, disclosed, restrictions) => {
        const text = consentString({ purposes, vendors, disclosed, restrictions })
        const reference = TCString.decode(text)
        const ours = parseConsentString(text)
        expect(ours?.createdAtMs).toBe(reference.created.getTime())
        expect(ours?.cmpId).toBe(reference.cmpId)
        for (let id = 1; id <= 24; id++) expect(ours?.purpose(id)).toBe(reference.purposeConsents.has(id))
        for (let id = 1; id <= 1205; id++) {
          expect(ours?.vendor(id)).toBe(reference.vendorConsents.has(id))
          expect(ours?.disclosed?.(id)).toBe(reference.vendorsDisclosed.has(id))
        }
        for (const { purposeId, type, vendorId } of restrictions)
          expect(ours?.restricts(purposeId, vendorId)).toBe(type !== 1)
      },
    ),
    { numRuns: 40 },
  )
})

test('a string may have four segments, in any order behind the first; one of five is no string [COL-241]', () => {
  const [core = '', disclosed = ''] = consentString({ disclosed: [565, 7] }).split('.')
  // Kinds 2 and 3: vendors that a publisher allows, and its own purposes.
  for (const text of [`${core}.${disclosed}.QAAA.YAAA`, `${core}.YAAA.QAAA.${disclosed}`])
    expect([parseConsentString(text)?.disclosed?.(7), parseConsentString(text)?.disclosed?.(8)]).toEqual([true, false])
  expect(parseConsentString(`${core}.${disclosed}.QAAA.YAAA.YAAA`)).toBe(undefined)
})

test('what is said of sensitive data or a known child keeps a call from being stored, also beside consent [SEC-78]', () => {
  const string = consentString({})
  for (const gpp of ['DBABRg~BAAAAFA', 'DBABBg~BAAAAEBA.QA']) {
    const consent = decide({ gdpr: '1', string, gpp })
    expect(consent).toMatchObject({ result: 'missing', decision: { cookie: false, store: false, syncDenied: true } })
    expect(codes(consent)).toEqual([315])
  }
  // What is declined stays declined, for its own reason.
  const declined = decide({ gdpr: '1', string: consentString({ purposes: [1] }), gpp: 'DBABRg~BAAAAFA' })
  expect(declined).toMatchObject({ result: 'declined', decision: { reason: 'tcf_purpose_10' } })
})

test('no text makes the decoder fail', () => {
  const segment = fc.string({ unit: fc.constantFrom(...'ABCDEFGHabcdefgh0123456789-_.=!'), maxLength: 120 })
  fc.assert(
    fc.property(segment, (text) => void expect(() => parseConsentString(`C${text}`)).not.toThrow()),
    { numRuns: 1000 },
  )
  const valid = consentString({})
  for (let end = 0; end < valid.length; end++) expect(() => parseConsentString(valid.slice(0, end))).not.toThrow()
})
