// All chosen breaks of a file in one text: each place asks whether it is the one that is broken now, so that nothing is compiled
// and loaded anew for each break. Which one it is stands in a file, which every process reads once: tests start servers.
import ts from 'typescript'

/**
 * @param path of a TypeScript file, for its messages only
 * @param text what it says
 * @param breaks `{ id, start, end, text }` of those in it, ids are whole numbers
 * @param mutant the file that says which break is on: its id, or `reach FILE`: none, and the ids of all that are reached go there
 * @returns the text with every break in it
 */
export function withBreaks(path, text, breaks, mutant) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const places = breaks.map((one) => placeOf(source, one)).sort((a, b) => a.from - b.from || b.to - a.to)
  return `${render(text, 0, text.length, places)}\n${askFunction(mutant)}`
}

/** The expression or statement that a break changes, and the text for either case. */
function placeOf(source, { id, start, end, text: instead }) {
  const node = nodeAt(source, start, end, instead === ';')
  const from = node.getStart(source)
  const to = node.end
  const broken = source.text.slice(from, start) + instead + source.text.slice(end, to)
  if (ts.isStatement(node)) return { from, to, wrap: (whole) => `{ if (!__on(${id})) { ${whole} } }` }
  // A method is called by its name, so that a chain of calls stays one.
  if (ts.isPropertyAccessExpression(node.parent) && node.parent.name === node) {
    const { questionDotToken, expression } = node.parent
    const name = `[__on(${id}) ? '${instead}' : '${node.text}']`
    return { from: expression.end, to, wrap: () => `${questionDotToken === undefined ? '' : '?.'}${name}` }
  }
  return { from, to, wrap: (whole) => `(__on(${id}) ? (${broken}) : (${whole}))` }
}

/** The node that has these ends; of an operator the whole expression. A statement ends with its expression at times. */
function nodeAt(source, start, end, isStatement) {
  let found
  const visit = (node) => {
    if (node.getStart(source) > start || node.end < end) return
    const isMeant = !isStatement || ts.isStatement(node)
    if (node.getStart(source) === start && node.end === end && isMeant) found = node
    ts.forEachChild(node, visit)
  }
  visit(source)
  if (found === undefined) throw new Error(`nothing in ${source.fileName} begins at ${start} and ends at ${end}`)
  return ts.isBinaryExpression(found.parent) && found.parent.operatorToken === found ? found.parent : found
}

/** Outer places first; those within stay in what is not broken. */
function render(text, from, to, places) {
  let rendered = ''
  let at = from
  for (let i = 0; i < places.length; ) {
    const place = places[i]
    let next = i + 1
    while (next < places.length && places[next].from < place.to) next += 1
    rendered += text.slice(at, place.from) + place.wrap(render(text, place.from, place.to, places.slice(i + 1, next)))
    at = place.to
    i = next
  }
  return rendered + text.slice(at, to)
}

/** Hoisted, so that it is there before the first line. In a browser nothing is on. */
function askFunction(mutant) {
  return `function __on(id: number): boolean {
  const all = globalThis as any
  if (all.__mutant === undefined) {
    const fs = all.process?.getBuiltinModule?.('node:fs')
    let said = ''
    try {
      said = fs?.readFileSync(${JSON.stringify(mutant)}, 'utf8') ?? ''
    } catch {}
    const [word, file] = said.split(' ')
    all.__mutant = { id: Number(word || -1), seen: word === 'reach' ? new Set() : undefined, file, fs }
  }
  const { id: on, seen, file, fs } = all.__mutant
  if (seen !== undefined && !seen.has(id)) {
    seen.add(id)
    try {
      fs.appendFileSync(file, id + '\\n')
    } catch {}
  }
  return on === id
}
`
}
