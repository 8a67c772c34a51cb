import { expect, test } from 'vitest'
import { exercise } from '../../testkit/exercise-destination.ts'
import { describeDestination } from './destination.conformance.ts'
import { destinationTypes } from './index.ts'
import { renderSettingsPage } from './settings-page.ts'

/** Those that are built, and the exercise with its one line. */
const types = [...destinationTypes, exercise]

for (const type of types) describeDestination(type)

test('each type has names of its own', () => {
  expect(new Set(types.map(({ type }) => type)).size).toBe(types.length)
  expect(new Set(types.map(({ member }) => member)).size).toBe(types.length)
  // Members of every destination.
  const taken = ['name', 'description', 'status', 'vendorId', 'mappings', 'dataExportLabels', 'destinationId']
  expect(types.filter(({ member }) => taken.includes(member))).toEqual([])
})

test('the page of settings has a part for each', () => {
  const page = renderSettingsPage(types)
  expect(page.match(/^## `\w+`$/gm)).toEqual(types.map(({ member }) => `## \`${member}\``))
  expect(page).toContain('for destinations of type `EXERCISE`')
  expect(page).toContain('| `pepper` | a text of 8 to 64 characters | **refused** |')
  expect(page).toContain('## `exercise.auth`')
})
