import { expect, test } from 'vitest'
import { DEVICE, ECID, form, NEW_DEVICE, startTestEdge } from './test-edge.conformance.ts'

const KEY = Buffer.alloc(32, 7)
const agent = { 'user-agent': 'Browser/1' }
const firstOf = (edge: { calls: readonly { firstDeviceId: string | undefined }[] }) =>
  edge.calls.map(({ firstDeviceId }) => firstDeviceId)

test('calls of one first visit name one new ID, by get, form and beacon [COL-69] [COL-93]', async () => {
  await using edge = await startTestEdge({ firstVisitKey: KEY })
  await edge.call('/event?d_first=1-2-3-4&c_a=b', { headers: agent })
  await edge.call('/id?d_first=1-2-3-4', { headers: agent })
  const posted = form('d_first=1-2-3-4')
  await edge.call('/event?_ts=1', { ...posted, headers: { ...posted.headers, ...agent } })
  const beacon = { ...posted, headers: { 'content-type': 'text/plain;charset=UTF-8', ...agent } }
  await edge.call('/event?_ts=2', beacon)
  await using other = await startTestEdge({ firstVisitKey: KEY })
  await other.call('/event?d_first=1-2-3-4', { headers: agent })
  const ids = [...firstOf(edge), ...firstOf(other)]
  expect(ids).toHaveLength(5)
  expect(new Set(ids).size).toBe(1)
  expect(ids[0]).toMatch(/^[0-9]{38}$/)
  // It is no signal: no rule sees it, nothing keeps it.
  expect(edge.calls[0]?.signals.has('d_first')).toBe(false)
})

test('another text, browser, address or installation is another ID: no page can bind browsers to one [COL-259]', async () => {
  const config = { trustedProxies: ['127.0.0.1'] }
  await using edge = await startTestEdge({ firstVisitKey: KEY, config })
  await using other = await startTestEdge({ firstVisitKey: Buffer.alloc(32, 8), config })
  await edge.call('/event?d_first=a', { headers: agent })
  await edge.call('/event?d_first=b', { headers: agent })
  await edge.call('/event?d_first=a', { headers: { 'user-agent': 'Browser/2' } })
  await edge.call('/event?d_first=a', { headers: { ...agent, 'x-forwarded-for': '192.0.2.9' } })
  await other.call('/event?d_first=a', { headers: agent })
  expect(new Set([...firstOf(edge), ...firstOf(other)]).size).toBe(5)
})

test('without a text, or beside an ID of the browser, it names nobody [COL-69]', async () => {
  await using edge = await startTestEdge()
  await edge.call('/event')
  await edge.call('/event?d_first=')
  await edge.call(`/event?d_first=a&d_uuid=${DEVICE}`)
  await edge.call(`/event?d_first=a&d_mid=${ECID}`)
  await edge.call('/event?d_first=a', { headers: { cookie: `demdex=${DEVICE}` } })
  expect(firstOf(edge)).toEqual([undefined, undefined, undefined, undefined, undefined])
})

test('an opt-out can name a first visit that no answer has named yet [COL-227] [SEC-79]', async () => {
  await using edge = await startTestEdge({ firstVisitKey: KEY })
  await edge.call('/event?d_first=a')
  const reply = await edge.call('/demoptout?d_first=a&d_rtbd=json')
  const [first] = firstOf(edge)
  expect(edge.optOuts).toMatchObject([{ level: 'partner', deviceId: first }])
  expect([reply.codes(), reply.cookies]).toEqual([[171], []])
  await edge.call(`/demoptout?d_first=a&d_uuid=${NEW_DEVICE}`)
  expect(edge.optOuts[1]).toMatchObject({ deviceId: NEW_DEVICE })
})
