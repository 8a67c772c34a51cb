import { expect, test } from 'vitest'
import { dataSource, startTestEdge, testDirectory } from './test-edge.conformance.ts'

/** How a call names a data source: by digits, or by an integration code. */

test('only digits are the ID of a data source: `Number` would read each of these as 1 [COL-49~]', async () => {
  await using edge = await startTestEdge()
  for (const text of ['0x1', '1.0', '1e0', '%2B1', '0b1', '1,0']) await edge.call(`/event?a=b&d_tdpid=${text}`)
  expect(edge.calls.map((call) => call.onlyDataSourceId)).toEqual([null, null, null, null, null, 1])
})

test('an integration code is compared without blanks around it and in one spelling [COL-81] [API-164~]', async () => {
  const directory = testDirectory([dataSource(50, { integrationCode: 'käufer' })])
  await using edge = await startTestEdge({ directory })
  const spelt = encodeURIComponent('ka\u0308ufer')
  for (const code of ['k%C3%A4ufer', spelt, `%20${spelt}%20`, `%09k%C3%A4ufer`]) {
    await edge.call(`/event?a=b&d_tdpid_ic=${code}`)
    await edge.call(`/event?a=b&d_cid_ic=${code}%01u1`)
  }
  expect(edge.calls.map((call) => call.onlyDataSourceId ?? call.declaredIds[0]?.dataSourceId)).toEqual(
    Array(8).fill(50),
  )
})
