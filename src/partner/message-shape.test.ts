import { describe, expect, test } from 'vitest'
import { parseDateTime, readMessage } from './message-shape.ts'

/** The documented example (outbound.md 3.3). */
const example = {
  ProcessTime: 'Wed Jul 27 16:17:42 UTC 2016',
  User_DPID: '12345',
  Client_ID: '74323',
  AAM_Destination_Id: '423',
  User_count: '2',
  Users: [
    {
      AAM_UUID: '19393572368547369350319949416899715727',
      DataPartner_UUID: '4250948725049857',
      AAM_Regions: ['9'],
      Segments: [
        { Segment_ID: '14356', Status: '1', DateTime: 'Wed Jul 27 16:17:22 UTC 2016' },
        { Segment_ID: '12176', Status: '0', DateTime: 'Wed Jul 27 16:17:22 UTC 2016' },
      ],
    },
    {
      AAM_UUID: '0578240750487542456854736923319946899715232',
      DataPartner_UUID: '848457757347734',
      AAM_Regions: ['9'],
      Segments: [
        { Segment_ID: '10329', Status: '1', DateTime: 'Wed Jul 27 16:17:21 UTC 2016' },
        { Segment_ID: '23954', Status: '1', DateTime: 'Wed Jul 27 16:17:21 UTC 2016' },
      ],
    },
  ],
}
type Draft = Record<string, unknown> & { Users: (Record<string, unknown> & { Segments: Record<string, unknown>[] })[] }

function complaintsAfter(change: (draft: Draft) => void): readonly string[] {
  const draft = structuredClone(example) as unknown as Draft
  change(draft)
  return readMessage(JSON.stringify(draft)).complaints
}
const [user, segment] = [
  (draft: Draft) => draft.Users[0] as Draft['Users'][0],
  (draft: Draft) => draft.Users[0]?.Segments[0] as Record<string, unknown>,
]

test('the documented example is accepted as it is printed [OUT-211]', () => {
  expect(readMessage(JSON.stringify(example, null, 2))).toEqual({ ok: true, message: example, complaints: [] })
})

describe('what a setting of the destination changes is read as the same message [OUT-34~] [OUT-35~]', () => {
  const numeric = (draft: Draft) => {
    Object.assign(draft, { User_DPID: 12345, AAM_Destination_Id: 423, User_count: 2 })
    for (const one of draft.Users.flatMap(({ Segments }) => Segments))
      Object.assign(one, { Segment_ID: Number(one['Segment_ID']), Status: Number(one['Status']) })
  }
  const respelt = (draft: Draft) => {
    draft['AAM_Destination_ID'] = draft['AAM_Destination_Id']
    delete draft['AAM_Destination_Id']
  }
  const withoutRegions = (draft: Draft) => {
    for (const one of draft.Users) delete one['AAM_Regions']
  }
  const read = (...changes: ((draft: Draft) => void)[]) => {
    const draft = structuredClone(example) as unknown as Draft
    for (const change of changes) change(draft)
    return readMessage(JSON.stringify(draft))
  }

  test('whole numbers as numbers, the spelling of the table, no regions, and all of it', () => {
    const noRegions = { ...example, Users: example.Users.map((one) => ({ ...one, AAM_Regions: [] })) }
    expect(read(numeric)).toEqual({ ok: true, message: example, complaints: [] })
    expect(read(respelt)).toEqual({ ok: true, message: example, complaints: [] })
    expect(read(withoutRegions)).toEqual({ ok: true, message: noRegions, complaints: [] })
    expect(read(numeric, respelt, withoutRegions)).toEqual({ ok: true, message: noRegions, complaints: [] })
  })

  test.each(['gold', '0014356', '9007199254740992', '-1'])('%s, which no number can stand for, stays a text', (id) => {
    expect(read(numeric, (draft) => Object.assign(segment(draft), { Segment_ID: id })).ok).toBe(true)
  })

  test.each<[string, (draft: Draft) => void, string]>([
    [
      'a status',
      (draft) => Object.assign(segment(draft), { Status: '1' }),
      'Users[0].Segments[0].Status is "1", not 1 or 0',
    ],
    [
      'an id of digits',
      (draft) => Object.assign(segment(draft), { Segment_ID: '14356' }),
      'Users[0].Segments[0].Segment_ID is "14356", not a whole number, as User_count is one',
    ],
    ['a head', (draft) => Object.assign(draft, { User_DPID: '12345' }), 'User_DPID is "12345", not a whole number'],
    ['a fraction', (draft) => Object.assign(draft, { User_DPID: 1.5 }), 'User_DPID is 1.5, not a whole number'],
    ['a wrong count', (draft) => Object.assign(draft, { User_count: 3 }), 'User_count is 3, Users has 2'],
    ['a segment twice', (draft) => user(draft).Segments.push({ ...segment(draft) }), 'names segment 14356 twice'],
    [
      'a device',
      (draft) => Object.assign(user(draft), { AAM_UUID: 1 }),
      'Users[0].AAM_UUID is 1, not a string of digits',
    ],
  ])('numbers and texts are not mixed in one message: %s', (_what, change, expected) => {
    expect(read(numeric, change).complaints.join('\n')).toContain(expected)
  })
})

describe('each deviation is named', () => {
  test.each<[string, (draft: Draft) => void, string]>([
    ['a missing key', (draft) => delete draft['Client_ID'], 'Client_ID is missing'],
    [
      'both spellings at once',
      (draft) => Object.assign(draft, { AAM_Destination_ID: '423' }),
      'AAM_Destination_ID is not a documented key',
    ],
    [
      'an extra key in a user',
      (draft) => Object.assign(user(draft), { email: 'x' }),
      'Users[0].email is not a documented key',
    ],
    [
      'an extra key in a segment',
      (draft) => Object.assign(segment(draft), { Reason: 'ttl' }),
      'Users[0].Segments[0].Reason is not a documented key',
    ],
    [
      'a number instead of a string',
      (draft) => Object.assign(draft, { User_DPID: 12345 }),
      'User_DPID is 12345, not a string of digits',
    ],
    [
      'a status as number',
      (draft) => Object.assign(segment(draft), { Status: 1 }),
      'Users[0].Segments[0].Status is 1, not "1" or "0"',
    ],
    [
      'an unknown status',
      (draft) => Object.assign(segment(draft), { Status: '2' }),
      'Users[0].Segments[0].Status is "2", not "1" or "0"',
    ],
    ['a wrong count', (draft) => Object.assign(draft, { User_count: '3' }), 'User_count is "3", Users has 2'],
    [
      'regions as numbers',
      (draft) => Object.assign(user(draft), { AAM_Regions: [9] }),
      'Users[0].AAM_Regions[0] is 9, not a string of digits',
    ],
    [
      'a region twice',
      (draft) => Object.assign(user(draft), { AAM_Regions: ['9', '9'] }),
      'Users[0].AAM_Regions names a region twice',
    ],
    ['no regions', (draft) => delete user(draft)['AAM_Regions'], 'Users[0].AAM_Regions is missing'],
    [
      'an ISO date',
      (draft) => Object.assign(draft, { ProcessTime: '2016-07-27T16:17:42Z' }),
      'ProcessTime is "2016-07-27T16:17:42Z", not a date like',
    ],
    [
      'the wrong weekday',
      (draft) => Object.assign(segment(draft), { DateTime: 'Thu Jul 27 16:17:42 UTC 2016' }),
      'Users[0].Segments[0].DateTime',
    ],
    ['no segments', (draft) => Object.assign(user(draft), { Segments: [] }), 'Users[0].Segments is empty'],
    [
      'a segment twice',
      (draft) => user(draft).Segments.push({ ...segment(draft) }),
      'Users[0].Segments names segment 14356 twice',
    ],
    ['a user that is no object', (draft) => draft.Users.push(null as never), 'Users[2] is not an object'],
    ['users that are no array', (draft) => Object.assign(draft, { Users: {} }), 'Users is not an array'],
  ])('%s [OUT-211]', (_name, change, expected) => {
    expect(complaintsAfter(change).join('\n')).toContain(expected)
  })

  test('no users, or eleven [OUT-38]', () => {
    expect(complaintsAfter((draft) => Object.assign(draft, { Users: [], User_count: '0' }))[0]).toContain(
      'allowed are 1 to 10',
    )
    const eleven = (draft: Draft) =>
      Object.assign(draft, { Users: Array.from({ length: 11 }, () => user(draft)), User_count: '11' })
    expect(complaintsAfter(eleven)[0]).toContain('allowed are 1 to 10')
  })

  test('what is no JSON, and no object', () => {
    expect(readMessage('{"a":')).toEqual({ ok: false, complaints: ['the body is not JSON'] })
    expect(readMessage('[]').complaints).toEqual(['the message is not a JSON object'])
  })
})

test.each([
  ['Wed Jul 27 16:17:42 UTC 2016', Date.UTC(2016, 6, 27, 16, 17, 42)],
  ['Tue Jul 21 19:12:45 UTC 2015', Date.UTC(2015, 6, 21, 19, 12, 45)],
  ['Thu Feb 29 00:00:00 UTC 2024', Date.UTC(2024, 1, 29)],
  ['Sat Feb 29 00:00:00 UTC 2025', undefined],
  ['Wed Jul 27 24:00:00 UTC 2016', undefined],
  ['Wed Jul 27 16:61:00 UTC 2016', undefined],
  ['Wed Jul 7 16:17:42 UTC 2016', undefined],
  ['Wed Jul 27 16:17:42 GMT 2016', undefined],
  ['wed jul 27 16:17:42 UTC 2016', undefined],
])('the date "%s" reads as %s [OUT-36]', (text, expected) => {
  expect(parseDateTime(text)).toBe(expected)
})
