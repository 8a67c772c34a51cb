// Which tests must notice a break in a file: those beside it or that import it, near ones first, and those whose titles name
// a requirement that stands in the file.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'

const ID = /\b(?:COL|INB|OUT|MAP|AUD|API|REP|SEC|OPS|CLI|MOV)-\d+\b/g
const FILES_MAX = 40

/**
 * @param root the checkout
 * @returns `(file) => stages`: lists of test files below `root`, those to try first in front. Within one list the runner
 * chooses the order.
 */
export function testsOf(root) {
  const files = ['src', 'test'].flatMap((folder) => filesBelow(root, folder))
  const texts = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]))
  const importers = new Map()
  for (const [file, text] of texts)
    for (const target of importsOf(file, text)) importers.set(target, [...(importers.get(target) ?? []), file])
  const tests = files.filter((file) => file.endsWith('.test.ts'))
  const idsOfTest = new Map(tests.map((file) => [file, idsIn(titlesOf(texts.get(file)))]))
  return (file) => {
    const distances = reach(file, importers)
    const byDistance = tests.filter((test) => distances.has(test)).sort((a, b) => distances.get(a) - distances.get(b))
    const ids = idsIn(texts.get(file) ?? '')
    const naming = tests.filter((test) => [...idsOfTest.get(test)].some((id) => ids.has(id)))
    const rest = [...new Set([...naming, ...byDistance])].filter((test) => !(distances.get(test) <= 2))
    // A file that no test imports and whose ids none names belongs to the whole server.
    if (byDistance.length + rest.length === 0) rest.push('src/main.test.ts')
    return [
      byDistance.filter((test) => distances.get(test) === 1),
      byDistance.filter((test) => distances.get(test) === 2),
      rest.filter((test) => !isInBrowser(test)),
      rest.filter(isInBrowser),
    ].map((stage) => stage.slice(0, FILES_MAX))
  }
}

/** These take the longest. */
const isInBrowser = (test) => /^test\/(ui|e2e|tag|demo)\//.test(test)

function reach(from, importers) {
  const distances = new Map([[from, 0]])
  const waiting = [from]
  for (let i = 0; i < waiting.length; i++) {
    const at = waiting[i]
    for (const next of importers.get(at) ?? []) {
      if (distances.has(next)) continue
      distances.set(next, distances.get(at) + 1)
      waiting.push(next)
    }
  }
  return distances
}

function importsOf(file, text) {
  return [...text.matchAll(/(?:from|import\()\s*['"](\.[^'"]+)['"]/g)].map(([, target]) =>
    relative('.', normalize(join(dirname(file), target))),
  )
}

/** Titles run over several lines at times: what stands within brackets behind a quote is near enough. */
const titlesOf = (text) => [...text.matchAll(/\b(?:test|it|describe)\b[\s\S]{0,400}?=>/g)].map(([part]) => part).join()
const idsIn = (text) => new Set(text.match(ID) ?? [])

function filesBelow(root, folder) {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => `${folder}/${name}`)
}
