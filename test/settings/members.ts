import { settings } from '../../src/config.ts'
import { startTestAdmin } from '../../src/testkit/start-test-admin.ts'

/** Bodies of one kind under several paths: their members are the same ones. */
const SAME_KIND: Readonly<Record<string, string>> = {
  'destinations/traits': 'destinations/mappings',
  'destinations/bulk-create': 'destinations/mappings',
}

/** Every key of the configuration. */
export function configMembers(): string[] {
  return settings.map(({ key }) => key)
}

/**
 * Every member of every request body, from the document that the routes themselves write: `datasources.idSync.url`. A
 * `PATCH` takes the members of its `PUT`.
 */
export async function bodyMembers(): Promise<string[]> {
  await using server = await startTestAdmin()
  const { body } = await server.call('GET', '/openapi.json')
  const found = new Set<string>()
  for (const [path, operations] of Object.entries(body.paths as Record<string, Record<string, Operation>>)) {
    const fixed = path.split('/').filter((part) => part !== '' && part !== 'v1' && !part.startsWith('{'))
    const kind = SAME_KIND[fixed.join('/')] ?? fixed.join('/')
    for (const { requestBody } of Object.values(operations))
      addMembers(requestBody?.content['application/json']?.schema, kind, found)
  }
  return [...found]
}

interface Operation {
  readonly requestBody?: { readonly content: Record<string, { readonly schema: Schema }> }
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
}

/** Of an object each member, or, where a member is an object itself, the members below it. */
function addMembers(schema: Schema | undefined, path: string, found: Set<string>): void {
  if (schema === undefined) return
  const choices = [schema, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]
  const objects = choices.flatMap((one) => [one, ...(one.items === undefined ? [] : [one.items])])
  const members = objects.flatMap((one) => Object.entries(one.properties ?? {}))
  for (const [name, inner] of members) {
    const member = `${path}.${name}`
    const before = found.size
    addMembers(inner, member, found)
    if (found.size === before && !hasMembers(inner)) found.add(member)
  }
}

function hasMembers(schema: Schema): boolean {
  const choices = [
    schema,
    ...(schema.anyOf ?? []),
    ...(schema.oneOf ?? []),
    ...(schema.items === undefined ? [] : [schema.items]),
  ]
  return choices.some((one) => one.properties !== undefined || (one !== schema && hasMembers(one)))
}
