import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize, relative, sep } from 'node:path'
import { describe, expect, test } from 'vitest'

/** The architecture as checks: imports point one way, files stay small and used, dangerous calls stay where they belong. */
const root = join(import.meta.dirname, '..')
const ROOMS = ['collect', 'onboarding', 'identity', 'audience', 'activation', 'reports']

/** What may be imported from each part of `src/`, besides itself. The picture stands in ARCHITECTURE.md. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  lib: [],
  model: ['lib'],
  config: ['lib'],
  contract: ['lib', 'model'],
  store: ['lib', 'model'],
  partner: ['lib', 'model'],
  demo: ['lib', 'model', 'partner'],
  ...Object.fromEntries(ROOMS.map((room) => [room, ['lib', 'model', 'store']])),
  pipeline: ['lib', 'model', 'contract', 'store', ...ROOMS],
  api: ['lib', 'model', 'store', 'contract', ...ROOMS, 'pipeline'],
  main: ['lib', 'model', 'store', 'contract', 'config', ...ROOMS, 'pipeline', 'api'],
  cli: ['lib', 'model', 'contract', 'config', 'partner', 'demo', 'main'],
}

/** Folders of the admin UI, and which of the others each may use. Of src/ it knows the types of the contract alone. */
const WEB_MAY_IMPORT: Record<string, readonly string[]> = {
  words: [],
  theme: [],
  api: [],
  parts: ['words', 'api'],
  profiles: ['words', 'api', 'parts', 'messages'],
  messages: ['words', 'api', 'parts'],
  overview: ['words', 'api', 'parts'],
  destinations: ['words', 'api', 'parts'],
  frame: ['words', 'api', 'parts'],
  router: ['frame', 'overview', 'destinations', 'messages', 'profiles'],
  main: ['api', 'words', 'theme', 'router'],
}

const LINES_MAX = 400

/** Code that is dangerous or breaks the walls, and the only files that may hold it. */
const FORBIDDEN_CODE: readonly {
  readonly what: string
  readonly pattern: RegExp
  readonly except: readonly string[]
}[] = [
  { what: 'eval', pattern: /\beval\s*\(/, except: [] },
  { what: 'code from text', pattern: /\bnew Function\b|\bFunction\s*\(/, except: [] },
  { what: 'fetch', pattern: /(?<![.\w])fetch\s*\(/, except: [] },
  { what: 'a regular expression from a value', pattern: /\bRegExp\s*\((?!\s*['"/])/, except: [] },
  { what: 'the environment', pattern: /\bprocess\.env\b/, except: ['config.ts', 'cli/'] },
  // The script inside dest5.ts runs in the visitor's browser.
  {
    what: 'the time of day',
    pattern: /\bDate\.now\b|\bnew Date\(\s*\)/,
    except: ['lib/clock.ts', 'lib/clock-moment.ts', 'cli/', 'main.ts', 'collect/dest5.ts'],
  },
]

/** Modules, or names of modules, that only some files may import. `*`: everything of it. Types may be imported anywhere. */
const FORBIDDEN_IMPORTS: readonly {
  readonly module: RegExp
  readonly names: readonly string[]
  readonly except: readonly string[]
}[] = [
  { module: /^(node:)?(child_process|vm|cluster)$/, names: ['*'], except: [] },
  { module: /^(node:)?(dns|dns\/promises|dgram|http2|tls)$/, names: ['*'], except: ['lib/egress/'] },
  { module: /^undici$/, names: ['*'], except: ['lib/egress/'] },
  // The database that the operator names in the configuration, and nothing that comes over the API.
  { module: /^pg$/, names: ['*'], except: ['store/catalog/postgres/'] },
  // lib/http-client.ts calls the operator's own server, for commands and the demo; a check below keeps others from it.
  {
    module: /^(node:)?https?$/,
    names: ['default', 'request', 'get', 'Agent', 'ClientRequest', 'globalAgent'],
    except: ['lib/egress/', 'lib/http-client.ts'],
  },
  { module: /^(node:)?net$/, names: ['default', 'connect', 'createConnection', 'Socket'], except: ['lib/egress/'] },
]

interface Source {
  /** Below `src/`, with forward slashes. */
  readonly path: string
  readonly code: string
  readonly lines: number
  readonly imports: readonly Import[]
}

interface Import {
  readonly target: string
  /** Names imported as values; `default` also for `* as`. Empty for types alone. */
  readonly names: readonly string[]
}

const sources = filesBelow('src', '.ts').map(readSource)
const product = sources.filter(({ path }) => !isTest(path) && !path.startsWith('testkit/'))

test('there is something to check', () => {
  expect(product.length).toBeGreaterThan(20)
})

test('imports point one way, and rooms never import each other', () => {
  const wrong = product.flatMap(({ path, imports }) =>
    relativeOf(imports)
      .map((target) => partOf(resolveImport(path, target)))
      .filter((part) => part !== partOf(path) && MAY_IMPORT[partOf(path)]?.includes(part) !== true)
      .map((part) => `${path} imports from ${part}`),
  )
  expect(wrong).toEqual([])
})

test('every part of src has its place in the picture', () => {
  expect([...new Set(product.map(({ path }) => partOf(path)))].filter((part) => !(part in MAY_IMPORT))).toEqual([])
})

test('the client of the own server is used by commands and the demo only [SEC-22]', () => {
  const clients = ['lib/http-client.ts', 'lib/rest-client.ts']
  const users = product.filter(({ path, imports }) =>
    relativeOf(imports).some((target) => clients.includes(resolveImport(path, target))),
  )
  expect(users.map(({ path }) => partOf(path)).filter((part) => !['lib', 'demo', 'cli'].includes(part))).toEqual([])
})

test('relative imports end in .ts and name a file that exists', () => {
  const broken = sources.flatMap(({ path, imports }) =>
    relativeOf(imports)
      .filter((target) => !existsSync(join(root, 'src', resolveImport(path, target))))
      .map((target) => `${path}: ${target}`),
  )
  expect(broken).toEqual([])
})

test(`no file is longer than ${LINES_MAX} lines without saying why`, () => {
  const long = sources.filter(
    ({ lines, path }) => lines > LINES_MAX && !/^\s*\/[/*][\s\S]*?Length:/.test(firstComment(path)),
  )
  expect(long.map(({ path, lines }) => `${path} has ${lines} lines`)).toEqual([])
})

test('no file has a name that says nothing', () => {
  const named = sources.filter(
    ({ path }) => /(^|\/)(utils?|helpers?|types|common|misc)\.ts$/.test(path) || !/^[a-z0-9./-]+$/.test(path),
  )
  expect(named.map(({ path }) => path)).toEqual([])
})

test('every file is used by the program or by a test', () => {
  const used = new Set<string>()
  const visit = (path: string) => {
    if (used.has(path)) return
    used.add(path)
    const source = sources.find((one) => one.path === path)
    for (const target of relativeOf(source?.imports ?? [])) visit(resolveImport(path, target))
  }
  for (const { path } of sources) if (isTest(path) || path.endsWith('.worker.ts') || path === 'cli/main.ts') visit(path)
  for (const file of [...filesBelow('test', '.ts'), ...filesBelow('bench', '.ts'), ...filesBelow('bench', '.mjs')]) {
    for (const target of relativeOf(importsOf(readFileSync(join(root, file), 'utf8')))) {
      visit(
        relative('src', normalize(join(dirname(file), target)))
          .split(sep)
          .join('/'),
      )
    }
  }
  expect(sources.map(({ path }) => path).filter((path) => !used.has(path))).toEqual([])
})

test('the page tag stands alone: it imports nothing of src, and nothing in it makes code from text', () => {
  const files = filesBelow('tag', '.ts').filter((file) => !file.endsWith('vite.config.ts'))
  expect(files).toContain('tag/tag.ts')
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8')
    const targets = importsOf(text).map(({ target }) => normalize(join('tag', target)).split(sep).join('/'))
    expect(targets.filter((target) => !files.includes(target))).toEqual([])
    expect(text.split('\n').length).toBeLessThanOrEqual(LINES_MAX)
    expect(withoutComments(text)).not.toMatch(/\beval\b|\bFunction\s*\(|innerHTML|document\.write\b/)
  }
})

describe('forbidden code and modules stay where they belong [SEC-97~] [SEC-22]', () => {
  test.each(FORBIDDEN_CODE)('$what', ({ pattern, except }) => {
    const found = product.filter(({ path, code }) => pattern.test(code) && !except.some((one) => path.startsWith(one)))
    expect(found.map(({ path }) => path)).toEqual([])
  })

  test.each(FORBIDDEN_IMPORTS)('$module', (rule) => {
    const found = product.filter(
      ({ path, imports }) =>
        !rule.except.some((one) => path.startsWith(one)) && imports.some((one) => breaks(rule, one)),
    )
    expect(found.map(({ path }) => path)).toEqual([])
  })

  test.each([
    'eval(text)',
    'return new Function(text)',
    'await fetch(url)',
    'new RegExp(pattern)',
    'process.env.HOME',
    'const at = Date.now()',
    'const at = new Date()',
    "import { spawn } from 'node:child_process'",
    "import { Pool } from 'undici'",
    "import {\n  createServer,\n  request as call,\n} from 'node:http'",
    "import https from 'node:https'",
    "import * as net from 'net'",
    "import { type Server, connect } from 'node:net'",
    "const { lookup } = await import('node:dns/promises')",
    "import 'node:tls'",
  ])('%j would be found', (code) => {
    expect(offencesIn(code)).toBe(1)
  })

  test.each([
    "import type { Socket } from 'node:net'",
    "import { createServer, type Socket } from 'node:net'",
    "import { createServer, type IncomingMessage } from 'node:http'",
    'new RegExp("^a$")',
    'new Date(ms)',
    'http.fetch(url)',
    '// eval(text) is never used',
  ])('%j is allowed', (code) => {
    expect(offencesIn(code)).toBe(0)
  })
})

test('no test takes a limit from the code: it would hold whatever the code says', () => {
  const isLimit = (name: string) => /(^|_)(MAX|MIN|LIMITS|KEPT)$|_(MS|DAYS|SECONDS|BYTES)$/.test(name)
  // Units, and a size that a file format fixes.
  const units = ['DAY_MS', 'MINUTE_MS', 'TRAILER_BYTES']
  const taken = sources
    .filter(({ path }) => isTest(path))
    .flatMap(({ path, imports }) =>
      imports
        .filter(({ target }) => !target.includes('testkit/') && !target.includes('.conformance.'))
        .flatMap(({ names }) => names.filter((name) => isLimit(name) && !units.includes(name)))
        .map((name) => `${path}: ${name}`),
    )
  expect(taken).toEqual([])
})

describe('the admin UI', () => {
  const web = [...filesBelow('web/src', '.ts'), ...filesBelow('web/src', '.tsx')].map((file) => {
    const text = readFileSync(join(root, file), 'utf8')
    return { path: file.slice('web/src/'.length), text, imports: importsOf(text) }
  })
  const targetsOf = (file: (typeof web)[number]) =>
    relativeOf(file.imports)
      .filter((target) => !target.endsWith('.css'))
      .map((target) => resolveImport(file.path, target))

  test('imports point one way, and of src it uses the types of the contract alone', () => {
    expect(web.length).toBeGreaterThan(20)
    const wrong = web.flatMap((file) =>
      targetsOf(file)
        .filter((target) => target !== '../../src/contract.ts')
        .map((target) => webPartOf(target))
        .filter(
          (part) => part !== webPartOf(file.path) && WEB_MAY_IMPORT[webPartOf(file.path)]?.includes(part) !== true,
        )
        .map((part) => `${file.path} imports from ${part}`),
    )
    expect(wrong).toEqual([])
    const values = web.filter(({ text }) => /^import (?!type )[^\n]*src\/contract/m.test(text))
    expect(values.map(({ path }) => path)).toEqual([])
  })

  test('every file is used, none is long, and only the client asks the server [SEC-71]', () => {
    const used = new Set(web.flatMap(targetsOf))
    const dead = web.filter(({ path }) => path !== 'main.tsx' && !isTest(path) && !used.has(path))
    expect(dead.map(({ path }) => path)).toEqual([])
    // A catalogue of messages is a list; it is as long as there are messages.
    const long = web.filter(({ path, text }) => text.split('\n').length > LINES_MAX && !/^words\/\w\w\.ts$/.test(path))
    expect(long.map(({ path }) => path)).toEqual([])
    const asking = web.filter(({ text }) => /\bfetch\(|XMLHttpRequest|dangerouslySetInnerHTML/.test(text))
    expect(asking.map(({ path }) => path)).toEqual(['api/client.ts'])
  })

  test('colours have one place, and every Mantine package the same version', () => {
    const coloured = [...web.map(({ path }) => `web/src/${path}`), ...filesBelow('web/src', '.css')].filter((file) =>
      /#[0-9a-f]{6}\b/i.test(readFileSync(join(root, file), 'utf8')),
    )
    expect(coloured.sort()).toEqual(['web/src/styles/roles.css', 'web/src/theme.ts'])
    const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      devDependencies: Record<string, string>
    }
    const versions = Object.entries(devDependencies).filter(([name]) => name.startsWith('@mantine/'))
    expect(new Set(versions.map(([, version]) => version)).size).toBe(1)
  })
})

describe('dependencies', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
    'dependencies' | 'devDependencies',
    Record<string, string>
  >
  const lockfile = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<
      string,
      { version?: string; resolved?: string; integrity?: string; dev?: boolean; hasInstallScript?: boolean }
    >
  }
  const page = readFileSync(join(root, 'docs', 'dependencies.md'), 'utf8')
  const installed = Object.entries(lockfile.packages).filter(([path]) => path !== '')

  test('versions are exact, never a range, a branch or an address [SEC-93]', () => {
    const all = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })
    expect(all.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([])
    expect(
      installed.filter(([, entry]) => /^(git|file|http:)/.test(entry.resolved ?? '')).map(([path]) => path),
    ).toEqual([])
    expect(installed.filter(([, entry]) => entry.integrity === undefined).map(([path]) => path)).toEqual([])
  })

  test('there are at most 40 run-time dependencies, each with its reason [SEC-94~]', () => {
    const names = Object.keys(manifest.dependencies)
    expect(names.length).toBeLessThanOrEqual(40)
    const reasons = new Map(
      [...page.matchAll(/^\| `([^`]+)` \| (.+) \|$/gm)].map(([, name, reason]) => [name as string, reason as string]),
    )
    expect(names.filter((name) => (reasons.get(name) ?? '').length < 20)).toEqual([])
    expect(
      [...reasons.keys()].filter((name) => !(name in manifest.dependencies) && !(name in manifest.devDependencies)),
    ).toEqual([])
  })

  test('the size of the tree does not grow unnoticed [SEC-94~]', () => {
    const count = installed.filter(([, entry]) => entry.dev !== true).length
    expect(page, `docs/dependencies.md must say: ${count} packages`).toContain(`${count} packages`)
  })

  test('packages that ask for an install script are a short list, and it does not run [SEC-93]', () => {
    const asking = installed
      .filter(([, entry]) => entry.hasInstallScript === true)
      .map(([path]) => path.replace(/^.*node_modules\//, ''))
    expect(asking.filter((name) => !page.includes(`\`${name}\``))).toEqual([])
    expect(readFileSync(join(root, 'scripts', 'setup.mjs'), 'utf8')).toContain("'--ignore-scripts'")
  })

  test('the program imports only what it declares', () => {
    const undeclared = product.flatMap(({ path, imports }) =>
      imports
        .map(({ target }) => target)
        .filter((target) => !target.startsWith('.') && !target.startsWith('node:'))
        .map((target) =>
          target
            .split('/')
            .slice(0, target.startsWith('@') ? 2 : 1)
            .join('/'),
        )
        .filter((name) => !(name in manifest.dependencies))
        .map((name) => `${path}: ${name}`),
    )
    expect(undeclared).toEqual([])
  })
})

function filesBelow(folder: string, ending: string): string[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name.split(sep).join('/')}`)
    .filter((path) => path.endsWith(ending) && statSync(join(root, path)).isFile())
}

function readSource(file: string): Source {
  const text = readFileSync(join(root, file), 'utf8')
  return {
    path: file.slice('src/'.length),
    code: withoutComments(text),
    lines: text.split('\n').length - 1,
    imports: importsOf(text),
  }
}

function importsOf(text: string): Import[] {
  const code = withoutComments(text)
  const declared = [...code.matchAll(/^(?:import|export)\s+(type\s+)?([^'"]*?)\s*from\s+['"]([^'"]+)['"]/gm)]
  const bare = [...code.matchAll(/(?:^import\s+|\bimport\(\s*)['"]([^'"]+)['"]/gm)]
  return [
    ...declared.map(([, isType, clause = '', target = '']) => ({
      target,
      names: isType === undefined ? namesOf(clause) : [],
    })),
    ...bare.map(([, target = '']) => ({ target, names: ['default'] })),
  ]
}

/** `{ a, type B, c as d }` gives `a` and `c`; `x` and `* as x` give `default`. */
function namesOf(clause: string): string[] {
  const braces = /\{([\s\S]*)\}/.exec(clause)?.[1] ?? ''
  const named = braces
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '' && !part.startsWith('type '))
  const outside = clause
    .replace(/\{[\s\S]*\}/, '')
    .replaceAll(',', '')
    .trim()
  return [...named.map((part) => part.split(/\s/)[0] as string), ...(outside === '' ? [] : ['default'])]
}

function relativeOf(imports: readonly Import[]): string[] {
  return imports.map(({ target }) => target).filter((target) => target.startsWith('.'))
}

function breaks(rule: (typeof FORBIDDEN_IMPORTS)[number], { target, names }: Import): boolean {
  return rule.module.test(target) && names.some((name) => rule.names.includes('*') || rule.names.includes(name))
}

function offencesIn(text: string): number {
  const code = withoutComments(text)
  const calls = FORBIDDEN_CODE.filter(({ pattern }) => pattern.test(code))
  const modules = FORBIDDEN_IMPORTS.filter((rule) => importsOf(text).some((one) => breaks(rule, one)))
  return calls.length + modules.length
}

/** Good enough for our own style: no comment markers inside strings except in addresses (`https://`). */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')
}

function firstComment(path: string): string {
  const text = readFileSync(join(root, 'src', path), 'utf8')
    .replace(/^import [\s\S]*?from ['"][^'"]+['"]\n/gm, '')
    .trimStart()
  return text.slice(0, text.startsWith('/*') ? text.indexOf('*/') : text.indexOf('\n'))
}

function resolveImport(from: string, target: string): string {
  return normalize(join(dirname(from), target))
    .split(sep)
    .join('/')
}

/** `collect` for `collect/routes.ts`, `main` for `main.ts`. */
function partOf(path: string): string {
  return path.split('/')[0]?.replace(/\.ts$/, '') ?? path
}

/** `messages` for `messages/inspector.tsx`, `router` for `router.tsx`. */
function webPartOf(path: string): string {
  return path.split('/')[0]?.replace(/\.tsx?$/, '') ?? path
}

function isTest(path: string): boolean {
  return /\.(test|conformance)\.ts$/.test(path)
}
