// `npm run mutate [-- --sample 200] [--seed N] [--only src/collect] [--tests src] [--reach FILE] [--out FILE]`: makes small
// breaks in src/, one at a time in copies of the checkout, and looks whether the tests that reach the place turn red, near ones
// first. Prints each break that none noticed, and the share that was noticed. Breaks that do not compile are not counted.
// With --reach, which tests reach which break is kept in a file, and read from there by a run with the same seed and sample.
import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root, setUp } from './setup.mjs'

setUp()
const { default: ts } = await import('typescript')
const { breaksOf } = await import('./mutate/breaks.mjs')
const { readTests } = await import('./mutate/tests-of.mjs')
const { prepareReach, readReach, withMarks } = await import('./mutate/reach.mjs')

const { values: options } = parseArgs({
  options: {
    sample: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    only: { type: 'string', default: 'src' },
    out: { type: 'string' },
    reach: { type: 'string' },
    tests: { type: 'string', default: '' },
    workers: { type: 'string', default: String(Math.min(2, cpus().length)) },
  },
})
/** Of all test files, once. */
const REACH_MS_MAX = 45 * 60_000
/** So long may the tests of one break take, and those of one run; one step in nearness is worth so much. */
const BREAK_MS_MAX = 120_000
const STAGE_MS = 15_000
const NEARNESS_MS = 5_000
/** Of a test whose time is not known. */
const UNKNOWN_MS = 3_000
/** What a break holds up is noticed sooner than in a run that must not fail by mistake. */
const BREAK_ARGS = ['--bail=1', '--testTimeout=30000', '--hookTimeout=30000', '--expect.poll.timeout=10000']
/** Programs of their own, shown to people beside the product. */
const LEFT_OUT = /\.(test|conformance|d)\.ts$|^src\/(testkit|demo)\//

const random = seeded(Number(options.seed))
const chosen = chooseBreaks(Number(options.sample)).map((one, id) => ({ ...one, id }))
console.log(`${chosen.length} breaks, seed ${options.seed}`)
const { tests: allTests, nearness } = readTests(root)
const tests = allTests.filter((file) => file.startsWith(options.tests))
const results = []
const copies = Array.from({ length: Number(options.workers) }, makeCopy)
try {
  console.log(`Looking which of ${tests.length} test files reach them ...`)
  const { testsOfBreak, msOfTest, isRed } = await readOrFindReach(copies)
  console.log(
    `${testsOfBreak.size} are reached. Without breaks these fail here, and are left out: ${[...isRed].join(', ') || 'none'}`,
  )
  const queue = chosen.map((one) => ({
    one,
    stages: stagesOf(one, { testsOfBreak, msOfTest, isRed }),
    isReached: testsOfBreak.has(one.id),
  }))
  await Promise.all(copies.map((copy) => work(copy, queue)))
  report()
} finally {
  for (const copy of copies) rmSync(copy, { recursive: true, force: true, maxRetries: 10, retryDelay: 500 })
}

function makeCopy() {
  const copy = mkdtempSync(join(tmpdir(), 'usher-mutate-'))
  for (const name of readdirSync(root))
    if (!['.git', 'node_modules', 'data'].includes(name))
      cpSync(join(root, name), join(copy, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

async function readOrFindReach(copies) {
  const { reach: file } = options
  if (file !== undefined && existsSync(file)) {
    const { breaks, testsOfBreak, msOfTest, isRed } = JSON.parse(readFileSync(file, 'utf8'))
    if (breaks !== describeAll()) throw new Error(`${file} is of other breaks, or of sources that have changed since`)
    return { testsOfBreak: new Map(testsOfBreak), msOfTest: new Map(msOfTest), isRed: new Set(isRed) }
  }
  const found = await findReach(copies)
  const { testsOfBreak, msOfTest, isRed } = found
  if (file !== undefined)
    writeFileSync(
      file,
      JSON.stringify({
        breaks: describeAll(),
        testsOfBreak: [...testsOfBreak],
        msOfTest: [...msOfTest],
        isRed: [...isRed],
      }),
    )
  return found
}

/** Runs every test file once, in the copies side by side, with marks where the breaks will be. */
async function findReach(copies) {
  const found = { testsOfBreak: new Map(), msOfTest: new Map(), isRed: new Set() }
  await Promise.all(
    copies.map(async (copy, at) => {
      const { folder, args } = prepareReach(copy)
      const restore = [...new Set(chosen.map(({ file }) => file))].map((file) => {
        const breaks = chosen.filter((one) => one.file === file)
        const { source, compiled, text, built } = readBoth(copy, file)
        const marked = withMarks(source, text, breaks, folder)
        writeFileSync(source, marked)
        writeFileSync(compiled, compile(marked))
        return () => {
          writeFileSync(source, text)
          writeFileSync(compiled, built)
        }
      })
      const own = tests.filter((_, n) => n % copies.length === at)
      const { said } = await runTests(copy, own, { args, timeoutMs: REACH_MS_MAX })
      for (const undo of restore) undo()
      for (const { file, ms, isGreen } of said) {
        found.msOfTest.set(file, ms)
        if (!isGreen) found.isRed.add(file)
      }
      for (const [id, files] of readReach(copy))
        found.testsOfBreak.set(id, [...(found.testsOfBreak.get(id) ?? []), ...files])
    }),
  )
  return found
}

function readBoth(copy, file) {
  const source = join(copy, file)
  const compiled = join(copy, 'dist', file.replace(/^src\//, '').replace(/\.ts$/, '.js'))
  return { source, compiled, text: readFileSync(source, 'utf8'), built: readFileSync(compiled, 'utf8') }
}

/**
 * Works on the queue until it is empty: one run for each break, then the next run for those that none has noticed, so that most
 * of what is noticed is known early.
 */
async function work(copy, queue) {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { one, stages, isReached } = next
    const [stage, ...others] = stages
    const noticedBy = stage === undefined ? undefined : await tryBreak(copy, one, stage)
    if (noticedBy === undefined && others.length > 0) {
      queue.push({ one, stages: others, isReached })
      continue
    }
    results.push({ ...one, isReached, noticedBy })
    if (noticedBy === undefined) console.log(`NOT NOTICED ${describe(one)}`)
    else console.log(`${results.length}. ${one.file}:${one.line} ${one.kind}: ${noticedBy}`)
  }
}

/** Near tests first, in runs of some seconds; those that do not fit into the time for one break are left out. */
function stagesOf({ id, file }, { testsOfBreak, msOfTest, isRed }) {
  const near = nearness(file)
  const msOf = (test) => msOfTest.get(test) ?? UNKNOWN_MS
  const cost = (test) => near(test) * NEARNESS_MS + msOf(test)
  const files = (testsOfBreak.get(id) ?? []).filter((test) => !isRed.has(test)).sort((a, b) => cost(a) - cost(b))
  const stages = []
  let totalMs = 0
  for (const test of files) {
    const ms = msOf(test)
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
async function tryBreak(copy, { file, start, end, text: instead }, { files, ms }) {
  const { source, compiled, text, built } = readBoth(copy, file)
  const broken = text.slice(0, start) + instead + text.slice(end)
  // Otherwise every break would be noticed by whatever runs what was built.
  if (compile(text).trim() !== built.replace(/\/\/# sourceMappingURL=.*/, '').trim())
    throw new Error(`${compiled} is not ${source}`)
  const run = async (files, ms, isBroken) => {
    writeFileSync(source, isBroken ? broken : text)
    writeFileSync(compiled, isBroken ? compile(broken) : built)
    return (await runTests(copy, files, { args: BREAK_ARGS, timeoutMs: 60_000 + 4 * ms })).red
  }
  try {
    for (let steady = files; steady.length > 0; ) {
      const red = await run(steady, ms, true)
      if (red === undefined) break
      // Red for another reason (this machine, this moment) says nothing of the break: it must be green without.
      const where = red.file === undefined ? steady : [red.file]
      if ((await run(where, ms, false)) === undefined) return red.title
      steady = steady.filter((one) => !where.includes(one))
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

/** @returns `red`: the first that failed, undefined when none did; `said` of each file its time and whether it is green */
function runTests(copy, files, { args, timeoutMs }) {
  return new Promise((resolve) => {
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
    // Into a file: tests print, too.
    const answer = join(copy, '.answer.json')
    rmSync(answer, { force: true })
    const json = ['--reporter=json', `--outputFile=${answer}`]
    const all = [vitest, 'run', '--maxWorkers=1', ...json, ...args, ...files]
    const child = spawn(process.execPath, all, { cwd: copy, stdio: 'ignore', detached: true })
    const timer = setTimeout(() => endGroup(child.pid), timeoutMs)
    child.once('close', (status, signal) => {
      clearTimeout(timer)
      const said = readAnswer(answer, copy)
      if (status === 0) resolve({ said })
      else resolve({ said, red: signal === null ? redIn(said) : { title: 'it hung' } })
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

function readAnswer(answer, copy) {
  try {
    const { testResults } = JSON.parse(readFileSync(answer, 'utf8'))
    return testResults.map(({ name, startTime, endTime, status, assertionResults }) => ({
      file: name.replace(`${copy}/`, ''),
      ms: endTime - startTime,
      isGreen: status === 'passed',
      red: assertionResults.find((one) => one.status === 'failed')?.title ?? 'did not load',
    }))
  } catch {
    return []
  }
}

function redIn(said) {
  const found = said.find(({ isGreen }) => !isGreen)
  return found === undefined ? { title: 'the run failed' } : { file: found.file, title: `${found.file}: ${found.red}` }
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
