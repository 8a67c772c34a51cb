import { z } from 'zod'
import { nameIssue } from './texts.ts'

/**
 * Settings described by one zod schema: each leaf is a key of the YAML file (`edge.port`) and an environment variable
 * (`USHER_EDGE_PORT`), derived from the path so that the two cannot drift. Source: spec/operating.md [OPS-20].
 */
export interface Setting {
  readonly path: readonly string[]
  /** `edge.port` */
  readonly key: string
  /** `USHER_EDGE_PORT` */
  readonly variable: string
  readonly description: string
  /** What may stand there, in words. */
  readonly allowed: string
  readonly default: unknown
  readonly isSecret: boolean
  readonly kind: SettingKind
}

/** How a text in the environment is read; the last three hold entries. */
export type SettingKind =
  | { readonly name: 'text' | 'number' | 'switch' | 'objects' }
  | { readonly name: 'list' | 'map'; readonly of: SettingKind }

/** Every leaf of an object schema, in the order of the schema. */
export function listSettings(schema: z.ZodObject, prefix: string): Setting[] {
  const found: Setting[] = []
  const visit = (object: z.ZodObject, path: readonly string[]): void => {
    for (const [name, child] of Object.entries(object.shape)) {
      const inner = unwrap(child as z.ZodType)
      if (inner instanceof z.ZodObject) visit(inner, [...path, name])
      else found.push(describeLeaf(child as z.ZodType, inner, [...path, name], prefix))
    }
  }
  visit(schema, [])
  return found
}

/** Puts every variable that is set over the value of the file. A text that does not fit is left for the schema to refuse. */
export function overlayEnvironment(
  file: Record<string, unknown>,
  settings: readonly Setting[],
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, unknown> {
  const merged = structuredClone(file)
  for (const setting of settings) {
    const text = environment[setting.variable]
    if (text !== undefined) setAt(merged, setting.path, readText(text, setting.kind))
  }
  return merged
}

/**
 * One sentence for each value that is wrong, with the key, its variable and the allowed values; never a secret's value. What
 * `textIssues` says of a text is not said again.
 * @param input what was judged: an entry of a list is shown
 */
export function explainIssues(error: z.ZodError, settings: readonly Setting[], input: unknown): string[] {
  const places = error.issues.map(({ path }) => JSON.stringify(path))
  return error.issues.flatMap((issue, i) => {
    const value = valueAt(input, issue.path)
    if (places.indexOf(places[i] as string) < i || (typeof value === 'string' && textIssues(value).length > 0))
      return []
    const key = issue.path.filter((part) => typeof part === 'string').join('.')
    const setting = settings.find((one) => key === one.key || key.startsWith(`${one.key}.`))
    if (issue.code === 'unrecognized_keys' && setting === undefined)
      return issue.keys.map((one) => explainUnknown([...issue.path, one].join('.'), settings))
    if (setting === undefined) return [`${key === '' ? 'the file' : key}: ${issue.message}`]
    const what = `${nameEntry(issue.path.slice(setting.path.length), setting, input)}${sayIssue(issue)}`
    return [`${setting.key} (${setting.variable}): ${what}. Allowed: ${setting.allowed}`]
  })
}

/** `entry 2, "x", ` for a place inside a list or a map. */
function nameEntry(inside: readonly PropertyKey[], setting: Setting, input: unknown): string {
  if (inside.length === 0) return ''
  const [first, ...rest] = inside.map((part) => (typeof part === 'number' ? `entry ${part + 1}` : String(part)))
  const value = valueAt(input, [...setting.path, ...inside])
  const shown =
    setting.isSecret || (typeof value === 'object' && value !== null) ? '' : `, ${JSON.stringify(value) ?? 'missing'},`
  return `${[first, ...rest].join(' ')}${shown} `
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, part) => (at as Record<PropertyKey, unknown> | undefined | null)?.[part], input)
}

function sayIssue(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type' && issue.expected === 'array') return 'is not a list, nor a JSON array'
  if (issue.code === 'invalid_type' && issue.expected === 'record') return 'is not a map, nor a JSON object'
  return issue.message
}

/** A sentence for each text with a control or an unseen character: no setting needs one, and nobody would see it. */
export function textIssues(value: unknown, path: readonly string[] = []): string[] {
  if (typeof value === 'string') {
    const issue = nameIssue(value)
    return issue === undefined ? [] : [`${path.join('.')}: ${issue}`]
  }
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) => textIssues(member, [...path, name]))
}

function explainUnknown(key: string, settings: readonly Setting[]): string {
  const section = key.includes('.') ? `${key.slice(0, key.lastIndexOf('.'))}.` : ''
  const inSection = settings.map((one) => one.key).filter((one) => one.startsWith(section))
  // What lies deeper is named by its own section.
  const known = [...new Set(inSection.map((one) => section + one.slice(section.length).split('.')[0]))]
  return `${key}: unknown key${suggestion(key, known)} Allowed here: ${known.join(', ')}`
}

/** A misspelt variable would otherwise be a default that nobody chose. */
export function unknownVariables(names: readonly string[], known: readonly string[]): string[] {
  return names
    .filter((name) => !known.includes(name))
    .map((name) => {
      const meant = suggestion(name, known)
      // With 70 of them behind it, what was meant would not be seen.
      return `${name}: unknown environment variable${meant}${meant.endsWith('?') ? '' : ` Allowed: ${known.join(', ')}`}`
    })
}

/** `, did you mean x?` for the closest name that is near, or a full stop. */
function suggestion(name: string, known: readonly string[]): string {
  const ranked = known.map((one) => ({ one, distance: editDistance(name.toLowerCase(), one.toLowerCase()) }))
  const near = ranked.filter(({ one, distance }) => distance <= slipsMax(name, one))
  const [best] = near.sort((a, b) => a.distance - b.distance)
  return best === undefined ? '.' : `, did you mean ${best.one}?`
}

/** One slip in three letters, of the words in which the two differ: `USHER_NOPE` is not `USHER_HOST` misspelt. */
function slipsMax(name: string, known: string): number {
  let [at, start] = [0, 0]
  for (; at < name.length && name[at]?.toLowerCase() === known[at]?.toLowerCase(); at++)
    if (/[._]/.test(name[at] as string)) start = at + 1
  return Math.min(Math.max(Math.floor((name.length - start) / 3), 1), 3)
}

/** A Markdown table of all settings, one section for each first part of the key. */
export function renderSettings(settings: readonly Setting[]): string {
  const sections = new Map<string, Setting[]>()
  for (const setting of settings) {
    const section = setting.path.length > 1 ? (setting.path[0] as string) : 'general'
    sections.set(section, [...(sections.get(section) ?? []), setting])
  }
  return [...sections].map(([section, rows]) => `## ${section}\n\n${rows.map(renderRow).join('\n\n')}\n`).join('\n')
}

function renderRow(setting: Setting): string {
  const value = setting.default === undefined ? 'not set' : `\`${JSON.stringify(setting.default)}\``
  return `### \`${setting.key}\`\n\n${setting.description}.\n\n- environment: \`${setting.variable}\`\n- default: ${value}\n- allowed: ${setting.allowed}`
}

function describeLeaf(outer: z.ZodType, inner: z.ZodType, path: readonly string[], prefix: string): Setting {
  const json = z.toJSONSchema(outer, { io: 'input', unrepresentable: 'any' })
  const words = path.map((part) => part.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase())
  return {
    path,
    key: path.join('.'),
    variable: `${prefix}${words.join('_')}`,
    description: json.description ?? '',
    allowed: typeof json['allowed'] === 'string' ? json['allowed'] : describeAllowed(json),
    default: json.default,
    isSecret: json['secret'] === true,
    kind: kindOf(inner),
  }
}

function describeAllowed(json: z.core.JSONSchema.JSONSchema): string {
  if (json.enum !== undefined) return json.enum.join(', ')
  if (json.type === 'boolean') return 'true or false (1 or 0)'
  if (json.type === 'integer') return `a whole number from ${json.minimum ?? 'any'} to ${json.maximum ?? 'any'}`
  if (json.type === 'number') return `a number from ${json.minimum ?? 'any'} to ${json.maximum ?? 'any'}`
  if (json.type === 'array') return 'a list'
  return 'a text'
}

function kindOf(schema: z.ZodType): SettingKind {
  if (schema instanceof z.ZodNumber) return { name: 'number' }
  if (schema instanceof z.ZodBoolean) return { name: 'switch' }
  if (schema instanceof z.ZodRecord) return { name: 'map', of: kindOf(unwrap(schema.valueType as z.ZodType)) }
  if (!(schema instanceof z.ZodArray)) return { name: schema instanceof z.ZodObject ? 'objects' : 'text' }
  const entry = kindOf(unwrap(schema.element as z.ZodType))
  return entry.name === 'objects' ? entry : { name: 'list', of: entry }
}

function unwrap(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) {
    return unwrap(schema.unwrap() as z.ZodType)
  }
  return schema
}

/** What a text means; one that does not fit is left as it is. */
function readText(text: string, kind: SettingKind): unknown {
  switch (kind.name) {
    case 'number':
      return /^-?[0-9]+(\.[0-9]+)?$/.test(text.trim()) ? Number(text) : text
    case 'switch':
      return { '1': true, true: true, '0': false, false: false }[text.trim().toLowerCase()] ?? text
    case 'list':
      return readEntries(readJson(text, '[', ']') ?? readList(text), kind.of) ?? text
    case 'map':
      return readJson(text, '{', '}') ?? readMap(text, kind.of) ?? text
    case 'objects':
      return readJson(text, '[', ']') ?? readJson(`[${text}]`, '[', ']') ?? text
    default:
      return text
  }
}

/** @returns undefined for what is no JSON between these two */
function readJson(text: string, first: string, last: string): unknown {
  const trimmed = text.trim()
  if (!trimmed.startsWith(first) || !trimmed.endsWith(last)) return undefined
  try {
    return JSON.parse(trimmed) as unknown
  } catch {
    return undefined
  }
}

/** `a, b`; what has brackets around it or a quote inside was meant as JSON, and is none. */
function readList(text: string): string[] | undefined {
  return /^\s*\[.*\]\s*$|"/s.test(text) ? undefined : splitList(text)
}

/** Numbers and switches may stand there as text. */
function readEntries(entries: unknown, kind: SettingKind): unknown {
  if (!Array.isArray(entries)) return entries
  return entries.map((entry: unknown) => (typeof entry === 'string' ? readText(entry, kind) : entry))
}

/** `key=value, key=value` */
function readMap(text: string, value: SettingKind): Record<string, unknown> | undefined {
  const pairs = splitList(text).map((part) => /^([^=]+?)\s*=\s*(.*)$/s.exec(part))
  const map = Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', readText(pair?.[2] ?? '', value)]))
  // A key that stands there twice, or an entry without one, is no map that anybody meant.
  return text.includes('"') || pairs.includes(null) || Object.keys(map).length < pairs.length ? undefined : map
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function setAt(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [name, ...rest] = path as readonly [string, ...string[]]
  if (rest.length === 0) {
    target[name] = value
    return
  }
  const child = target[name]
  const section = typeof child === 'object' && child !== null ? (child as Record<string, unknown>) : {}
  target[name] = section
  setAt(section, rest, value)
}

/** Letters to change, add, leave out, or swap with their neighbour. */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const isSwap = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swap = isSwap ? (before[j - 2] as number) + 1 : Number.POSITIVE_INFINITY
      const substitution = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(swap, substitution, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    before = row
    row = next
  }
  return row[b.length] as number
}
