import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ConfigError, type ConfigSources, configJsonSchema, loadConfig, renderConfigPage, settings } from './config.ts'

function issuesOf(sources: ConfigSources): readonly string[] {
  try {
    loadConfig({ env: {}, ...sources })
  } catch (error) {
    if (error instanceof ConfigError) return error.issues
    throw error
  }
  return []
}

const withFile = (text: string): ConfigSources => ({ options: { config: 'x.yaml' }, readFile: () => text })

describe('defaults', () => {
  test('nothing set: embedded stores in ./data, loopback, the promised ports [OPS-11] [OPS-21] [OPS-23] [OPS-24]', () => {
    const config = loadConfig({ env: {} })
    expect(config).toMatchObject({
      dataDir: './data',
      host: '127.0.0.1',
      store: 'embedded',
      catalog: 'sqlite',
      durability: 'process',
      allowPrivateDestinations: false,
      clockOffsetMs: 0,
      roles: ['edge', 'admin', 'delivery', 'batch'],
      edge: { port: 8080, region: 7 },
      admin: { port: 8081 },
    })
    expect(config.admin.token).toBeUndefined()
    expect(config.masterKey).toBeUndefined()
  })

  test('a fresh installation listens on loopback and has no password [SEC-92]', () => {
    expect(loadConfig({ env: {} })).toMatchObject({ host: '127.0.0.1', admin: {} })
    expect(loadConfig({ env: {} }).admin).not.toHaveProperty('token')
  })
})

describe('sources', () => {
  test('the environment wins over the file, the command line over both [OPS-20] [OPS-10]', () => {
    const config = loadConfig({
      options: { config: 'x.yaml', dataDir: '/cli', roles: 'edge,delivery' },
      env: { USHER_EDGE_PORT: '9090', USHER_DATA_DIR: '/env' },
      readFile: () => 'dataDir: /file\ndurability: disk\nedge: { port: 7070, region: 6 }\n',
    })
    expect(config).toMatchObject({
      dataDir: '/cli',
      roles: ['edge', 'delivery'],
      durability: 'disk',
      edge: { port: 9090, region: 6 },
    })
  })

  test('USHER_CONFIG names the file [OPS-20]', () => {
    const readFile = (path: string) => `collectionDomain: ${path}`
    expect(loadConfig({ env: { USHER_CONFIG: 'from-env' }, readFile }).collectionDomain).toBe('from-env')
  })

  test('every key of the file has a variable of its own, and it works [OPS-20]', () => {
    const variables = settings.map((setting) => setting.variable)
    expect(new Set(variables).size).toBe(settings.length)
    const samples: Record<string, string> = {
      USHER_ADMIN_TOKEN: 'a-token-of-24-characters',
      USHER_MASTER_KEY: Buffer.alloc(32).toString('base64'),
      USHER_COLLECTION_DOMAIN: 'c.example',
      USHER_TLS_CERT: 'c.pem',
      USHER_TLS_KEY: 'k.pem',
      USHER_EXTRA_CA: 'ca.pem',
    }
    const env = Object.fromEntries(
      settings.map(({ variable, default: value }) => [variable, samples[variable] ?? textOf(value)]),
    )
    const config = loadConfig({ env })
    expect(config).toMatchObject({
      admin: { token: samples['USHER_ADMIN_TOKEN'] },
      tls: { cert: 'c.pem', key: 'k.pem' },
    })
  })

  test('lists and switches can be written in the environment [OPS-20]', () => {
    const { edge } = loadConfig({
      env: {
        USHER_EDGE_ALIASES: 'acme, beta',
        USHER_EDGE_DENY_LIST_DATA_SOURCE_IDS: '771,1083',
        USHER_EDGE_TRUSTED_PROXIES: '10.0.0.0/8,::1',
        USHER_EDGE_JSONP: '0',
      },
    })
    expect(edge.aliases).toEqual(['acme', 'beta'])
    expect(edge.denyList.dataSourceIds).toEqual([771, 1083])
    expect(edge.trustedProxies).toEqual(['10.0.0.0/8', '::1'])
    expect(edge.jsonp).toBe(false)
  })

  test.each([
    ['admin:\n  token: "a-token-that-is-cut\\0here-and-more"', 'admin.token: holds the character U+0000'],
    ['edge:\n  aliases: ["ac\\u200bme"]', 'edge.aliases.0: holds the invisible character U+200B (a zero-width space)'],
    ['dataDir: "./data\\n"', 'dataDir: holds the control character U+000A (a line break)'],
    ['extraCa: "\\uD800.pem"', 'extraCa: holds an unpaired surrogate (U+D800)'],
  ])('%j: what nobody sees in a setting stops the start with its name [OPS-20] [API-164~]', (text, expected) => {
    expect(() => loadConfig({ options: { config: 'x.yaml' }, readFile: () => text, env: {} })).toThrow(expected)
  })

  test.each([
    'a token with blanks that is long',
    'a-token-with-a-line-end-in-it\n',
    'ein-schlüssel-mit-umlauten-drin',
    ` ${'x'.repeat(24)}`,
  ])('the admin token %j could be sent by nobody, so it stops the start [OPS-22]', (token) => {
    expect(() => loadConfig({ env: { USHER_ADMIN_TOKEN: token } })).toThrow('admin.token')
  })

  test.each(['0x303', '7e2', '771.0', '-1', 'x'])('%j is not the id of a data source [OPS-20]', (id) => {
    expect(() => loadConfig({ env: { USHER_EDGE_DENY_LIST_DATA_SOURCE_IDS: `771,${id}` } })).toThrow(
      'edge.denyList.dataSourceIds',
    )
  })

  test.each(['minimal', 'full'])('config/%s.yaml loads', (name) => {
    expect(() => loadConfig({ options: { config: `config/${name}.yaml` }, env: {} })).not.toThrow()
  })

  test('the full example names every key', () => {
    const config = loadConfig({ options: { config: 'config/full.yaml' }, env: {} })
    const missing = settings.filter(
      ({ path }) => path.reduce<unknown>((at, part) => (at as Record<string, unknown>)?.[part], config) === undefined,
    )
    expect(missing.map((setting) => setting.key)).toEqual([])
    const text = readFileSync('config/full.yaml', 'utf8')
    expect(settings.filter(({ path }) => !text.includes(`${path.at(-1)}:`)).map((setting) => setting.key)).toEqual([])
  })
})

describe('refusals stop the start with the key and what is allowed', () => {
  test.each([
    ['an unknown key', 'edge: { prot: 1 }', ['edge.prot', 'did you mean edge.port?', 'edge.region']],
    ['an unknown section', 'egde: {}', ['egde', 'unknown key, did you mean edge? Allowed here: dataDir,']],
    ['a wrong type', 'edge: { port: eighty }', ['edge.port', 'USHER_EDGE_PORT', 'a whole number from 0 to 65535']],
    ['a value out of range', 'edge: { port: 70000 }', ['edge.port', 'a whole number from 0 to 65535']],
    ['an unknown choice', 'durability: eventually', ['durability', 'USHER_DURABILITY', 'disk, process, memory']],
    ['a bad entry of a list', 'edge: { systemHosts: [1] }', ['edge.systemHosts', 'USHER_EDGE_SYSTEM_HOSTS']],
    ['one half of TLS', 'tls: { cert: a.pem }', ['tls.cert', 'tls.key', 'both or none']],
    ['two listeners on one port', 'edge: { port: 8081 }', ['edge.port', 'admin.port']],
    ['a list instead of a map', '- a', ['must be a map']],
    ['broken YAML', 'a: [', ['not valid YAML']],
  ])('%s [OPS-20]', (_name, text, expected) => {
    const issues = issuesOf(withFile(text))
    expect(issues).toHaveLength(1)
    for (const part of expected) expect(issues[0]).toContain(part)
  })

  test('all issues are told at once [OPS-20]', () => {
    expect(issuesOf({ ...withFile('durability: x\nhots: y'), env: { USHER_EDGE_PROT: '1' } })).toHaveLength(3)
  })

  test('a misspelt variable stops the start [OPS-20]', () => {
    const [issue] = issuesOf({ env: { USHER_EDGE_PROT: '1' } })
    expect(issue).toContain('USHER_EDGE_PROT')
    expect(issue).toMatch(/did you mean USHER_EDGE_PORT\?$/)
  })

  test('a file that cannot be read is named', () => {
    expect(issuesOf({ options: { config: '/no/such.yaml' } })[0]).toContain('/no/such.yaml')
  })

  test('stores of a later version answer so [OPS-23]', () => {
    expect(issuesOf({ env: { USHER_STORE: 'redis://127.0.0.1:6379' } })[0]).toMatch(
      /^store \(USHER_STORE\): redis:\/\/ is not in this version/,
    )
    expect(issuesOf({ env: { USHER_CATALOG: 'postgres://x' } })[0]).toMatch(
      /^catalog \(USHER_CATALOG\): postgres:\/\/ is not in this version/,
    )
    expect(issuesOf({ env: { USHER_STORE: 'mongodb://x' } })[0]).toContain('is not an engine')
  })

  test('an admin token below 24 characters is refused without being shown [OPS-22] [SEC-63]', () => {
    const [issue] = issuesOf({ env: { USHER_ADMIN_TOKEN: 'secret-but-too-short' } })
    expect(issue).toContain('at least 24 characters')
    expect(issue).not.toContain('secret-but')
    expect(issuesOf({ env: { USHER_ADMIN_TOKEN: 'x'.repeat(24) } })).toEqual([])
  })

  test('a master key must be 32 bytes in Base64, and is not shown when it is not [OPS-26] [SEC-63]', () => {
    const [issue] = issuesOf({ env: { USHER_MASTER_KEY: 'canary-canary' } })
    expect(issue).toContain('32 bytes in Base64')
    expect(issue).not.toContain('canary')
  })

  test('the shifted clock is refused in production only [OPS-27]', () => {
    expect(issuesOf({ env: { USHER_CLOCK_OFFSET_MS: '86400000', NODE_ENV: 'production' } })[0]).toContain(
      'USHER_CLOCK_OFFSET_MS',
    )
    expect(loadConfig({ env: { USHER_CLOCK_OFFSET_MS: '86400000' } }).clockOffsetMs).toBe(86_400_000)
    expect(issuesOf({ env: { USHER_CLOCK_OFFSET_MS: '0', NODE_ENV: 'production' } })).toEqual([])
  })
})

describe('what is published from the same source [OPS-20]', () => {
  test('docs/configuration.md is current', () => {
    expect(readFileSync('docs/configuration.md', 'utf8'), 'run: node scripts/docs.mjs').toBe(renderConfigPage())
  })

  test('config/usher.schema.json is current and describes every key', () => {
    const text = readFileSync('config/usher.schema.json', 'utf8')
    expect(JSON.parse(text), 'run: node scripts/docs.mjs').toEqual(JSON.parse(JSON.stringify(configJsonSchema())))
    expect(settings.filter((setting) => setting.description.length < 10)).toEqual([])
  })
})

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.join(',')
  return typeof value === 'object' && value !== null ? '' : String(value)
}
