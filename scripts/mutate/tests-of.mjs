// How near a test file is to a source file: tests beside it or that import it, and those whose titles name a requirement that
// stands in the file.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'

/** Of a test that comes to a file by way of a program it starts. */
const FAR = 10
const ID = /\b(?:COL|INB|OUT|MAP|AUD|API|REP|SEC|OPS|CLI|MOV)-\d+\b/g
/**
 * @param root the checkout
 * @returns all test files, and `nearness(file)`: how near each is to a source file; 0 names it or imports it
 */
export function readTests(root) {
  const files = ['src', 'test'].flatMap((folder) => filesBelow(root, folder))
  const texts = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]))
  const importers = new Map()
  for (const [file, text] of texts)
    for (const target of importsOf(file, text)) importers.set(target, [...(importers.get(target) ?? []), file])
  const tests = files.filter((file) => file.endsWith('.test.ts'))
  const idsOfTest = new Map(tests.map((file) => [file, idsIn(titlesOf(texts.get(file)))]))
  const nearness = (file) => {
    const distances = reach(file, importers)
    const ids = idsIn(texts.get(file) ?? '')
    return (test) => {
      const isNamed = [...(idsOfTest.get(test) ?? [])].some((id) => ids.has(id))
      return Math.min((distances.get(test) ?? FAR) - 1, isNamed ? 1 : FAR)
    }
  }
  return { tests, nearness }
}

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
