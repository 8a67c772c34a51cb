import { expect, test } from 'vitest'
import { ApiRefusalError, type RestClient } from '../lib/rest-client.ts'
import { ensureDefinitions, PARTNER_DATA_SOURCE } from './definitions.ts'

const partner = { url: 'http://127.0.0.1:1/aam', syncUrl: 'http://127.0.0.1:1/sync', key: 'k' }

test('a data source that was deleted just before the demo starts again is made again once its id is free [OPS-2~]', async () => {
  let refusals = 0
  let made = 0
  const api = {
    get: async () => [],
    async post(path: string, body: { dataSourceId?: number; destinationId?: number }) {
      if (body.dataSourceId === PARTNER_DATA_SOURCE && path === '/v1/datasources/' && ++refusals <= 2)
        throw new ApiRefusalError(409, 'id_leaving', 'still being taken out of profiles')
      made += 1
      return { dataSourceId: body.dataSourceId ?? made, destinationId: body.destinationId, sid: 1_000 + made }
    },
  } as unknown as RestClient
  expect(await ensureDefinitions(api, partner)).toMatchObject({ destinationId: PARTNER_DATA_SOURCE })
  expect(refusals).toBe(3)

  const refusing = {
    get: async () => [],
    post: () => Promise.reject(new ApiRefusalError(409, 'id_taken', 'The id is taken.')),
  } as unknown as RestClient
  await expect(ensureDefinitions(refusing, partner)).rejects.toThrow('The id is taken.')
})
