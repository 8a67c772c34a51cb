import { expect, test } from 'vitest'
import { DEFAULT_EDGE_CONFIG } from './edge-config.ts'
import { hostReader } from './hosts.ts'
import { REGIONS } from './regions.ts'

const read = hostReader({ ...DEFAULT_EDGE_CONFIG, aliases: ['YourCompany', 'my_domain'] })

test('the left-most label is the alias, without case and port [COL-02] [COL-18]', () => {
  expect(read('YOURCOMPANY.demdex.net:8080')).toMatchObject({
    label: 'yourcompany',
    isKnown: true,
    isSystem: false,
    subdomain: 'yourcompany',
  })
  expect(read('my_domain.demdex.net')).toMatchObject({ isKnown: true, cookieDomain: '.demdex.net' })
  expect(read('stranger.demdex.net')).toMatchObject({ isKnown: false })
})

test('no domain is built in: any base domain works [COL-01~]', () => {
  expect(read('yourcompany.collect.example.org')).toMatchObject({ isKnown: true, baseDomain: 'collect.example.org' })
})

test('system hosts are known and stand for no alias [COL-05~] [COL-07]', () => {
  for (const label of ['dpm', 'www', 'dcs', 'dcs-beta', 'fast', ...REGIONS.map((region) => region.label)]) {
    expect(read(`${label}.demdex.net`)).toMatchObject({ isSystem: true, isKnown: true, subdomain: 'YourCompany' })
  }
  const renamed = hostReader({ ...DEFAULT_EDGE_CONFIG, aliases: ['a'], systemHosts: ['match'] })
  expect([renamed('match.x.example')?.isSystem, renamed('dpm.x.example')?.isKnown]).toEqual([true, false])
})

test('while no alias is listed every host is served [COL-03]', () => {
  const any = hostReader(DEFAULT_EDGE_CONFIG)
  for (const host of ['a.example', 'localhost:1', '127.0.0.1', '[::1]:8080']) expect(any(host)?.isKnown).toBe(true)
})

test('what is no host name is no usable header [COL-04]', () => {
  for (const header of [
    undefined,
    '',
    ' ',
    'a b',
    'a/b',
    'a@b',
    '.a',
    'a:b',
    'a:123456',
    'ä.example',
    '[::1',
    `${'a'.repeat(254)}`,
  ]) {
    expect(read(header)).toBeUndefined()
  }
})

test('any number of names is read with bounded memory', () => {
  for (let i = 0; i < 5000; i++) expect(read(`h${i}.demdex.net`)?.label).toBe(`h${i}`)
})

test('the region table is the documented one [COL-131] [COL-132]', () => {
  expect(REGIONS.map((region) => [region.regionId, region.label])).toEqual([
    [3, 'apse'],
    [4, 'sae'],
    [6, 'irl1'],
    [7, 'use'],
    [8, 'apse2'],
    [9, 'usw2'],
    [11, 'tyo3'],
    [12, 'ind1'],
  ])
  expect(DEFAULT_EDGE_CONFIG.region).toBe(7)
})
