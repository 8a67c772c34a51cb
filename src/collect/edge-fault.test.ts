import { expect, test } from 'vitest'
import { startTestEdge } from './test-edge.conformance.ts'

test('a mistake of ours before a call is read is 200 with error 0, and the object page libraries need [SEC-02]', async () => {
  const broken = () => {
    throw new Error('a mistake of ours')
  }
  await using edge = await startTestEdge({ overloaded: broken })
  const event = await edge.call('/event?d_rtbd=json')
  expect([event.status, event.codes(), event.json()]).toEqual([
    200,
    [0],
    { stuff: [], errors: [expect.objectContaining({ code: 0 })] },
  ])
  const id = await edge.call('/id?d_rtbd=json&d_orgid=AB@AdobeOrg', { headers: { origin: 'https://shop.example' } })
  expect([id.status, Object.keys(id.json())]).toEqual([200, ['error_msg']])
  expect(id.headers['access-control-allow-origin']).toBe('https://shop.example')
  expect(event.text + id.text).not.toContain('mistake')
  expect(edge.faults).toHaveLength(2)
})
