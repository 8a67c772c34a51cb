import { expect, test } from 'vitest'
import { startTestAdmin } from '../testkit/start-test-admin.ts'

const DEVICE = '7'.repeat(38)

test.each([
  ['7'.repeat(37), 'a digit is missing'],
  [`d:${'7'.repeat(37)}`, 'a digit is missing'],
  ['77052', 'nothing says which data source'],
  ['77052:', 'no ID'],
  [':anna', 'no data source'],
  ['shop:anna', 'no number'],
])(
  '%s is no ID of a profile (%s): the refusal says what one looks like, and nobody is looked up [OPS-52]',
  async (id) => {
    const asked: string[] = []
    const look = async (profileId: string) => {
      asked.push(profileId)
      return undefined
    }
    await using server = await startTestAdmin({ profiles: { find: async () => [], profile: look, explain: look } })
    for (const path of [`/v1/profiles/${id}`, `/v1/profiles/${id}/explain?segmentId=1`]) {
      const answer = await server.call('GET', path)
      expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request'])
      expect(answer.body.details).toEqual([{ field: 'id', message: expect.stringContaining('77052:hd-9f21') }])
    }
    expect(asked).toEqual([])
  },
)

test('a device and a declared ID are looked up as they are given; what is not known is 404 without the ID [OPS-52]', async () => {
  const asked: string[] = []
  const look = async (profileId: string) => {
    asked.push(profileId)
    return undefined
  }
  await using server = await startTestAdmin({ profiles: { find: async () => [], profile: look, explain: look } })
  for (const id of [DEVICE, `d:${DEVICE}`, '77052:hd-9f21', '77052:a:b']) {
    const answer = await server.call('GET', `/v1/profiles/${encodeURIComponent(id)}`)
    expect([answer.status, answer.body.code]).toEqual([404, 'not_found'])
    expect(answer.text).not.toContain(id)
  }
  expect(asked).toEqual([DEVICE, `d:${DEVICE}`, '77052:hd-9f21', '77052:a:b'])
})
