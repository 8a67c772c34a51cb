import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import ts from 'typescript'

const source = join(import.meta.dirname, '../..')
const ROOMS = ['lib', 'model', 'store']

/** The program under test as plain JavaScript in a folder of its own, so that `node` alone can run it. */
export interface CompiledWriter extends AsyncDisposable {
  readonly script: string
}

export async function compileWriter(): Promise<CompiledWriter> {
  const folder = await mkdtemp(join(tmpdir(), 'usher-writer-'))
  await symlink(join(source, '../node_modules'), join(folder, 'node_modules'))
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  for (const room of ROOMS) {
    for (const name of await readdir(join(source, room), { recursive: true })) {
      if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue
      const compilerOptions = {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.ESNext,
        rewriteRelativeImportExtensions: true,
        verbatimModuleSyntax: true,
      }
      const { outputText } = ts.transpileModule(await readFile(join(source, room, name), 'utf8'), { compilerOptions })
      const target = join(folder, room, name.replace(/\.ts$/, '.js'))
      await mkdir(dirname(target), { recursive: true })
      await writeFile(target, outputText)
    }
  }
  return {
    script: join(folder, 'store/embedded/crash-writer.conformance.js'),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

export interface WriterRun {
  readonly acknowledged: readonly number[]
  readonly refused: readonly number[]
  /** Everything it printed that is no number. */
  readonly words: readonly string[]
}

/**
 * Runs the writer and listens. @param killAfter asked after each line: true kills the process with SIGKILL
 * @param fileBytesMax largest file it may write; beyond it the system refuses
 */
export async function runWriter(
  script: string,
  args: readonly (string | number)[],
  killAfter: (lines: number, line: string) => boolean,
  fileBytesMax?: number,
): Promise<WriterRun> {
  const command = [process.execPath, script, ...args.map(String)]
  // `ulimit -f` counts blocks of 512 bytes; Node ignores the signal, so the write fails with EFBIG.
  const limited =
    fileBytesMax === undefined ? command : ['sh', '-c', `ulimit -f ${fileBytesMax / 512}; exec "$0" "$@"`, ...command]
  const [program = '', ...rest] = limited
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'] })
  const run = { acknowledged: [] as number[], refused: [] as number[], words: [] as string[] }
  let lines = 0
  // What was printed before the kill still arrives: it is in the pipe.
  for await (const line of createInterface({ input: child.stdout })) {
    lines += 1
    if (line.startsWith('+')) run.acknowledged.push(Number(line))
    else if (line.startsWith('-')) run.refused.push(-Number(line))
    else run.words.push(line)
    if (killAfter(lines, line)) child.kill('SIGKILL')
  }
  return run
}
