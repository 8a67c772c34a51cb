import { expect, test } from 'vitest'
import { z } from 'zod'
import { explainIssues, listSettings, overlayEnvironment } from './settings.ts'

/** Every kind of list and map that a setting can be, also those that none is yet. */
const Schema = z.object({
  part: z.strictObject({
    names: z.array(z.string().regex(/^[a-z]+$/, 'is not a name')).default([]),
    numbers: z.array(z.int().min(0)).default([]),
    choices: z.array(z.enum(['a', 'b'])).default([]),
    flags: z.array(z.boolean()).default([]),
    rows: z.array(z.strictObject({ id: z.int(), until: z.string().optional() })).default([]),
    weights: z.record(z.string().regex(/^[a-z]+$/), z.int()).default({}),
    titles: z.record(z.string(), z.string()).optional(),
  }),
})
const settings = listSettings(Schema, 'X_')

function read(variable: string, text: string): unknown {
  const input = overlayEnvironment({ part: {} }, settings, { [variable]: text })
  const parsed = Schema.safeParse(input)
  if (!parsed.success) return explainIssues(parsed.error, settings, input)
  const key = settings.find((one) => one.variable === variable)?.path.at(-1)
  return (parsed.data.part as Record<string, unknown>)[key ?? '']
}

test.each<[string, string, unknown]>([
  ['X_PART_NAMES', 'a, b,c', ['a', 'b', 'c']],
  ['X_PART_NAMES', '["a", "b"]', ['a', 'b']],
  ['X_PART_NAMES', ' \n["a"]\n', ['a']],
  ['X_PART_NAMES', 'a,', ['a']],
  ['X_PART_NAMES', '', []],
  ['X_PART_NAMES', '[]', []],
  ['X_PART_NUMBERS', '771,1083', [771, 1083]],
  ['X_PART_NUMBERS', '[771, 1083]', [771, 1083]],
  ['X_PART_NUMBERS', '["771", 1083]', [771, 1083]],
  ['X_PART_CHOICES', 'a,b', ['a', 'b']],
  ['X_PART_CHOICES', '["b"]', ['b']],
  ['X_PART_FLAGS', '1,false', [true, false]],
  ['X_PART_ROWS', '[{"id":1},{"id":2,"until":"x, y"}]', [{ id: 1 }, { id: 2, until: 'x, y' }]],
  ['X_PART_ROWS', '{"id":1}, {"id":2}', [{ id: 1 }, { id: 2 }]],
  ['X_PART_ROWS', '{"id":1}', [{ id: 1 }]],
  ['X_PART_ROWS', '', []],
  ['X_PART_WEIGHTS', 'a=1, b = 2', { a: 1, b: 2 }],
  ['X_PART_WEIGHTS', '{"a":1,"b":2}', { a: 1, b: 2 }],
  ['X_PART_WEIGHTS', '', {}],
  ['X_PART_TITLES', 'a=x=y', { a: 'x=y' }],
])('%s=%j is read [OPS-20]', (variable, text, expected) => {
  expect(read(variable, text)).toEqual(expected)
})

test.each([
  ['X_PART_NAMES', '["a", "b"', 'part.names (X_PART_NAMES): is not a list, nor a JSON array. Allowed: a list'],
  ['X_PART_NAMES', '[a, b]', 'is not a list, nor a JSON array'],
  ['X_PART_NAMES', '"a","b"', 'is not a list, nor a JSON array'],
  ['X_PART_NAMES', 'a, B', 'part.names (X_PART_NAMES): entry 2, "B", is not a name. Allowed: a list'],
  ['X_PART_NAMES', "'a'", `entry 1, "'a'", is not a name`],
  ['X_PART_NAMES', '["a", 5]', 'entry 2, 5,'],
  ['X_PART_NAMES', '[null]', 'entry 1, null,'],
  ['X_PART_NAMES', '["a,b"]', 'entry 1, "a,b", is not a name'],
  ['X_PART_NUMBERS', '771,x', 'entry 2, "x",'],
  ['X_PART_CHOICES', '["a","c"]', 'entry 2, "c",'],
  ['X_PART_ROWS', 'id=1', 'part.rows (X_PART_ROWS): is not a list, nor a JSON array'],
  ['X_PART_ROWS', '[{"id":"1"}]', 'part.rows (X_PART_ROWS): entry 1 id, "1",'],
  ['X_PART_ROWS', '[{"id":1,"untill":"x"}]', 'part.rows (X_PART_ROWS): entry 1 Unrecognized key: "untill"'],
  ['X_PART_WEIGHTS', 'a', 'part.weights (X_PART_WEIGHTS): is not a map, nor a JSON object'],
  ['X_PART_WEIGHTS', '{"a":1', 'is not a map, nor a JSON object'],
  ['X_PART_WEIGHTS', 'a=1,a=2', 'is not a map, nor a JSON object'],
  ['X_PART_WEIGHTS', '["a"]', 'is not a map, nor a JSON object'],
  ['X_PART_WEIGHTS', 'a=x', 'part.weights (X_PART_WEIGHTS): a, "x",'],
])('%s=%j is refused with its place [OPS-20]', (variable, text, expected) => {
  const issues = read(variable, text) as string[]
  expect(issues).toHaveLength(1)
  expect(issues[0]).toContain(expected)
})
