import { expect, test } from 'vitest'
import { parseS2sConfig, type S2sConfig } from '../testkit/s2s-settings.ts'
import { javaDate } from './java-date.ts'
import { renderMessage, type SegmentEntry, type UserEntry } from './message.ts'

function configOf(more: Partial<S2sConfig> = {}): S2sConfig {
  const parsed = parseS2sConfig(
    { url: 'https://partner.example/in', userDpid: 12345, clientId: '74323', ...more },
    { allowPrivate: false },
  )
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues))
  return parsed.config
}

const seconds = (iso: string) => Date.parse(iso) / 1000
const at22 = seconds('2016-07-27T16:17:22Z')
const at21 = seconds('2016-07-27T16:17:21Z')
const segment = (value: string, active: boolean, atSeconds: number): SegmentEntry => ({
  sid: 1,
  value,
  active,
  atSeconds,
})
const head = { processTimeSeconds: seconds('2016-07-27T16:17:42Z'), userDpid: 12345, destinationId: 423 }

// The documented request of outbound.md 3.3, values and order.
const users: UserEntry[] = [
  {
    deviceId: '19393572368547369350319949416899715727',
    partnerId: '4250948725049857',
    regions: [9],
    segments: [segment('14356', true, at22), segment('12176', false, at22)],
  },
  {
    deviceId: '0578240750487542456854736923319946899715232',
    partnerId: '848457757347734',
    regions: [9],
    segments: [segment('10329', true, at21), segment('23954', true, at21)],
  },
]
const documented = `{
"ProcessTime": "Wed Jul 27 16:17:42 UTC 2016",
"User_DPID": "12345",
"Client_ID": "74323",
"AAM_Destination_Id": "423",
"User_count": "2",
"Users": [{
   "AAM_UUID": "19393572368547369350319949416899715727",
   "DataPartner_UUID": "4250948725049857",
   "AAM_Regions": ["9"],
   "Segments": [{
            "Segment_ID": "14356",
            "Status": "1",
            "DateTime": "Wed Jul 27 16:17:22 UTC 2016"
         },
         {
            "Segment_ID": "12176",
            "Status": "0",
            "DateTime": "Wed Jul 27 16:17:22 UTC 2016"
         }
      ]
   },
   {
   "AAM_UUID": "0578240750487542456854736923319946899715232",
   "DataPartner_UUID": "848457757347734",
   "AAM_Regions": ["9"],
   "Segments": [{
            "Segment_ID": "10329",
            "Status": "1",
            "DateTime": "Wed Jul 27 16:17:21 UTC 2016"
         },
         {
            "Segment_ID": "23954",
            "Status": "1",
            "DateTime": "Wed Jul 27 16:17:21 UTC 2016"
        }]
    }]
}`

test('the documented message is written byte for byte, without its white space [OUT-35] [OUT-37] [OUT-38] [OUT-211] [AUD-147]', () => {
  expect(renderMessage(configOf(), head, users)).toBe(JSON.stringify(JSON.parse(documented)))
})

test('the older message has no regions [OUT-44~]', () => {
  const message = renderMessage(configOf({ includeRegions: false }), head, users)
  expect(message).toBe(
    JSON.stringify(JSON.parse(documented), (key, value: unknown) => (key === 'AAM_Regions' ? undefined : value)),
  )
})

test('regions stand as strings, most recent first; none is an empty list [OUT-44~]', () => {
  const parsed = JSON.parse(renderMessage(configOf(), head, [{ ...(users[0] as UserEntry), regions: [6, 9] }])) as {
    Users: { AAM_Regions: string[] }[]
  }
  expect(parsed.Users[0]?.AAM_Regions).toEqual(['6', '9'])
  expect(renderMessage(configOf(), head, [{ ...(users[0] as UserEntry), regions: [] }])).toContain('"AAM_Regions":[]')
})

test('numbers are strings unless the destination wants numbers; free text and long digits stay strings [OUT-34]', () => {
  const values = ['14356', 'gold', '007', '9007199254740993', '9007199254740991', '1.5']
  const message = renderMessage(configOf({ numbersAs: 'number' }), head, [
    { deviceId: '1', partnerId: '2', regions: [9], segments: values.map((value) => segment(value, true, at22)) },
  ])
  const parsed = JSON.parse(message) as {
    [key: string]: unknown
    Users: { [key: string]: unknown; Segments: { Segment_ID: unknown; Status: unknown }[] }[]
  }
  expect(parsed).toMatchObject({ User_DPID: 12345, Client_ID: '74323', AAM_Destination_Id: 423, User_count: 1 })
  expect(parsed.Users[0]).toMatchObject({ AAM_UUID: '1', DataPartner_UUID: '2' })
  expect(parsed.Users[0]?.Segments.map((one) => one.Segment_ID)).toEqual([
    14356,
    'gold',
    '007',
    '9007199254740993',
    9007199254740991,
    '1.5',
  ])
  expect(parsed.Users[0]?.Segments[0]?.Status).toBe(1)
})

test('the key of the destination id can be the one of the table [OUT-35]', () => {
  expect(renderMessage(configOf({ destinationIdKey: 'AAM_Destination_ID' }), head, users)).toContain(
    '"AAM_Destination_ID":"423","User_count"',
  )
})

test('a partner ID keeps every character [OUT-42]', () => {
  for (const partnerId of ['CAESEEPfHBiRjhkzvBPXQ-0MFRE|UzCESAAABOnFeHJy', ' "quoted" \\ \u2028 ü\n']) {
    const message = renderMessage(configOf(), head, [{ ...(users[0] as UserEntry), partnerId }])
    expect((JSON.parse(message) as { Users: { DataPartner_UUID: string }[] }).Users[0]?.DataPartner_UUID).toBe(
      partnerId,
    )
  }
})

test('dates have the form of Java in English and UTC [OUT-36]', () => {
  expect(javaDate(seconds('2016-07-27T16:17:42Z'))).toBe('Wed Jul 27 16:17:42 UTC 2016')
  expect(javaDate(seconds('2015-07-21T19:12:45Z'))).toBe('Tue Jul 21 19:12:45 UTC 2015')
  expect(javaDate(seconds('2026-02-01T00:00:00Z'))).toBe('Sun Feb 01 00:00:00 UTC 2026')
  for (const second of [0, 1, 59, 60, 3599, 3600, 86_399]) {
    const utc = new Date((at22 - (at22 % 86_400) + second) * 1000).toISOString()
    expect(javaDate(at22 - (at22 % 86_400) + second)).toBe(`Wed Jul 27 ${utc.slice(11, 19)} UTC 2016`)
  }
  for (let day = 0; day < 400; day++) {
    expect(javaDate(at22 + day * 86_400)).toMatch(
      /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{2} \d{2}:\d{2}:\d{2} UTC \d{4}$/,
    )
  }
})
