import { z } from 'zod'

/**
 * Where the secrets of settings stand: wherever the schema marks a text with `secret`. `*` stands for each item of a list
 * and for each member of a record.
 */
export type SecretPath = readonly string[]

export interface SecretPlace {
  /** Dotted: `auth.keys.0.key`. */
  readonly path: string
  readonly value: unknown
  /** The list that it is in an item of: `auth.keys`; undefined: in none. */
  readonly list: string | undefined
}

export interface StoredSecret extends SecretPlace {
  readonly value: string
}

type JsonSchema = z.core.JSONSchema.JSONSchema

/** In the order of the schema. */
export function secretPathsOf(schema: z.ZodType): readonly SecretPath[] {
  const found = new Map<string, SecretPath>()
  for (const path of pathsIn(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }), []))
    found.set(path.join('.'), path)
  return [...found.values()]
}

function* pathsIn(schema: JsonSchema, path: SecretPath): Generator<SecretPath> {
  if (schema['secret'] === true) yield path
  for (const choice of [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) yield* pathsIn(choice as JsonSchema, path)
  for (const [name, inner] of Object.entries(schema.properties ?? {}))
    yield* pathsIn(inner as JsonSchema, [...path, name])
  for (const inner of [schema.items, schema.additionalProperties])
    if (typeof inner === 'object') yield* pathsIn(inner as JsonSchema, [...path, '*'])
}

/** Copies `value` along the paths, replacing what stands at their ends. */
export function mapSecrets(
  paths: readonly SecretPath[],
  value: unknown,
  replace: (place: SecretPlace) => unknown,
): unknown {
  return paths.reduce((all, path) => mapPath({ path: '', value: all, list: undefined }, path, replace), value)
}

/** All that stands where a secret may stand, whatever it is. */
export function placesOf(paths: readonly SecretPath[], value: unknown): readonly SecretPlace[] {
  const found: SecretPlace[] = []
  mapSecrets(paths, value, (place) => {
    found.push(place)
    return place.value
  })
  return found
}

/** Every secret of a configuration with its exact path. */
export function secretsIn(paths: readonly SecretPath[], config: unknown): readonly StoredSecret[] {
  return placesOf(paths, config).filter((place): place is StoredSecret => typeof place.value === 'string')
}

function mapPath(place: SecretPlace, [step, ...rest]: SecretPath, replace: (place: SecretPlace) => unknown): unknown {
  const { path, value, list } = place
  if (step === undefined) return replace(place)
  const inner = (name: string | number, item: unknown, within = list) =>
    mapPath({ path: path === '' ? `${name}` : `${path}.${name}`, value: item, list: within }, rest, replace)
  if (step === '*' && Array.isArray(value)) return value.map((item: unknown, at) => inner(at, item, path))
  if (!isObject(value)) return value
  if (step === '*') return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, inner(name, item)]))
  return Object.hasOwn(value, step) ? { ...value, [step]: inner(step, value[step]) } : value
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
