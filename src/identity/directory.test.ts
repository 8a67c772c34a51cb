import { expect, test } from 'vitest'
import type { DataSource } from '../model/definitions.ts'
import { buildDirectory } from './directory.ts'

function directoryOf(codes: readonly string[]) {
  const dataSources = codes.map((integrationCode, at) => ({ dataSourceId: at + 1, integrationCode }) as DataSource)
  const build = buildDirectory({ dataSources, destinations: [] } as never)
  for (let at = 0; at < 10; at++) {
    const step = build.next()
    if (step.done === true) return step.value
  }
  throw new Error('it does not end')
}

test('a code that was stored with blanks or in another spelling is found as it is compared [API-164~]', () => {
  const { byIntegrationCode } = directoryOf([' crm_x ', 'ka\u0308ufer'])
  expect(byIntegrationCode.get('crm_x')?.dataSourceId).toBe(1)
  expect(byIntegrationCode.get('käufer')?.dataSourceId).toBe(2)
})

test('of two stored codes that come to the same, the one that is written so has it', () => {
  expect(directoryOf(['crm_x ', 'crm_x']).byIntegrationCode.get('crm_x')?.dataSourceId).toBe(2)
  expect(directoryOf(['crm_x', 'crm_x ']).byIntegrationCode.get('crm_x')?.dataSourceId).toBe(1)
})
