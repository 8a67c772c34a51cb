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
  test('nothing set: embedded stores in ./data, loopback, the promised ports [OPS-11~] [OPS-21] [OPS-23~] [OPS-24~]', () => {
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

  test('a fresh installation listens on loopback and has no password [SEC-92~]', () => {
    expect(loadConfig({ env: {} })).toMatchObject({ host: '127.0.0.1', admin: {} })
    expect(loadConfig({ env: {} }).admin).not.toHaveProperty('token')
  })
})

describe('sources', () => {
  test('the environment wins over the file, the command line over both [OPS-20] [OPS-10~]', () => {
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

  const lists = settings.filter(({ kind }) => ['list', 'map', 'objects'].includes(kind.name))

  test('every list can be written with commas and as a JSON array, and says the same as the file [OPS-20]', () => {
    const full = loadConfig({ options: { config: 'config/full.yaml' }, env: {} })
    const at = (config: unknown, path: readonly string[]) =>
      path.reduce<unknown>((found, part) => (found as Record<string, unknown>)[part], config)
    expect(lists.length).toBeGreaterThanOrEqual(15)
    // Clients without keys are refused: they would have no effect.
    const beside = { USHER_EDGE_IMS_KEYS: '/etc/usher/ims-key.pem' }
    for (const { variable, path, kind } of lists) {
      const value = at(full, path)
      const forms = [JSON.stringify(value), ...(kind.name === 'list' ? [textOf(value)] : [])]
      for (const text of forms)
        expect(at(loadConfig({ env: { ...beside, [variable]: text } }), path), `${variable}=${text}`).toEqual(value)
    }
  })

  test('no list takes an entry that can never fit, and the variable is named [OPS-20]', () => {
    // What is left of JSON, YAML or a shell that was not meant for a comma list.
    const texts = [
      '["https://www.example.com"',
      '"a","b"',
      '[a, b]',
      '[""]',
      '[null]',
      '[true]',
      '[[]]',
      '[{}]',
      '[" "]',
    ]
    for (const { variable } of lists) {
      for (const text of texts)
        expect(issuesOf({ env: { [variable]: text } })[0] ?? 'nothing', `${variable}=${text}`).toContain(
          `(${variable}): `,
        )
    }
  })

  test.each([
    ['USHER_EDGE_ALIASES', ['acme.example.com', 'acme-', 'https://acme', '*', 'a b']],
    ['USHER_EDGE_ORGANIZATIONS', ['0123456789ABCDEF01234567', '@AdobeOrg', 'a@b@c']],
    ['USHER_EDGE_SYSTEM_HOSTS', ['collect.example.com']],
    [
      'USHER_EDGE_TRUSTED_PROXIES',
      ['10.0.0.0/33', '10.0.0.0/', 'proxy.example', '10.0.0', '::1/129', '*', ' 10.0.0.1', '10.0.0.1, 10.0.0.2'],
    ],
    ['USHER_EDGE_CALLERS', ['10.0.0.0/33', 'sha256:abcd', '=10.0.0.1', 'a.b=10.0.0.1', 'shop=proxy', 'a=b=10.0.0.1']],
    [
      'USHER_EDGE_CORS_ORIGINS',
      [
        'www.example.com',
        'https://www.example.com/',
        'https://WWW.example.com',
        'https://a.example:443',
        'https://*.a.example',
        'https://a.example/x',
        '*',
        'null',
      ],
    ],
    [
      'USHER_EDGE_REFERER_HOSTS',
      ['https://www.example.com', 'WWW.example.com', '*.example.com', '.example.com', 'a.example:8080', 'a.example/x'],
    ],
    [
      'USHER_EDGE_REDIRECT_HOSTS',
      [
        'https://a.example/',
        '*.com',
        '*.co.uk',
        '*.herokuapp.com',
        'ftp://a.example',
        'a.example:443',
        'http://a.example:80',
        'a.example/x',
      ],
    ],
    [
      'USHER_EDGE_OPT_OUT_TOOLS',
      ['http://o.example/%token%', 'o.example/%token%', 'https://%token%.example/', 'https://o.example/'],
    ],
    ['USHER_EDGE_IMS_CLIENTS', ["a'b", 'a,b', 'a b']],
    ['USHER_EDGE_FORBIDDEN_COUNTRIES', ['us', 'USA', 'U1']],
    ['USHER_EDGE_DENY_LIST_DATA_SOURCE_IDS', ['-1', '1.5', 'x', '0x10']],
    ['USHER_ROLES', ['edges', 'ADMIN']],
  ])('%s refuses each of %j [OPS-20]', (variable, texts) => {
    for (const text of texts) {
      const [issue = 'nothing'] = issuesOf({ env: { [variable]: JSON.stringify([text]) } })
      expect(issue.replaceAll('"', ''), text).toContain(`(${variable}): entry 1, ${text.replaceAll('"', '')}, `)
    }
  })

  test.each<[string, string]>([
    [
      'USHER_EDGE_CORS_ORIGINS',
      'https://www.example.com,http://localhost:8080,https://xn--bcher-kva.example,capacitor://localhost',
    ],
    [
      'USHER_EDGE_REDIRECT_HOSTS',
      'a.example,*.b.example,http://c.example:8080,https://D.example,[2001:db8::1]:8443,192.0.2.1',
    ],
    [
      'USHER_EDGE_CALLERS',
      `10.0.0.5, shop=10.0.0.0/8, ::ffff:10.0.0.0/104, sha256:${'aB'.repeat(32)}, shop=sha256:${'AA:'.repeat(31)}AA`,
    ],
    ['USHER_EDGE_TRUSTED_PROXIES', '10.1.2.3/8, fe80::1%eth0, ::ffff:10.0.0.5, 2001:DB8::/32'],
    ['USHER_EDGE_REFERER_HOSTS', 'localhost, www.example.com, 192.0.2.1, [2001:db8::1]'],
    ['USHER_EDGE_ALIASES', 'acme, Beta-2, x_y, 7'],
  ])('%s takes %s [OPS-20] [SEC-98]', (variable, text) => {
    const tls = { USHER_TLS_CERT: 'c.pem', USHER_TLS_KEY: 'k.pem' }
    expect(issuesOf({ env: { ...tls, [variable]: text } })).toEqual([])
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

  test.each([
    ['USHER_NOPE', undefined],
    ['USHER_EDGE_HOST', undefined],
    ['USHER_ADMIN_NAME', undefined],
    ['USHER_HOTS', 'USHER_HOST'],
    ['USHER_DATADIR', 'USHER_DATA_DIR'],
    ['USHER_EDGE_TRUSTED_PROXYS', 'USHER_EDGE_TRUSTED_PROXIES'],
    ['USHER_EDGE_FORBIDDEN_COUNTRYS', 'USHER_EDGE_FORBIDDEN_COUNTRIES'],
  ])('of %s what was meant is said only where it is near: %s [OPS-20]', (variable, meant) => {
    const [issue = ''] = issuesOf({ env: { [variable]: '1' } })
    if (meant === undefined) expect(issue).toMatch(/: unknown environment variable\. Allowed: USHER_DATA_DIR, /)
    else expect(issue).toBe(`${variable}: unknown environment variable, did you mean ${meant}?`)
  })

  test('one fault of a value is one sentence, whatever the setting [OPS-20]', () => {
    const bad = [
      'de',
      'DEU',
      'ZZ',
      '',
      '-1',
      '1.5',
      '99999999999999999999',
      'a b',
      'a\u0001',
      'http://x/',
      '[1]',
      '{}',
      '"',
    ]
    const twice: string[] = []
    for (const { variable, key } of settings)
      for (const text of bad) {
        // Half of TLS is a second fault.
        const said = issuesOf({ env: { [variable]: text } }).filter((issue) => !issue.includes('without the other'))
        if (said.length > 1) twice.push(`${key} ${JSON.stringify(text)}: ${said.join(' | ')}`)
      }
    expect(twice).toEqual([])
  })

  test('stores of a later version answer so [OPS-23~]', () => {
    expect(issuesOf({ env: { USHER_STORE: 'redis://127.0.0.1:6379' } })[0]).toMatch(
      /^store \(USHER_STORE\): redis:\/\/ is not in this version/,
    )
    expect(issuesOf({ env: { USHER_CATALOG: 'postgres://x' } })[0]).toMatch(
      /^catalog \(USHER_CATALOG\): postgres:\/\/ is not in this version/,
    )
    expect(issuesOf({ env: { USHER_STORE: 'mongodb://x' } })[0]).toContain('is not an engine')
  })

  test('what has no effect without another setting is refused with both names, and taken beside it [OPS-20]', () => {
    const certificate = `shop=sha256:${'ab'.repeat(32)}`
    const alone: [Record<string, string>, string, Record<string, string>][] = [
      [{ USHER_EDGE_ACCEPT_UNLISTED_CMP: '1' }, 'edge.cmpListFile', { USHER_EDGE_CMP_LIST_FILE: 'cmp.json' }],
      [{ USHER_EDGE_IMS_CLIENTS: 'a' }, 'edge.imsKeys', { USHER_EDGE_IMS_KEYS: 'k.pem' }],
      [{ USHER_EDGE_CALLERS: certificate }, 'tls.cert', { USHER_TLS_CERT: 'c.pem', USHER_TLS_KEY: 'k.pem' }],
      [
        { USHER_EDGE_FORWARDED_HEADER: 'forwarded' },
        'edge.trustedProxies or edge.callers',
        { USHER_EDGE_TRUSTED_PROXIES: '10.0.0.1' },
      ],
    ]
    for (const [set, missing, beside] of alone) {
      const [variable = ''] = Object.keys(set)
      expect(() => loadConfig({ env: set })).toThrow(new RegExp(`${variable}.*has no effect without ${missing}`))
      expect(() => loadConfig({ env: { ...set, ...beside } })).not.toThrow()
    }
  })

  test('an admin token below 24 characters is refused without being shown [OPS-22] [SEC-63~]', () => {
    const [issue] = issuesOf({ env: { USHER_ADMIN_TOKEN: 'secret-but-too-short' } })
    expect(issue).toContain('at least 24 characters')
    expect(issue).not.toContain('secret-but')
    expect(issuesOf({ env: { USHER_ADMIN_TOKEN: 'x'.repeat(24) } })).toEqual([])
  })

  test('a master key must be 32 bytes in Base64, and is not shown when it is not [OPS-26] [SEC-63~]', () => {
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
