import type { FlowAnswer } from '../api/shapes.ts'
import type { Standing } from '../parts/use-standing.ts'

export type FlowTone = 'sent' | 'delivered' | 'waiting' | 'dead' | 'neutral'
export type FlowColumn = 'source' | 'trait' | 'segment' | 'destination'
export const FLOW_COLUMNS: readonly FlowColumn[] = ['source', 'trait', 'segment', 'destination']
/** What the answer calls those of a column that it does not name. */
export const OTHERS_OF = {
  source: 'sources',
  trait: 'traits',
  segment: 'segments',
  destination: 'destinations',
} as const satisfies Record<FlowColumn, keyof FlowAnswer['others']>

export interface FlowNode {
  /** `trait:100001`, or `others:trait` for those that are not drawn one by one. */
  readonly id: string
  readonly column: FlowColumn
  readonly name: string
  readonly amount: number
  /** Of its name. */
  readonly tone: FlowTone
  /** Of its height, from the top; the shares add up to 1. */
  readonly parts: readonly FlowPart[]
  /** Of a destination. */
  readonly standing: Standing | undefined
  /** Of `others:…`. */
  readonly others: Others | undefined
  readonly top: number
  readonly height: number
  /** Upper edge of its name, which lies beside its node. */
  readonly labelTop: number
}

/** Those of a column that are not drawn one by one. */
export interface Others {
  readonly named: readonly Pick<FlowNode, 'id' | 'name' | 'amount' | 'tone' | 'standing'>[]
  /** What was counted besides, under names that the answer does not have. */
  readonly unnamed: number
}

export interface FlowPart {
  readonly tone: FlowTone
  readonly share: number
}

/** One for each state of the destination it leads to. */
export interface FlowRibbon {
  readonly from: string
  readonly to: string
  readonly tone: FlowTone
  /** Upper edge and height where it leaves, and where it arrives. */
  readonly start: { readonly top: number; readonly height: number }
  readonly end: { readonly top: number; readonly height: number }
}

/** From one node to another, whatever became of it. */
export interface FlowLink {
  readonly from: string
  readonly to: string
  readonly count: number
}

interface Flow {
  readonly nodes: FlowNode[]
  readonly ribbons: FlowRibbon[]
  readonly links: FlowLink[]
}

const NODES_MAX = 7
const GAP = 6
/** Two lines of a name. */
export const LABEL_HEIGHT = 32

/**
 * Places the nodes of four columns, largest first, and the ribbons between them. The columns count different things
 * (events, realizations, entries, messages), so a node's height is its share of its column and of nothing else, and a ribbon
 * is as wide at each end as its share of that node. Example: of two traits with 30 and 10 realizations the first is three
 * times as high as the second, however little that leaves for it.
 * A path to a destination is parted as that is: what was acknowledged, what waits, what died.
 * @param height of the drawing in pixels
 */
export function layoutFlow(flow: FlowAnswer, height: number): Flow {
  const alias = new Map<string, string>()
  const nodes = FLOW_COLUMNS.flatMap((column) =>
    placeColumn(column, gather(column, amountsOf(flow, column), flow.others[OTHERS_OF[column]], alias), height),
  )
  const byId = new Map(nodes.map((node) => [node.id, node]))
  // One that has no name here is among the others, where there are any.
  const nodeOf = (id: string) => byId.get(alias.get(id) ?? id) ?? byId.get(`others:${id.split(':')[0]}`)
  const counts = new Map<string, { from: FlowNode; to: FlowNode; count: number }>()
  for (const link of flow.links) {
    const from = nodeOf(link.from)
    const to = nodeOf(link.to)
    if (from === undefined || to === undefined || link.count <= 0) continue
    const key = `${from.id} ${to.id}`
    const known = counts.get(key)
    counts.set(key, { from, to, count: link.count + (known?.count ?? 0) })
  }
  const links = [...counts.values()]
  return {
    nodes,
    ribbons: placeRibbons(links),
    links: links.map(({ from, to, count }) => ({ from: from.id, to: to.id, count })),
  }
}

type Amount = Pick<FlowNode, 'id' | 'name' | 'amount' | 'tone' | 'parts' | 'standing' | 'others'>

function amountsOf(flow: FlowAnswer, column: FlowColumn): Amount[] {
  if (column === 'source')
    return flow.sources.map((one) => amount(`source:${one.dataSourceId}`, one.name, one.events, 'sent'))
  if (column === 'trait') return flow.traits.map((one) => amount(`trait:${one.sid}`, one.name, one.realized, 'sent'))
  if (column === 'segment')
    return flow.segments.map((one) => amount(`segment:${one.sid}`, one.name, one.entered, 'sent'))
  return flow.destinations.map((one) => ({
    ...amount(
      `destination:${one.destinationId}`,
      one.name,
      one.acknowledged + one.dead + one.openMessages,
      toneOf(one),
    ),
    parts: partsOf(one),
    standing: one,
  }))
}

const amount = (id: string, name: string, value: number, tone: FlowTone): Amount => ({
  id,
  name,
  amount: value,
  tone,
  parts: [{ tone, share: 1 }],
  standing: undefined,
  others: undefined,
})

/** How it stands, else the trouble that is more than one in a hundred; otherwise delivered. */
function toneOf({ acknowledged, waiting, dead, state }: FlowAnswer['destinations'][number]): FlowTone {
  const all = acknowledged + waiting + dead
  if (state !== 'delivering' && state !== 'inactive') return 'waiting'
  if (all === 0) return 'neutral'
  if (dead / all > 0.01 && dead >= waiting) return 'dead'
  // A few are always on their way.
  return waiting > Math.max(10, all / 100) ? 'waiting' : 'delivered'
}

function partsOf({ acknowledged, waiting, dead }: FlowAnswer['destinations'][number]): FlowPart[] {
  const all = acknowledged + waiting + dead
  if (all === 0) return [{ tone: 'neutral', share: 1 }]
  const parts: FlowPart[] = [
    { tone: 'delivered', share: acknowledged / all },
    { tone: 'waiting', share: waiting / all },
    { tone: 'dead', share: dead / all },
  ]
  return parts.filter(({ share }) => share > 0)
}

/** Not more than seven in a column; the rest is one node. @param alias is told where each of the rest went */
function gather(column: FlowColumn, amounts: readonly Amount[], unnamed: number, alias: Map<string, string>): Amount[] {
  const sorted = [...amounts].sort((a, b) => b.amount - a.amount)
  if (sorted.length <= NODES_MAX && unnamed === 0) return sorted
  const rest = sorted.slice(NODES_MAX - 1)
  const id = `others:${column}`
  for (const one of rest) alias.set(one.id, id)
  const sum = rest.reduce((total, one) => total + one.amount, unnamed)
  return [...sorted.slice(0, NODES_MAX - 1), { ...amount(id, '', sum, 'neutral'), others: { named: rest, unnamed } }]
}

function placeColumn(column: FlowColumn, amounts: readonly Amount[], height: number): FlowNode[] {
  const free = height - (amounts.length - 1) * GAP
  const scale = scaleOf(
    amounts.map((one) => one.amount),
    free,
  )
  let top = 0
  return amounts.map((one) => {
    const nodeHeight = one.amount * scale
    const room = Math.max(nodeHeight, LABEL_HEIGHT)
    const middle = top + room / 2
    top += room + GAP
    return { ...one, column, top: middle - nodeHeight / 2, height: nodeHeight, labelTop: middle - LABEL_HEIGHT / 2 }
  })
}

/** Pixels of one, so that all fill the room and none has less of it than its name. */
function scaleOf(all: readonly number[], free: number): number {
  const amounts = [...all].sort((a, b) => b - a)
  for (let large = amounts.length; large > 0; large--) {
    const sum = amounts.slice(0, large).reduce((total, one) => total + one, 0)
    if (sum === 0) continue
    const scale = (free - (amounts.length - large) * LABEL_HEIGHT) / sum
    if ((amounts[large - 1] as number) * scale >= LABEL_HEIGHT) return scale
  }
  return 0
}

function placeRibbons(whole: readonly { from: FlowNode; to: FlowNode; count: number }[]): FlowRibbon[] {
  const links = whole.flatMap(({ from, to, count }) => {
    const parts = to.column === 'destination' ? to.parts : [{ tone: 'sent', share: 1 } as const]
    return parts.map(({ tone, share }, at) => ({ from, to, count: count * share, tone, at }))
  })
  const sums = new Map<string, number>()
  const add = (key: string, count: number) => sums.set(key, (sums.get(key) ?? 0) + count)
  for (const { from, to, count } of links) {
    add(`out ${from.id}`, count)
    add(`in ${to.id}`, count)
  }
  const used = new Map<string, number>()
  const take = (key: string, node: FlowNode, count: number) => {
    const offset = used.get(key) ?? 0
    const height = (count / (sums.get(key) as number)) * node.height
    used.set(key, offset + height)
    return { top: node.top + offset, height }
  }
  const byFrom = [...links].sort((a, b) => a.from.top - b.from.top || a.to.top - b.to.top || a.at - b.at)
  const ends = new Map(
    [...links]
      .sort((a, b) => a.to.top - b.to.top || a.at - b.at || a.from.top - b.from.top)
      .map((link) => [link, take(`in ${link.to.id}`, link.to, link.count)]),
  )
  return byFrom.map((link) => ({
    from: link.from.id,
    to: link.to.id,
    tone: link.tone,
    start: take(`out ${link.from.id}`, link.from, link.count),
    end: ends.get(link) as { top: number; height: number },
  }))
}

/** A node and all that lies on a path through it. @returns ids of nodes */
export function pathsThrough(id: string, ribbons: readonly FlowRibbon[]): Set<string> {
  const reached = new Set([id])
  const walk = (at: string, next: (ribbon: FlowRibbon) => readonly [string, string]) => {
    for (const ribbon of ribbons) {
      const [here, there] = next(ribbon)
      if (here !== at || reached.has(there)) continue
      reached.add(there)
      walk(there, next)
    }
  }
  walk(id, (ribbon) => [ribbon.from, ribbon.to])
  walk(id, (ribbon) => [ribbon.to, ribbon.from])
  return reached
}
