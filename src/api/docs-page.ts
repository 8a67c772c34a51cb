/** Written out deeper, a schema is harder to read than its name. */
const DEPTH_MAX = 4

export interface OpenapiDocument {
  readonly info: { readonly version: string }
  readonly paths?: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>
  readonly components?: unknown
}

interface DocumentedOperation {
  readonly tags?: readonly string[]
  readonly summary?: string
  readonly description?: string
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly description?: string
    readonly schema?: Schema
  }[]
  readonly requestBody?: { readonly content?: Content }
  readonly responses?: Readonly<Record<string, { readonly description?: string; readonly content?: Content }>>
}

type Content = Readonly<Record<string, { readonly schema?: Schema }>>

interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly description?: string
  readonly default?: unknown
  readonly format?: string
}

export const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; }
h2 { margin-top: 3rem; border-bottom: 1px solid; }
h3 { margin: 2rem 0 0; overflow-wrap: anywhere; }
nav ul { columns: 18rem; padding-left: 1.2rem; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; font-weight: 600; padding-top: .5rem; }
th, td { text-align: left; vertical-align: top; padding: .2rem .6rem .2rem 0; border-top: 1px solid #8886; overflow-wrap: anywhere; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
.members { padding-left: 1.2rem; }
`

/** The REST API for people to read: the OpenAPI document as one page that runs no code. Source: operating.md [OPS-11]. */
export function renderDocs(document: OpenapiDocument): string {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  )
  const tags = [...new Set(operations.map(({ operation }) => operation.tags?.[0] ?? 'Others'))]
  const ofTag = (tag: string) => operations.filter(({ operation }) => (operation.tags?.[0] ?? 'Others') === tag)
  const sections = tags.map(
    (tag) =>
      `<h2 id="${anchor(tag)}">${escaped(tag)}</h2>\n${ofTag(tag)
        .map((one) => section(one, document))
        .join('\n')}`,
  )
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Usher REST API</title>
<style>${STYLE}</style>
<header><h1>Usher REST API</h1>
<p>Version ${escaped(document.info.version)}. For programs the same stands in <a href="/openapi.json">/openapi.json</a>.
Sign in with <code>Authorization: Bearer TOKEN</code>; every path is also served below <code>/api</code>. An error is a JSON
object with <code>code</code>, <code>message</code>, <code>details</code> (the members that are wrong) and
<code>requestId</code>.</p></header>
<nav aria-label="Headings"><ul>${tags.map((tag) => `<li><a href="#${anchor(tag)}">${escaped(tag)}</a></li>`).join('')}</ul></nav>
<main>
${sections.join('\n')}
</main>
</html>
`
}

interface Documented {
  readonly method: string
  readonly path: string
  readonly operation: DocumentedOperation
}

function section({ method, path, operation }: Documented, document: OpenapiDocument): string {
  const body = Object.values(operation.requestBody?.content ?? {})[0]?.schema
  const answers = Object.entries(operation.responses ?? {}).filter(([status]) => status !== 'default')
  return `<section id="${anchor(`${method} ${path}`)}">
<h3><code>${method} ${escaped(path)}</code></h3>
<p><strong>${words(operation.summary)}.</strong> ${words(operation.description)}</p>
${parameterTable(operation.parameters ?? [])}
${body === undefined ? '' : `<details><summary>Body</summary>${schemaList(body, document)}</details>`}
${answers.map(([status, { description, content }]) => answer(status, description, content, document)).join('\n')}
</section>`
}

function parameterTable(parameters: NonNullable<DocumentedOperation['parameters']>): string {
  if (parameters.length === 0) return ''
  const rows = parameters.map(
    ({ name, in: place, required, description, schema }) =>
      `<tr><th scope="row"><code>${escaped(name)}</code></th><td>${escaped(place)}${required === true ? ', required' : ''}</td><td>${typeOf(schema)}</td><td>${words(description)}</td></tr>`,
  )
  return `<table><caption>Parameters</caption>${rows.join('')}</table>`
}

function answer(
  status: string,
  description: string | undefined,
  content: Content | undefined,
  document: OpenapiDocument,
): string {
  const schema = Object.values(content ?? {})[0]?.schema
  const title = `Answer ${escaped(status)}${schema === undefined ? `: ${words(description)}` : ''}`
  return schema === undefined
    ? `<p>${title}</p>`
    : `<details><summary>${title}</summary>${schemaList(schema, document)}</details>`
}

/** Members with their types, one list in the other. */
function schemaList(schema: Schema, document: OpenapiDocument, depth = 0): string {
  const { properties, items, anyOf, oneOf, required = [] } = resolve(schema, document)
  if (items !== undefined) return `<p>A list of:</p>${schemaList(items, document, depth)}`
  const choices = anyOf ?? oneOf
  if (properties === undefined && choices !== undefined)
    return choices.map((one) => schemaList(one, document, depth)).join('<p>or</p>')
  if (properties === undefined) return `<p>${typeOf(schema)}</p>`
  const members = Object.entries(properties).map(([name, member]) => {
    const inner = innerOf(member, document)
    const below = inner === undefined || depth >= DEPTH_MAX ? '' : schemaList(inner, document, depth + 1)
    const must = required.includes(name) ? ', required' : ''
    return `<li><code>${escaped(name)}</code> ${typeOf(resolve(member, document))}${must}${described(member)}${below}</li>`
  })
  return `<ul class="members">${members.join('')}</ul>`
}

/** What has members of its own inside a member: an object, or the objects of a list. */
function innerOf(member: Schema, document: OpenapiDocument): Schema | undefined {
  const found = [member, ...(member.anyOf ?? []), ...(member.oneOf ?? [])]
    .map((one) => resolve(one, document))
    .map((one) => (one.items === undefined ? one : resolve(one.items, document)))
  return found.find((one) => one.properties !== undefined)
}

function resolve(schema: Schema, document: OpenapiDocument): Schema {
  if (schema.$ref === undefined) return schema
  const at = schema.$ref.slice(2).split('/')
  return at.reduce<unknown>((node, name) => (node as Record<string, unknown> | undefined)?.[name], document) as Schema
}

function typeOf(schema: Schema | undefined): string {
  if (schema === undefined) return ''
  const choices = schema.anyOf ?? schema.oneOf
  if (schema.enum !== undefined) return schema.enum.map((one) => `<code>${escaped(String(one))}</code>`).join(', ')
  if (schema.const !== undefined) return `<code>${escaped(String(schema.const))}</code>`
  if (choices !== undefined) return [...new Set(choices.map(typeOf))].join(' or ')
  if (schema.items !== undefined) return `list of ${typeOf(schema.items)}`
  if (schema.$ref !== undefined) return escaped(schema.$ref.split('/').at(-1) ?? '')
  const type = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? ['anything'])
  return escaped(type.join(' or ') + (schema.format === undefined ? '' : ` (${schema.format})`))
}

function described({ description, default: value }: Schema): string {
  const usual = value === undefined ? '' : ` Default <code>${escaped(JSON.stringify(value))}</code>.`
  return description === undefined ? usual : `: ${words(description)}.${usual}`
}

/** Text in which backticks mark code. */
function words(text: string | undefined): string {
  return escaped(text ?? '').replace(/`([^`]+)`/g, '<code>$1</code>')
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

function anchor(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
}
