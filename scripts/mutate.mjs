// `npm run mutate [-- --sample 200] [--seed N] [--only src/collect] [--out FILE]`: makes small breaks in src/, one at a time in
// a copy of the checkout, and looks whether the tests that name the file's requirements, or import it, turn red. Prints
// each break that none noticed, and the share that was noticed. Breaks that do not compile are not counted.
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root, setUp } from './setup.mjs'

setUp()
const { default: ts } = await import('typescript')
const { breaksOf } = await import('./mutate/breaks.mjs')
const { testsOf } = await import('./mutate/tests-of.mjs')

const { values: options } = parseArgs({
  options: {
    sample: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    only: { type: 'string', default: 'src' },
    out: { type: 'string' },
    workers: { type: 'string', default: String(Math.min(2, cpus().length)) },
  },
})
/** One run of tests ends after this; a break that makes it hang was noticed. */
const RUN_MS_MAX = 300_000
/** Programs of their own, shown to people beside the product. */
const LEFT_OUT = /\.(test|conformance|d)\.ts$|^src\/(testkit|demo)\//

const random = seeded(Number(options.seed))
const chosen = chooseBreaks(Number(options.sample))
console.log(`${chosen.length} breaks, seed ${options.seed}`)
const choose = testsOf(root)
const results = []
/** Tests that fail without any break, too. */
const isRedAnyway = new Set()
await Promise.all(Array.from({ length: Number(options.workers) }, work))
report()

/** Takes breaks until there are none left, in a copy of the checkout of its own. */
async function work() {
  const copy = mkdtempSync(join(tmpdir(), 'usher-mutate-'))
  for (const name of readdirSync(root))
    if (!['.git', 'node_modules', 'data'].includes(name))
      cpSync(join(root, name), join(copy, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  try {
    for (let one = chosen.pop(); one !== undefined; one = chosen.pop()) {
      const noticedBy = await tryBreak(copy, one)
      results.push({ ...one, noticedBy })
      if (noticedBy === undefined) console.log(`NOT NOTICED ${describe(one)}`)
      else console.log(`${results.length}. ${one.file}:${one.line} ${one.kind}: ${noticedBy}`)
    }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

/** @returns which test noticed it; undefined when none did */
async function tryBreak(copy, { file, start, end, text: instead }) {
  const source = join(copy, file)
  const compiled = join(copy, 'dist', file.replace(/^src\//, '').replace(/\.ts$/, '.js'))
  const [text, built] = [readFileSync(source, 'utf8'), readFileSync(compiled, 'utf8')]
  const broken = text.slice(0, start) + instead + text.slice(end)
  // Otherwise every break would be noticed by whatever runs what was built.
  if (compile(text).trim() !== built.replace(/\/\/# sourceMappingURL=.*/, '').trim())
    throw new Error(`${compiled} is not ${source}`)
  const run = async (files, isBroken) => {
    writeFileSync(source, isBroken ? broken : text)
    writeFileSync(compiled, isBroken ? compile(broken) : built)
    return firstRed(copy, files)
  }
  try {
    for (const files of choose(file)) {
      for (;;) {
        const steady = files.filter((one) => !isRedAnyway.has(one))
        const red = await run(steady, true)
        if (red === undefined) break
        // Red for another reason (this machine, this moment) says nothing of the break: green without it, red again with it.
        const { file: where, title } = red
        if (where === undefined || (!(await run([where], false)) && (await run([where], true)))) return title
        isRedAnyway.add(where)
      }
    }
    return undefined
  } finally {
    writeFileSync(source, text)
    writeFileSync(compiled, built)
  }
}

function compile(text) {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options: compilerOptions } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root)
  // Of a single text the compiler cannot know that it stands in a package of ECMAScript modules.
  const { ESNext } = ts.ModuleKind
  const { Bundler } = ts.ModuleResolutionKind
  const modules = { module: ESNext, moduleResolution: Bundler, sourceMap: false }
  return ts.transpileModule(text, { compilerOptions: { ...compilerOptions, ...modules } }).outputText
}

function firstRed(copy, files) {
  if (files.length === 0) return undefined
  return new Promise((resolve) => {
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
    const args = [vitest, 'run', '--bail=1', '--maxWorkers=1', '--reporter=json', ...files]
    const child = spawn(process.execPath, args, { cwd: copy, stdio: ['ignore', 'pipe', 'ignore'], detached: true })
    let said = ''
    child.stdout.on('data', (part) => {
      said += part
    })
    const timer = setTimeout(() => endGroup(child.pid), RUN_MS_MAX)
    child.once('close', (status, signal) => {
      clearTimeout(timer)
      if (status === 0) resolve(undefined)
      else resolve(signal === null ? redIn(said, copy) : { title: 'it hung' })
    })
  })
}

/** The run with all it started. */
function endGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}

function redIn(said, copy) {
  try {
    const { testResults } = JSON.parse(said.slice(said.indexOf('{"')))
    const red = testResults.find(({ status }) => status === 'failed')
    const file = red.name.replace(`${copy}/`, '')
    const title = red.assertionResults.find(({ status }) => status === 'failed')?.title ?? 'did not load'
    return { file, title: `${file}: ${title}` }
  } catch {
    return { title: 'the run failed' }
  }
}

/** A sample without repetition, each file by the number of its breaks. What the compiler refuses is drawn again. */
function chooseBreaks(count) {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .map((name) => `src/${name}`)
    .filter((name) => name.endsWith('.ts') && name.startsWith(options.only) && !LEFT_OUT.test(name))
    .sort()
  const all = files.flatMap((file) =>
    breaksOf(file, readFileSync(join(root, file), 'utf8')).map((one) => ({ file, ...one })),
  )
  const check = openCompiler(files)
  const sample = []
  while (sample.length < count && all.length > 0) {
    const [one] = all.splice(Math.floor(random() * all.length), 1)
    if (check(one)) sample.push(one)
  }
  return sample
}

/** @returns whether a break still compiles; asked of the language service, which looks at one file at a time */
function openCompiler(files) {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options: compilerOptions } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root)
  let broken = { file: '', text: '', version: 0 }
  const host = {
    getScriptFileNames: () => files.map((file) => join(root, file)),
    getScriptVersion: (path) => (path === broken.file ? String(broken.version) : '0'),
    getScriptSnapshot: (path) => {
      const text = path === broken.file ? broken.text : ts.sys.readFile(path)
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
    },
    getCurrentDirectory: () => root,
    getCompilationSettings: () => ({ ...compilerOptions, noUnusedLocals: false, noUnusedParameters: false }),
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
  }
  const service = ts.createLanguageService(host)
  return ({ file, start, end, text: instead }) => {
    const path = join(root, file)
    const text = ts.sys.readFile(path)
    broken = { file: path, text: text.slice(0, start) + instead + text.slice(end), version: broken.version + 1 }
    return service.getSyntacticDiagnostics(path).length + service.getSemanticDiagnostics(path).length === 0
  }
}

function describe({ file, line, kind, start, end, text: instead }) {
  const was = readFileSync(join(root, file), 'utf8').slice(start, end).replace(/\s+/g, ' ')
  return `${file}:${line} ${kind}: ${was.slice(0, 80)} -> ${instead.slice(0, 80)}`
}

function report() {
  const missed = results.filter(({ noticedBy }) => noticedBy === undefined)
  const share = (1 - missed.length / results.length) * 100
  console.log(`\nNot noticed (${missed.length}):`)
  for (const one of missed) console.log(`  ${describe(one)}`)
  const kinds = new Map()
  for (const { kind, noticedBy } of results) {
    const [all, red] = kinds.get(kind) ?? [0, 0]
    kinds.set(kind, [all + 1, red + (noticedBy === undefined ? 0 : 1)])
  }
  for (const [kind, [all, red]] of kinds) console.log(`${kind.padEnd(18)} ${red} of ${all}`)
  console.log(
    `\n${results.length - missed.length} of ${results.length} noticed: ${share.toFixed(1)} % (seed ${options.seed})`,
  )
  if (options.out !== undefined) writeFileSync(options.out, JSON.stringify({ seed: options.seed, results }, null, 1))
}

/** mulberry32 */
function seeded(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
