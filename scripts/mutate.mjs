// `npm run mutate [-- --sample 200] [--seed N] [--only src/collect] [--tests src] [--out FILE]`: makes small breaks in src/, one at
// a time in copies of the checkout, and looks whether the tests that reach the place turn red, near ones first. Prints each break
// that none noticed, and the share that was noticed. Breaks that do not compile are not counted. With --out it goes on where an
// earlier run of the same breaks was ended.
import { fork } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root, setUp } from './setup.mjs'

setUp()
const { default: ts } = await import('typescript')
const { breaksOf } = await import('./mutate/breaks.mjs')
const { readTests } = await import('./mutate/tests-of.mjs')
const { withBreaks } = await import('./mutate/schemata.mjs')

const { values: options } = parseArgs({
  options: {
    sample: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    only: { type: 'string', default: 'src' },
    out: { type: 'string' },
    tests: { type: 'string', default: '' },
    workers: { type: 'string', default: String(Math.min(2, cpus().length)) },
  },
})
/** So long may the tests of one break take, and those of one run; one step in nearness is worth so much. */
const BREAK_MS_MAX = 120_000
const STAGE_MS = 10_000
const NEARNESS_MS = 3_000
/** A run that takes longer hangs: so much more than it took without a break. */
const SPARE_MS = 30_000
/** Programs of their own, shown to people beside the product. */
const LEFT_OUT = /\.(test|conformance|d)\.ts$|^src\/(testkit|demo)\//

const random = seeded(Number(options.seed))
const chosen = chooseBreaks(Number(options.sample)).map((one, id) => ({ ...one, id }))
console.log(`${chosen.length} breaks, seed ${options.seed}`)
const { tests: allTests, nearness } = readTests(root)
const tests = allTests.filter((file) => file.startsWith(options.tests))
/** What is kept between runs. */
const state = readState() ?? { breaks: describeAll(), reach: {}, results: [] }
const copies = Array.from({ length: Number(options.workers) }, makeCopy)
try {
  await findReach()
  const isRed = Object.keys(state.reach).filter((file) => state.reach[file].isRed)
  console.log(`Without breaks these fail here, and are left out: ${isRed.join(', ') || 'none'}`)
  const known = new Set(state.results.map(({ id }) => id))
  const queue = chosen.filter(({ id }) => !known.has(id)).map((one) => ({ one, stages: stagesOf(one) }))
  await Promise.all(copies.map((copy) => work(copy, queue)))
  report()
} finally {
  for (const copy of copies) {
    copy.end()
    rmSync(copy.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 500 })
  }
}

/** A copy of the checkout with every break in it, and a process that runs its tests. */
function makeCopy() {
  const folder = mkdtempSync(join(tmpdir(), 'usher-mutate-'))
  for (const name of readdirSync(root))
    if (!['.git', 'node_modules', 'data'].includes(name))
      cpSync(join(root, name), join(folder, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const mutant = join(folder, '.mutant')
  for (const file of new Set(chosen.map((one) => one.file))) {
    const text = readFileSync(join(folder, file), 'utf8')
    const compiled = join(folder, 'dist', file.replace(/^src\//, '').replace(/\.ts$/, '.js'))
    const built = readFileSync(compiled, 'utf8').replace(/\/\/# sourceMappingURL=.*/, '')
    // Otherwise every break would be noticed by whatever runs what was built.
    if (compile(text).trim() !== built.trim()) throw new Error(`${compiled} is not ${file}`)
    const broken = withBreaks(
      file,
      text,
      chosen.filter((one) => one.file === file),
      mutant,
    )
    writeFileSync(join(folder, file), broken)
    writeFileSync(compiled, compile(broken))
  }
  let driver
  const end = () => {
    if (driver !== undefined) endGroup(driver.pid)
    driver = undefined
  }
  const start = async () => {
    const started = fork(join(folder, 'scripts', 'mutate', 'driver.mjs'), {
      ...{ cwd: folder, stdio: 'ignore', detached: true, serialization: 'json' },
    })
    driver = started
    await new Promise((resolve, reject) => {
      started.once('message', resolve)
      started.once('exit', () => reject(new Error('the runner of tests did not start')))
    })
  }
  /** @param on what the file of the break says @returns `ms` and `red`: the first that failed, undefined when none did */
  const run = async (files, on, timeoutMs) => {
    if (driver === undefined) await start()
    writeFileSync(mutant, on)
    let timer
    const answer = await new Promise((resolve) => {
      timer = setTimeout(() => resolve({ ms: timeoutMs, red: { title: 'it hung' } }), timeoutMs)
      driver.once('message', resolve)
      driver.once('exit', () => resolve({ ms: 0, red: { title: 'the run broke off' } }))
      driver.send(files)
    })
    clearTimeout(timer)
    driver.removeAllListeners()
    if (answer.red !== undefined && answer.red.file === undefined) end()
    return answer
  }
  return { folder, run, end }
}

/** Runs every test file once without a break, in the copies side by side, and notes how long it takes and what it reaches. */
async function findReach() {
  const waiting = tests.filter((file) => state.reach[file] === undefined)
  if (waiting.length > 0) console.log(`Looking what ${waiting.length} of ${tests.length} test files reach ...`)
  await Promise.all(
    copies.map(async ({ folder, run }) => {
      const reached = join(folder, '.reached')
      for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
        writeFileSync(reached, '')
        const { ms, red } = await run([file], `reach ${reached}`, 10 * 60_000)
        const ids = [...new Set(readFileSync(reached, 'utf8').split('\n').filter(Boolean).map(Number))]
        state.reach[file] = { ms, ids, ...(red !== undefined && { isRed: true }) }
        writeState()
      }
    }),
  )
}

/**
 * Works on the queue until it is empty: one run for each break, then the next run for those that none has noticed, so that most
 * of what is noticed is known early.
 */
async function work(copy, queue) {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { one, stages } = next
    const [stage, ...others] = stages
    const noticedBy = stage === undefined ? undefined : await tryBreak(copy, one, stage)
    if (noticedBy === undefined && others.length > 0) {
      queue.push({ one, stages: others })
      continue
    }
    const isReached = Object.values(state.reach).some(({ ids }) => ids.includes(one.id))
    state.results.push({ ...one, isReached, noticedBy })
    writeState()
    if (noticedBy === undefined) console.log(`NOT NOTICED ${describe(one)}`)
    else console.log(`${state.results.length}. ${one.file}:${one.line} ${one.kind}: ${noticedBy}`)
  }
}

/** Near tests first, in runs of some seconds; those that do not fit into the time for one break are left out. */
function stagesOf({ id, file }) {
  const near = nearness(file)
  const cost = (test) => near(test) * NEARNESS_MS + state.reach[test].ms
  const files = tests
    .filter((test) => !state.reach[test].isRed && state.reach[test].ids.includes(id))
    .sort((a, b) => cost(a) - cost(b))
  const stages = []
  let totalMs = 0
  for (const test of files) {
    const { ms } = state.reach[test]
    if (totalMs > 0 && totalMs + ms > BREAK_MS_MAX) continue
    totalMs += ms
    const last = stages.at(-1)
    if (last === undefined || last.ms + ms > STAGE_MS) stages.push({ files: [test], ms })
    else {
      last.files.push(test)
      last.ms += ms
    }
  }
  return stages
}

/** @returns which test of a run noticed it; undefined when none did */
async function tryBreak({ run }, { id }, { files, ms }) {
  for (let steady = files; steady.length > 0; ) {
    const { red } = await run(steady, String(id), SPARE_MS + 4 * ms)
    if (red === undefined) return undefined
    // Red for another reason (this machine, this moment) says nothing of the break: it must be green without.
    const where = red.file === undefined ? steady : [red.file]
    const without = await run(where, 'none', SPARE_MS + 4 * ms)
    if (without.red === undefined) return `${red.file ?? where.join(' ')}: ${red.title}`
    steady = steady.filter((one) => !where.includes(one))
  }
  return undefined
}

function readState() {
  const { out: file } = options
  if (file === undefined || !existsSync(file)) return undefined
  const kept = JSON.parse(readFileSync(file, 'utf8'))
  if (kept.breaks !== describeAll())
    throw new Error(`${file} is of other breaks, or of sources that have changed since`)
  return kept
}

function writeState() {
  if (options.out !== undefined) writeFileSync(options.out, JSON.stringify(state, null, 1))
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

/** The run with all it started. */
function endGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
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

function describeAll() {
  return chosen.map(({ file, start, text }) => `${file} ${start} ${text}`).join('\n')
}

function describe({ file, line, kind, start, end, text: instead }) {
  const was = readFileSync(join(root, file), 'utf8').slice(start, end).replace(/\s+/g, ' ')
  return `${file}:${line} ${kind}: ${was.slice(0, 80)} -> ${instead.slice(0, 80)}`
}

function report() {
  const { results } = state
  const missed = results.filter(({ noticedBy }) => noticedBy === undefined)
  const share = (1 - missed.length / results.length) * 100
  console.log(`\nNot noticed (${missed.length}):`)
  for (const one of missed) console.log(`  ${one.isReached ? '' : '(no test reaches it) '}${describe(one)}`)
  const kinds = new Map()
  for (const { kind, noticedBy } of results) {
    const [all, red] = kinds.get(kind) ?? [0, 0]
    kinds.set(kind, [all + 1, red + (noticedBy === undefined ? 0 : 1)])
  }
  for (const [kind, [all, red]] of kinds) console.log(`${kind.padEnd(18)} ${red} of ${all}`)
  console.log(
    `\n${results.length - missed.length} of ${results.length} noticed: ${share.toFixed(1)} % (seed ${options.seed})`,
  )
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
