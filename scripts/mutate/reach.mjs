// Which test files reach a place in src/: every chosen break gets a mark in the block it stands in, in the sources and in what
// is compiled of them, so that servers which a test starts tell of theirs too. Then each test file runs once, without breaks.
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

const FOLDER = '.reach'

/**
 * @param text of a TypeScript file
 * @param breaks `{ id, start }` of those in it, ids are whole numbers
 * @param folder where the marks are written when they are reached
 * @returns the text with a mark for each
 */
export function withMarks(path, text, breaks, folder) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const inserted = breaks.flatMap(({ id, start }) => markFor(blockAround(source, start), source, id))
  // Those further back first, so that the places in front stay where they are.
  const marked = inserted
    .sort((a, b) => b.at - a.at || a.order - b.order)
    .reduce((all, { at, mark }) => all.slice(0, at) + mark + all.slice(at), text)
  return `${marked}\n${markFunction(folder)}`
}

/** The block, arrow function without one, or file that a place is in. */
function blockAround(source, start) {
  let found = source
  const visit = (node) => {
    if (start < node.getStart(source) || start >= node.end) return
    const isBody = ts.isArrowFunction(node.parent) && node.parent.body === node
    if (ts.isBlock(node) || isBody) found = node
    ts.forEachChild(node, visit)
  }
  ts.forEachChild(source, visit)
  return found
}

function markFor(block, source, id) {
  const call = `__reached(${id})`
  if (ts.isSourceFile(block)) return [{ at: source.end, mark: `\n;${call};`, order: 0 }]
  const start = block.getStart(source)
  if (ts.isBlock(block)) return [{ at: start + 1, mark: `${call};`, order: 0 }]
  return [
    { at: start, mark: `(${call}, `, order: 0 },
    { at: block.end, mark: ')', order: 1 },
  ]
}

/** Hoisted, so that it is there before the first line. In a browser it does nothing. */
function markFunction(folder) {
  return `function __reached(id: number): void {
  const fs = (globalThis as any).process?.getBuiltinModule?.('node:fs')
  if (fs === undefined) return
  const state = ((globalThis as any).__reach ??= { seen: new Set(), test: undefined })
  if (state.seen.has(id)) return
  state.seen.add(id)
  try {
    state.test ??= fs.readFileSync(${JSON.stringify(join(folder, 'current'))}, 'utf8')
    fs.appendFileSync(${JSON.stringify(join(folder, 'reached'))}, id + ' ' + state.test + '\\n')
  } catch {}
}
`
}

/** Writes what a run with marks needs into a copy of the checkout. @returns the folder of the marks, and the runner's options */
export function prepareReach(copy) {
  const folder = join(copy, FOLDER)
  mkdirSync(folder, { recursive: true })
  // One file at a time: whatever runs belongs to the one that was begun last.
  writeFileSync(
    join(folder, 'setup.ts'),
    `import { writeFileSync } from 'node:fs'
writeFileSync(${JSON.stringify(join(folder, 'current'))}, (globalThis as any).__vitest_worker__.filepath)
;(globalThis as any).__reach = undefined
`,
  )
  writeFileSync(
    join(copy, 'vitest.reach.config.ts'),
    `import { mergeConfig } from 'vitest/config'
import usual from './vitest.config.ts'
export default mergeConfig(usual, { test: { setupFiles: ['./${FOLDER}/setup.ts'] } })
`,
  )
  appendFileSync(join(folder, 'reached'), '')
  return { folder, args: ['--config', 'vitest.reach.config.ts'] }
}

/** @returns by id of a break, the test files that reach it */
export function readReach(copy) {
  const file = join(copy, FOLDER, 'reached')
  const tests = new Map()
  for (const line of existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []) {
    const [id, path] = [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]
    if (line === '') continue
    const ofBreak = tests.get(Number(id)) ?? new Set()
    tests.set(Number(id), ofBreak.add(path.replace(`${copy}/`, '')))
  }
  return tests
}
