import { expect, test } from 'vitest'
import { parseTarget } from './target.ts'

test('path and query are kept exactly as written [OUT-69]', () => {
  expect(parseTarget('https://Partner.example/a/../b?sids=1,2,3&x=%2f"#part')?.requestTarget).toBe(
    '/a/../b?sids=1,2,3&x=%2f"',
  )
  expect(parseTarget('https://partner.example')?.requestTarget).toBe('/')
  expect(parseTarget('https://partner.example?a=1')?.requestTarget).toBe('/?a=1')
})

test('origin, name and port are those a connection is made to', () => {
  expect(parseTarget('https://PARTNER.example:443/x')).toMatchObject({
    origin: 'https://partner.example',
    hostname: 'partner.example',
    port: 443,
  })
  expect(parseTarget('http://[::1]:8080/')).toMatchObject({ hostname: '::1', port: 8080, protocol: 'http:' })
  // Other spellings of an address are read as the address they mean, so that the check sees it [SEC-24].
  expect(parseTarget('https://0x7f.1/')?.hostname).toBe('127.0.0.1')
  expect(parseTarget('https://2130706433/')?.hostname).toBe('127.0.0.1')
})

test.each([
  'ftp://partner.example/',
  'https://user:secret@partner.example/',
  'https://partner.example\\@127.0.0.1/',
  'https://partner.example/a b',
  'https://partner.example/\n',
  'https://partner.example/ä',
  'https://[::1/',
  '/only/a/path',
  '',
])('%j is no target', (url) => {
  expect(parseTarget(url)).toBeUndefined()
})
