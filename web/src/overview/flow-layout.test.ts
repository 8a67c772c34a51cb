import { expect, test } from 'vitest'
import type { FlowAnswer } from '../api/shapes.ts'
import { layoutFlow, pathsThrough } from './flow-layout.ts'

const owed = { waitingUsers: 0, moreOnDisk: false, openMessages: 11 }
const delivering = { state: 'delivering', reason: null, since: null, nextAttempt: null, ...owed } as const
const flow: FlowAnswer = {
  sources: [{ dataSourceId: 1, name: 'Shop', events: 40 }],
  traits: Array.from({ length: 10 }, (_, at) => ({ sid: 100 + at, name: `Trait ${at}`, realized: 10 - at })),
  segments: [
    { sid: 7, name: 'Intenders', entered: 30 },
    { sid: 8, name: 'Nobody', entered: 0 },
  ],
  destinations: [{ destinationId: 423, name: 'Halden', acknowledged: 89, waiting: 11, dead: 0, ...delivering }],
  links: [
    { from: 'source:1', to: 'trait:100', count: 30 },
    { from: 'source:1', to: 'trait:108', count: 6 },
    { from: 'source:1', to: 'trait:109', count: 4 },
    { from: 'trait:100', to: 'segment:7', count: 30 },
    { from: 'segment:7', to: 'destination:423', count: 30 },
    { from: 'segment:99', to: 'destination:423', count: 5 },
  ],
  others: { sources: 0, traits: 0, segments: 0, destinations: 0, links: 0 },
}
const { nodes, ribbons, links } = layoutFlow(flow, 320)

test('a column shows at most seven nodes; the rest is one, with the sum of its amounts and links', () => {
  const traits = nodes.filter((node) => node.column === 'trait')
  expect(traits).toHaveLength(7)
  expect(traits.at(-1)).toMatchObject({ id: 'others:trait', amount: 4 + 3 + 2 + 1 })
  expect(traits.at(-1)?.others?.named.map(({ name }) => name)).toEqual(['Trait 6', 'Trait 7', 'Trait 8', 'Trait 9'])
  expect(links.find(({ to }) => to === 'others:trait')?.count).toBe(10)
})

test('heights of a column are as its amounts, the smallest too, and a column of any length fills the drawing', () => {
  const segments = [1, 2, 3].map((sid) => ({ sid, name: `Segment ${sid}`, entered: 1000 / 10 ** (2 * sid) }))
  for (const one of [flow, { ...flow, segments }, { ...flow, destinations: [] }]) {
    for (const column of ['source', 'trait', 'segment', 'destination'] as const) {
      const shown = layoutFlow(one, 320).nodes.filter((node) => node.column === column)
      const most = shown[0]
      if (most === undefined) continue
      for (const node of shown) {
        expect(node.height / most.height).toBeCloseTo(node.amount / most.amount, 9)
      }
      const last = shown.at(-1)
      expect(Math.max((last?.top ?? 0) + (last?.height ?? 0), (last?.labelTop ?? 0) + 32)).toBeCloseTo(320)
    }
  }
})

test('no name leaves the drawing or lies on another, and each lies at its node, also beside one that is nearly all', () => {
  const much = { ...flow, others: { ...flow.others, traits: 100_000 } }
  for (const node of layoutFlow(much, 320).nodes) {
    expect(node.labelTop + 16).toBeCloseTo(node.top + node.height / 2)
    expect(node.top).toBeGreaterThanOrEqual(0)
    expect(node.top + node.height).toBeLessThanOrEqual(320.01)
  }
  for (const node of nodes) {
    expect(node.labelTop).toBeGreaterThanOrEqual(0)
    expect(node.labelTop + 32).toBeLessThanOrEqual(320.01)
    const below = nodes.find((other) => other.column === node.column && other.labelTop > node.labelTop)
    if (below !== undefined) expect(below.labelTop).toBeGreaterThanOrEqual(node.labelTop + 31.99)
  }
  const source = nodes.find((node) => node.id === 'source:1')
  expect(source?.labelTop).toBeCloseTo(144)
})

test('the ribbons of a node fill it and never more', () => {
  const source = nodes.find((node) => node.id === 'source:1')
  const out = ribbons.filter((ribbon) => ribbon.from === 'source:1')
  expect(out.reduce((sum, ribbon) => sum + ribbon.start.height, 0)).toBeCloseTo(source?.height ?? 0)
  expect(out[0]?.start.height).toBeCloseTo((30 / 40) * (source?.height ?? 0))
})

test('a link to something unknown is left out, or is one of the others where some have no name', () => {
  expect(ribbons.some((ribbon) => ribbon.from === 'segment:99' || ribbon.from === 'others:segment')).toBe(false)
  const much = layoutFlow({ ...flow, others: { ...flow.others, segments: 70 } }, 320)
  expect(much.links.find(({ from }) => from === 'others:segment')).toMatchObject({ to: 'destination:423', count: 5 })
  expect(much.nodes.find(({ id }) => id === 'others:segment')).toMatchObject({
    amount: 70,
    others: { named: [], unnamed: 70 },
  })
})

test('a destination where more than ten and one in a hundred wait is shown as waiting, one with a few on their way is not', () => {
  const toneAt = (acknowledged: number, waiting: number) => {
    const destinations = [{ destinationId: 423, name: 'Halden', acknowledged, waiting, dead: 0, ...delivering }]
    return layoutFlow({ ...flow, destinations }, 320).nodes.find((node) => node.id === 'destination:423')?.tone
  }
  expect([toneAt(89, 11), toneAt(8, 1), toneAt(5_000, 11)]).toEqual(['waiting', 'delivered', 'delivered'])
})

test('a destination that takes nothing is never shown as delivered to, however much it took before', () => {
  const toneAt = (state: 'failing' | 'stopped' | 'paused' | 'unusable' | 'inactive') => {
    const standing = { ...delivering, state }
    const destinations = [{ destinationId: 423, name: 'Halden', acknowledged: 5_000, waiting: 1, dead: 0, ...standing }]
    return layoutFlow({ ...flow, destinations }, 320).nodes.find((node) => node.id === 'destination:423')?.tone
  }
  const states = ['failing', 'stopped', 'paused', 'unusable', 'inactive'] as const
  expect(states.map(toneAt)).toEqual(['waiting', 'waiting', 'waiting', 'waiting', 'delivered'])
})

test('a destination and the paths to it are parted as wide as its states: one of a hundred that waits takes a hundredth', () => {
  const one = { destinationId: 423, name: 'Halden', acknowledged: 97, waiting: 1, dead: 2, ...delivering }
  const { nodes, ribbons } = layoutFlow({ ...flow, destinations: [{ ...one, state: 'partial' }] }, 320)
  const node = nodes.find(({ id }) => id === 'destination:423')
  expect(node?.parts).toEqual([
    { tone: 'delivered', share: 0.97 },
    { tone: 'waiting', share: 0.01 },
    { tone: 'dead', share: 0.02 },
  ])
  const into = ribbons.filter(({ to }) => to === 'destination:423')
  expect(into.map(({ tone }) => tone)).toEqual(['delivered', 'waiting', 'dead'])
  let top = node?.top ?? 0
  for (const [at, { start, end }] of into.entries()) {
    const share = node?.parts[at]?.share ?? 0
    expect(end.top).toBeCloseTo(top)
    expect(end.height).toBeCloseTo((node?.height ?? 0) * share)
    expect(start.height / into.reduce((sum, ribbon) => sum + ribbon.start.height, 0)).toBeCloseTo(share)
    top += end.height
  }
})

test('the paths through a node leave out what does not touch it', () => {
  expect([...pathsThrough('trait:100', ribbons)].sort()).toEqual([
    'destination:423',
    'segment:7',
    'source:1',
    'trait:100',
  ])
})
