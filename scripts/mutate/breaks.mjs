// The small breaks of `npm run mutate`: places in a source file and what stands there instead. A break is one a tired person
// could make: a bound moved by one, a condition turned round, a call forgotten.
import ts from 'typescript'

const { SyntaxKind } = ts
const OPERATORS = new Map([
  [SyntaxKind.LessThanToken, '<='],
  [SyntaxKind.LessThanEqualsToken, '<'],
  [SyntaxKind.GreaterThanToken, '>='],
  [SyntaxKind.GreaterThanEqualsToken, '>'],
  [SyntaxKind.EqualsEqualsEqualsToken, '!=='],
  [SyntaxKind.ExclamationEqualsEqualsToken, '==='],
  [SyntaxKind.AmpersandAmpersandToken, '||'],
  [SyntaxKind.BarBarToken, '&&'],
  [SyntaxKind.PlusToken, '-'],
  [SyntaxKind.MinusToken, '+'],
  [SyntaxKind.AsteriskToken, '/'],
  [SyntaxKind.SlashToken, '*'],
])
const METHODS = new Map([
  ['some', 'every'],
  ['every', 'some'],
  ['min', 'max'],
  ['max', 'min'],
  ['startsWith', 'endsWith'],
])
/** What these say is for people and figures, not behaviour that a requirement names. */
const TALK = /^(describe|description|meta|log|debug|info|warn|error|register|stderr|stdout)$/

/**
 * @param path of a TypeScript file, for its messages only
 * @param text what it says
 * @returns `{ start, end, text, kind, line }` of each break, in order of place; offsets in characters
 */
export function breaksOf(path, text) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const found = []
  const add = (kind, node, instead) => {
    const start = node.getStart(source)
    const line = source.getLineAndCharacterOfPosition(start).line + 1
    found.push({ start, end: node.end, text: instead, kind, line })
  }
  const visit = (node) => {
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isInterfaceDeclaration(node) || isTalk(node)) return
    if (ts.isBinaryExpression(node)) {
      const instead = OPERATORS.get(node.operatorToken.kind)
      if (instead !== undefined && !isText(node)) add('operator', node.operatorToken, instead)
    } else if (ts.isNumericLiteral(node) && !ts.isPropertyName(node))
      add('number', node, `(${node.getText(source)} + 1)`)
    else if (node.kind === SyntaxKind.TrueKeyword) add('flag', node, 'false')
    else if (node.kind === SyntaxKind.FalseKeyword) add('flag', node, 'true')
    else if (ts.isPrefixUnaryExpression(node) && node.operator === SyntaxKind.ExclamationToken)
      add('negation', node, node.operand.getText(source))
    else if (ts.isIfStatement(node)) {
      add('condition', node.expression, 'true')
      add('condition', node.expression, 'false')
    } else if (ts.isExpressionStatement(node) && isEffect(node.expression)) add('call left out', node, ';')
    else if (ts.isThrowStatement(node)) add('refusal left out', node, ';')
    else if (ts.isPropertyAccessExpression(node) && ts.isCallExpression(node.parent)) {
      const instead = METHODS.get(node.name.text)
      if (instead !== undefined && node.parent.expression === node) add('method', node.name, instead)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

function isTalk(node) {
  if (!ts.isCallExpression(node)) return false
  const { expression } = node
  const name = ts.isPropertyAccessExpression(expression) ? expression.name.text : expression.getText()
  return TALK.test(name)
}

/** A `+` that joins texts is no sum. */
function isText({ left, right, operatorToken }) {
  if (operatorToken.kind !== SyntaxKind.PlusToken) return false
  return [left, right].some((side) => ts.isStringLiteralLike(side) || ts.isTemplateExpression(side))
}

function isEffect(node) {
  if (ts.isAwaitExpression(node) || ts.isVoidExpression(node)) return isEffect(node.expression)
  return ts.isCallExpression(node) && node.expression.kind !== SyntaxKind.SuperKeyword && !isTalk(node)
}
