import { expect, test } from 'vitest'
import { DEFAULT_EDGE_CONFIG } from '../../src/collect/edge-config.ts'
import { startTestEdge } from '../../src/collect/test-edge.conformance.ts'
import { seededRandom } from '../../src/testkit/seeded-random.ts'
import { faultOf, judge } from './judge.ts'
import { RawClient } from './raw-client.ts'
import { makeHostileRequest } from './requests.ts'

const REQUESTS = 5_000
const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000)

test('the judge of the hostile run and the edge agree on the codes of every kind of refusal [COL-114] [COL-118~] [SEC-02]', async () => {
  console.log(`seed ${seed}`)
  await using edge = await startTestEdge({
    config: { denyList: { ...DEFAULT_EDGE_CONFIG.denyList, enabled: false } },
  })
  const random = seededRandom(seed)
  const client = new RawClient(edge.port)
  const refusals = new Map<string, number>()
  const wrong: string[] = []
  for (let sent = 0; sent < REQUESTS; sent++) {
    const { bytes } = makeHostileRequest(random)
    const answer = await client.exchange(bytes, bytes.subarray(0, 5).toString() === 'HEAD ')
    const verdict = judge(bytes)
    if (verdict === undefined || !('head' in answer)) continue
    const fault = answer.status < 400 ? faultOf(verdict, answer) : undefined
    if (fault !== undefined) wrong.push(`${fault}: ${JSON.stringify(bytes.toString('latin1').slice(0, 1000))}`)
    const kind = verdict.exactly?.join() ?? (verdict.must.length > 0 ? 'some' : 'none')
    refusals.set(kind, (refusals.get(kind) ?? 0) + 1)
  }
  client.close()
  console.log([...refusals].map(([kind, count]) => `${kind}: ${count}`).join(', '))
  expect(wrong.slice(0, 5), `seed ${seed}`).toEqual([])
  for (const kind of ['2', '100', '171', '311', '315', '900', '901', 'some', 'none'])
    expect([kind, (refusals.get(kind) ?? 0) > 0]).toEqual([kind, true])
})

const head = (codes: string, type = 'image/gif') =>
  `HTTP/1.1 200 OK\r\nContent-Type: ${type}${codes === '' ? '' : `\r\nX-Error: ${codes}`}`
const get = (target: string, headers = '') => Buffer.from(`GET ${target} HTTP/1.1\r\nHost: a.example\r\n${headers}\r\n`)

test.each([
  ['/event?gdpr=1', '', '315'],
  ['/event?a=%zz', '315', '311'],
  ['/event?d_mid=x&d_uuid=y', '101', '101,102'],
  ['/event?a=b', '102', ''],
  ['/event?d_cid=x', '104', '300,104'],
  ['/event?d_cid=1%01a', '101', '302'],
])('the judge has teeth: for %s the codes "%s" are a fault, and "%s" are none', (target, bad, good) => {
  const verdict = judge(get(target))
  const fault = (codes: string) => verdict && faultOf(verdict, { status: 200, head: head(codes), body: '' })
  expect([typeof fault(bad), fault(good)]).toEqual(['string', undefined])
})

test('a list in the body that differs from the header is a fault [COL-114]', () => {
  const verdict = judge(get('/event?d_rtbd=json&gdpr=1'))
  const fault = (body: string) =>
    verdict && faultOf(verdict, { status: 200, head: head('315', 'application/json'), body })
  expect(fault('{"stuff":[],"errors":[{"code":315}]}')).toBeUndefined()
  expect(fault('cb({"stuff":[],"errors":[{"code":315}]})')).toBeUndefined()
  expect(fault('{"stuff":[]}')).toBe('codes 315 in the header and  in the body')
})

test('what is no call, or beyond the protocol, is not judged by codes', () => {
  for (const bytes of [
    get('/nothing'),
    get(`/event?${'a'.repeat(8200)}`),
    Buffer.from('PUT /event HTTP/1.1\r\n\r\n'),
    Buffer.from('\x16\x03'),
  ])
    expect(judge(bytes)).toBeUndefined()
})
