import type { FastifyRequest } from 'fastify'
import type { ProblemBody } from '../contract.ts'
import { parseListInSlices } from '../lib/json-list.ts'
import { eachInSlices, runInSlices } from '../lib/slices.ts'
import { unstorableIssue } from '../lib/texts.ts'
import type { App } from './app.ts'
import { Problem } from './problem.ts'

const DETAILS_MAX = 20
/** Deeper than any object of ours. */
const DEPTH_MAX = 64

/**
 * Refuses what no store keeps whole, in every member of every body, in path and query, on every route: the character
 * U+0000, unpaired surrogates, and bytes that are not UTF-8. Members that reach for a prototype are refused in the same
 * walk, so that the answer names them. Source: rest-api.md API-164, security.md SEC-06, SEC-07.
 */
export function registerTextGuard(app: App): void {
  // What it would refuse besides is refused below, by its name: it would call valid JSON no JSON.
  const parse = app.getDefaultJsonParser('ignore', 'ignore')
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const text = decodeUtf8(body as Buffer)
    if (text === undefined) done(new Problem(400, 'invalid_request', 'The body is not valid UTF-8.'))
    // Clients send the type with every call, also where there is no body [API-6].
    else if (text === '') done(null, undefined)
    else
      runInSlices(parseListInSlices(text, (part) => parsedBy(parse, request, part))).then(
        (parsed) => done(null, parsed),
        (error: Error) => done(error),
      )
  })

  app.addHook('preValidation', async (request) => {
    const details: ProblemBody['details'] = []
    for (const name of undecodableNames(request.raw.url ?? ''))
      details.push({ field: name, message: `\`${name}\` is not percent-encoded UTF-8.` })
    for (const part of [request.params, request.query]) if (!isClean(part, 0)) collect(part, [], details)
    if (!(await isBodyClean(request.body))) collect(request.body, [], details)
    if (details.length > 0) throw new Problem(400, 'invalid_request', 'The request is not valid.', details)
  })
}

type Parser = ReturnType<App['getDefaultJsonParser']>

/** What the parser of the framework gives; it calls back at once. */
function parsedBy(parse: Parser, request: FastifyRequest, text: string): unknown {
  let result: { readonly error: Error | null; readonly value: unknown } | undefined
  void parse(request, text, (error, value) => {
    result = { error, value }
  })
  if (result?.error != null) throw result.error
  return result?.value
}

/** A list may have 20,000 items: events are served between them. */
async function isBodyClean(body: unknown): Promise<boolean> {
  if (!Array.isArray(body)) return isClean(body, 0)
  return (await runInSlices(eachInSlices(body, (item) => isClean(item, 1)))).every(Boolean)
}

/** The quick look at what is nearly always right: 16 MiB of a bulk request are walked without a path for each member. */
function isClean(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return unstorableIssue(value) === undefined
  if (typeof value !== 'object' || value === null) return true
  if (depth > DEPTH_MAX) return false
  for (const name in value) {
    if (unstorableIssue(name) !== undefined || prototypeIssue(name, value) !== undefined) return false
    if (!isClean((value as Readonly<Record<string, unknown>>)[name], depth + 1)) return false
  }
  return true
}

function collect(value: unknown, path: readonly string[], details: ProblemBody['details']): void {
  if (typeof value === 'string') {
    const issue = unstorableIssue(value)
    if (issue !== undefined) add(path, issue, details)
    return
  }
  if (typeof value !== 'object' || value === null) return
  if (path.length > DEPTH_MAX) {
    add(path.slice(0, 1), 'is nested too deeply', details)
    return
  }
  for (const [name, member] of Object.entries(value)) {
    if (details.length >= DETAILS_MAX) return
    const issue = unstorableIssue(name)
    const reaching = prototypeIssue(name, value)
    if (issue !== undefined) add(path, `has a member whose name ${issue}`, details)
    else if (reaching !== undefined) add([...path, name], reaching, details)
    else collect(member, [...path, name], details)
  }
}

function add(path: readonly string[], issue: string, details: ProblemBody['details']): void {
  const field = path.join('.')
  details.push({ field, message: field === '' ? `The body ${issue}.` : `\`${field}\` ${issue}.` })
}

/** Copied without care, such a member would change what every object has [SEC-06]. */
function prototypeIssue(name: string, parent: object): string | undefined {
  if (name === '__proto__') return 'is a name that no member may have'
  if (name !== 'constructor') return undefined
  const member: unknown = (parent as Readonly<Record<string, unknown>>)[name]
  const reaches = typeof member === 'object' && member !== null && Object.hasOwn(member, 'prototype')
  return reaches ? 'has the member `prototype`, which none may have' : undefined
}

/** Parameters of a query that do not decode; the framework would take them as they are written. */
function undecodableNames(url: string): string[] {
  const query = url.split('?').slice(1).join('?')
  if (!query.includes('%')) return []
  return query.split('&').flatMap((pair) => (isDecodable(pair) ? [] : [pair.split('=', 1)[0] as string]))
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function decodeUtf8(bytes: Buffer): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}
