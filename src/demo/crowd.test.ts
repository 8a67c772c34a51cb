import { createServer } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { createHttpClient } from '../lib/http-client.ts'
import { freePort } from '../testkit/free-port.ts'
import { drawHabits, startCrowd } from './crowd.ts'
import { createVisitor, planSteps, type VisitorHabits } from './visitor.ts'

const open: { close(): void }[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.close()
})

/** Notes what arrives and sets the visitor cookie like the edge. */
async function startEdge() {
  const calls: { path: string; cookie: string | undefined }[] = []
  const server = createServer((request, response) => {
    calls.push({ path: request.url ?? '', cookie: request.headers.cookie })
    response.writeHead(200, { 'set-cookie': `demdex=${'4'.repeat(38)}; Path=/; Secure` }).end('{}')
  })
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const http = createHttpClient()
  open.push(http, {
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  })
  return { url: `http://127.0.0.1:${port}`, calls, http }
}

const habits: VisitorHabits = {
  refusesConsent: false,
  optsOut: true,
  category: 'shoes',
  looks: 2,
  fillsBasket: true,
  orders: true,
}

describe('a visitor', () => {
  test('walks from the home page to the till with one cookie jar', async () => {
    const edge = await startEdge()
    const visitor = createVisitor(edge.http, edge.url, 'ada-1', habits, () => 0)
    const done: unknown[] = []
    for (let step = await visitor.step(); step !== undefined; step = await visitor.step()) done.push(step)
    expect(done).toEqual(['home', 'sync', 'look', 'look', 'basket', 'order', 'optout'])
    expect(edge.calls.map((call) => call.path)).toEqual([
      '/event?d_rtbd=json&d_jsonv=1&c_page=home',
      '/ibs:dpid=77052&dpuuid=ada-1',
      '/event?d_rtbd=json&d_jsonv=1&c_page=product&c_category=shoes&c_product=trail-runner',
      '/event?d_rtbd=json&d_jsonv=1&c_page=product&c_category=shoes&c_product=trail-runner',
      '/event?d_rtbd=json&d_jsonv=1&c_page=basket&c_event=basket&c_category=shoes',
      '/event?d_rtbd=json&d_jsonv=1&c_page=thanks&c_event=order',
      `/demoptout.jpg?d_uuid=${'4'.repeat(38)}`,
    ])
    expect(edge.calls.map((call) => call.cookie)).toEqual([undefined, ...new Array(6).fill(`demdex=${'4'.repeat(38)}`)])
  })

  test('who refuses consent says so on every call, the sync included', async () => {
    const edge = await startEdge()
    const visitor = createVisitor(
      edge.http,
      edge.url,
      'bo-1',
      { ...habits, refusesConsent: true, optsOut: false },
      () => 0,
    )
    while ((await visitor.step()) !== undefined);
    expect(edge.calls).toHaveLength(6)
    for (const { path } of edge.calls) expect(path).toContain('gdpr=1&gdpr_consent=CQ')
    expect(edge.calls[1]?.path).toMatch(/^\/ibs:dpid=77052&dpuuid=bo-1&gdpr=1/)
  })

  test('nobody orders without a basket', () => {
    for (let i = 0; i < 500; i++) {
      const steps = planSteps(drawHabits(Math.random))
      if (steps.includes('order')) expect(steps).toContain('basket')
    }
  })
})

test('the crowd calls until it is stopped, and a failing edge does not stop it', async () => {
  const edge = await startEdge()
  const crowd = startCrowd({ http: edge.http, edgeUrl: edge.url, rate: 200, random: Math.random })
  await expect.poll(() => edge.calls.length).toBeGreaterThan(20)
  await crowd.stop()
  const after = edge.calls.length
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(edge.calls.length).toBe(after)

  const lonely = startCrowd({
    http: edge.http,
    edgeUrl: `http://127.0.0.1:${await freePort()}`,
    rate: 200,
    random: Math.random,
  })
  await expect.poll(() => lonely.counts.get('failed') ?? 0).toBeGreaterThan(3)
  await lonely.stop()
})
