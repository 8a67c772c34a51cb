import { expect, test } from 'vitest'
import fc from '../testkit/properties.ts'
import { parseListInSlices } from './json-list.ts'
import { runInSlices } from './slices.ts'

const parse = (text: string, groupChars: number) => runInSlices(parseListInSlices(text, JSON.parse, groupChars))

test('a list that is parsed in groups is what JSON.parse gives', async () => {
  const spaces = fc.constantFrom(undefined, 1, '\t')
  const property = fc.asyncProperty(fc.array(fc.jsonValue()), spaces, fc.nat(60), async (list, space, groupChars) => {
    const text = `${space ?? ''}${JSON.stringify(list, null, space)}${space ?? ''}`.replace(/^1|1$/g, '\n')
    expect(await parse(text, groupChars)).toEqual(JSON.parse(text))
  })
  await fc.assert(property)
})

const judged = (judge: () => unknown) => {
  try {
    return { value: judge() }
  } catch (error) {
    return { refused: (error as Error).name }
  }
}

test('a text with a slip is refused where JSON.parse refuses it, and only there', async () => {
  const slips = fc.tuple(
    fc.array(fc.jsonValue()),
    fc.nat(),
    fc.constantFrom('', ',', '[', ']', '{', '}', '"', '\\', ' ', '1'),
  )
  const property = fc.asyncProperty(slips, fc.nat(30), async ([list, place, put], groupChars) => {
    const text = JSON.stringify(list)
    const at = place % (text.length + 1)
    const changed = `${text.slice(0, at)}${put}${text.slice(at + 1)}`
    const ours = await parse(changed, groupChars).then(
      (value) => ({ value }),
      (error: Error) => ({ refused: error.name }),
    )
    expect(ours).toEqual(judged(() => JSON.parse(changed)))
  })
  await fc.assert(property, { numRuns: 2_000 })
})

test('no group of a long list is longer than it may be by more than an item', () => {
  const text = JSON.stringify(Array.from({ length: 10_000 }, (_, n) => ({ n, text: '],[{"'.repeat(n % 9) })))
  const lengths: number[] = []
  const work = parseListInSlices(text, (group) => {
    lengths.push(group.length)
    return JSON.parse(group)
  })
  for (let step = work.next(); !step.done; step = work.next());
  expect(Math.max(...lengths)).toBeLessThan(64 * 1024 + 200)
})
