// `npm run bench [-- p7 p14]`: runs the benchmarks one after another, each in a process of its own, writes
// bench/results/<id>.json and prints a table. A file bench/p7-name.mjs exports `run()`, which resolves with a BenchResult
// (bench/result.ts), or a list of them. Exit status 1 when a limit is not kept or a benchmark fails.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { root, setUp } from './setup.mjs'

const folder = join(root, 'bench')
const [first, path, target] = process.argv.slice(2)

if (first === '--one') await runOne(path, target)
else await runAll(process.argv.slice(2).map((id) => id.toLowerCase()))

/** In the child: a benchmark may print what it likes; the result goes through a file. */
async function runOne(file, resultPath) {
  const { run } = await import(`file://${join(folder, file)}`)
  writeFileSync(resultPath, JSON.stringify([await run()].flat()))
}

async function runAll(wanted) {
  setUp()
  const files = readdirSync(folder)
    .filter((name) => /^p\d+-.*\.mjs$/.test(name))
    .sort((a, b) => numberOf(a) - numberOf(b))
  const chosen = files.filter((name) => wanted.length === 0 || wanted.includes(`p${numberOf(name)}`))
  const unknown = wanted.filter((id) => !files.some((name) => id === `p${numberOf(name)}`))
  if (unknown.length > 0) {
    console.error(
      `no such benchmark: ${unknown.join(', ')}. There are: ${files.map((name) => `p${numberOf(name)}`).join(', ')}`,
    )
    process.exit(2)
  }
  const results = []
  const failed = []
  for (const file of chosen) {
    process.stderr.write(`${file} ...\n`)
    const measured = measure(file)
    if (measured === undefined) failed.push(file)
    else results.push(...measured)
  }
  printTable(results)
  for (const file of failed) console.log(`${file}: FAILED`)
  const missed = results.filter((result) => !result.met)
  console.log(`\n${results.length - missed.length} kept, ${missed.length} missed, ${failed.length} failed`)
  if (missed.length + failed.length > 0) process.exitCode = 1
}

function measure(file) {
  const resultPath = join(tmpdir(), `usher-bench-${process.pid}.json`)
  const child = spawnSync(
    process.execPath,
    ['--expose-gc', join(root, 'scripts', 'bench.mjs'), '--one', file, resultPath],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  )
  if (child.status !== 0) return undefined
  const results = JSON.parse(readFileSync(resultPath, 'utf8'))
  rmSync(resultPath)
  mkdirSync(join(folder, 'results'), { recursive: true })
  for (const result of results) {
    const record = { ...result, measuredAt: new Date().toISOString(), machine: machine(), versions: versions() }
    writeFileSync(join(folder, 'results', `${result.id.toLowerCase()}.json`), `${JSON.stringify(record, null, 2)}\n`)
  }
  return results
}

function machine() {
  const all = cpus()
  return {
    cpu: all[0]?.model ?? 'unknown',
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform}-${process.arch}`,
  }
}

function versions() {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return { usher: version, node: process.versions.node, v8: process.versions.v8 }
}

function printTable(results) {
  const show = ({ value, unit }) =>
    `${value >= 100 ? Math.round(value).toLocaleString('en') : Number(value.toPrecision(3))} ${unit}`
  const rows = results.map((result) => [
    result.id,
    result.met ? 'kept' : 'MISSED',
    String(Number(result.ratio.toPrecision(3))),
    result.must,
    result.aim,
    show(result.ours),
    show(result.peer),
    result.what,
  ])
  const table = [['id', '', 'ratio', 'must', 'aim', 'ours', 'other side', 'what'], ...rows]
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)))
  console.log(
    `\n${table
      .map((row) =>
        row
          .map((cell, column) => cell.padEnd(widths[column]))
          .join('  ')
          .trimEnd(),
      )
      .join('\n')}`,
  )
}

function numberOf(name) {
  return Number(/^p(\d+)/.exec(name)?.[1])
}
