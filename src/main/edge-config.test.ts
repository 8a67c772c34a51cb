import { expect, test } from 'vitest'
import { loadConfig } from '../config.ts'
import { edgeConfigOf } from './edge-config.ts'

test('a collection domain that is a public suffix stops the start: browsers keep no cookie for it [OPS-20] [OPS-28~] [COL-124]', () => {
  const load = (domain: string) =>
    edgeConfigOf(loadConfig({ env: { USHER_COLLECTION_DOMAIN: domain } }), undefined, undefined).collectionDomain
  for (const domain of ['co.uk', 'herokuapp.com', 'GitHub.io'])
    expect(() => load(domain)).toThrow(/collectionDomain.*is a public suffix.*Name a domain below it/s)
  for (const domain of ['example.co.uk', 'app.herokuapp.com', 'demdex.net', 'localhost', '127.0.0.1'])
    expect(load(domain)).toBe(domain)
})
