import { expect, test } from 'vitest'
import type { DestinationRule } from '../activation/destination-rules.ts'
import type { StoredDelivery } from '../store/delivery-record.ts'
import { viewDetail } from './delivery-views.ts'

test('values of free headers are hidden also in records that early versions wrote in clear [SEC-63]', () => {
  const headers = [
    ['User-Agent', 'Usher/0.1'],
    ['X-Api-Key', 'canary-of-a-header'],
    ['X-Signature', 'c2ln'],
  ] as const
  const delivery = {
    deliveryId: 'dl_1',
    users: [],
    attempts: [],
    createdAtMs: 0,
    finishedAtMs: 0,
    status: 'acknowledged',
    method: 'POST',
    url: 'https://in.halden.example/aam',
    body: '{}',
    headers,
  } as unknown as StoredDelivery
  const config = { auth: { type: 'none' }, mode: 'durable', headers: { 'X-Api-Key': 'canary-of-a-header' } }
  const destination = { config } as unknown as DestinationRule
  const { request } = viewDetail(delivery, { destination, destinationName: 'Halden', segmentNames: new Map() })
  expect(request.headers).toEqual({ 'User-Agent': 'Usher/0.1', 'X-Api-Key': '***', 'X-Signature': 'c2ln' })
})
