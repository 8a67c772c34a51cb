import { expect, test } from 'vitest'
import { createAudienceState } from './audience-state.ts'
import type { PartnerMessage } from './message-shape.ts'

const DateTime = 'Wed Jul 27 16:17:42 UTC 2016'
function message(partnerId: string, segments: Record<string, '1' | '0'>): PartnerMessage {
  const Segments = Object.entries(segments).map(([Segment_ID, Status]) => ({ Segment_ID, Status, DateTime }))
  const user = { AAM_UUID: '1'.repeat(38), DataPartner_UUID: partnerId, AAM_Regions: [], Segments }
  return {
    ProcessTime: DateTime,
    User_DPID: '1',
    Client_ID: '',
    AAM_Destination_Id: '1',
    User_count: '1',
    Users: [user],
  }
}

test('messages fold into one status for each device, partner ID and segment, in order of arrival', () => {
  const state = createAudienceState()
  expect(state.apply(message('a', { 7: '1', 8: '1' })).map(({ segmentId, what }) => [segmentId, what])).toEqual([
    ['7', 'joined'],
    ['8', 'joined'],
  ])
  expect(state.apply(message('a', { 7: '1', 8: '0' })).map(({ segmentId, what }) => [segmentId, what])).toEqual([
    ['8', 'left'],
  ])
  expect(state.apply(message('b', { 7: '1' }))).toHaveLength(1)
  expect(state.members('7')).toEqual(['a', 'b'])
  expect(state.members('8')).toEqual([])
  expect(state.isMember({ deviceId: '1'.repeat(38), partnerId: 'a', segmentId: '7' })).toBe(true)
})

test('a repeat changes nothing, and leaving what was never joined is no change', () => {
  const state = createAudienceState()
  state.apply(message('a', { 7: '1' }))
  expect(state.apply(message('a', { 7: '1' }))).toEqual([])
  expect(state.apply(message('a', { 9: '0' }))).toEqual([])
  expect(state.entries()).toHaveLength(2)
})

test('IDs with separators in them stay apart', () => {
  const state = createAudienceState()
  state.apply(message('a","7', { 8: '1' }))
  expect(state.isMember({ deviceId: '1'.repeat(38), partnerId: 'a', segmentId: '7","8' })).toBe(false)
})

test('a partner ID on two devices is one member until it has left on both', () => {
  const state = createAudienceState()
  const [first, second] = [message('a', { 7: '1' }), message('a', { 7: '1' })]
  const onOther = { ...second, Users: second.Users.map((user) => ({ ...user, AAM_UUID: '2'.repeat(38) })) }
  state.apply(first)
  state.apply(onOther)
  expect([state.members('7'), state.sizes().get('7')]).toEqual([['a'], 1])
  state.apply(message('a', { 7: '0' }))
  expect(state.isIn('7', 'a')).toBe(true)
  state.apply({ ...onOther, Users: message('a', { 7: '0' }).Users.map((u) => ({ ...u, AAM_UUID: '2'.repeat(38) })) })
  expect([state.isIn('7', 'a'), state.sizes().get('7')]).toEqual([false, 0])
})

test('beyond its limit the state forgets what was told longest ago', () => {
  const state = createAudienceState(150)
  for (const id of ['a', 'b', 'c', 'a', 'd']) state.apply(message(id, { 7: '1' }))
  expect(state.entries().map(({ partnerId }) => partnerId)).toEqual(['c', 'a', 'd'])
  expect(state.members('7').toSorted()).toEqual(['a', 'c', 'd'])
})
