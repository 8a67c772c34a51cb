import { useMediaQuery } from '@mantine/hooks'
import { useState } from 'react'
import type { FlowAnswer, OverviewWindow } from '../api/shapes.ts'
import { Empty } from '../parts/answers.tsx'
import { Card } from '../parts/card.tsx'
import { useFold } from '../parts/fold.tsx'
import { StandingGlyph } from '../parts/standing-glyph.tsx'
import { useStanding } from '../parts/use-standing.ts'
import { useFormats, useWords } from '../words/use-words.tsx'
import {
  FLOW_COLUMNS,
  type FlowColumn,
  type FlowLink,
  type FlowNode,
  type FlowRibbon,
  LABEL_HEIGHT,
  layoutFlow,
  OTHERS_OF,
  pathsThrough,
} from './flow-layout.ts'

const HEIGHT = 330
/** Of the width, in percent: where each column has its nodes, so that nothing waits for the width to be measured. */
const NODE_WIDTH = 0.9
const LEFT_OF = { source: 0, trait: 33, segment: 66, destination: 100 - NODE_WIDTH } as const
const NAME_WIDTH = 16
/** Pixels: of a node that is next to nothing beside another, a line is left. */
const SEEN = 2
const LISTED = 7
const OTHERS_LISTED = 24
const ROWS_SHOWN = 20
/** Below it four columns with names have no room. */
const WIDE = '(min-width: 960px)'

/** Where they come from, and where they go. The nodes are buttons, the ribbons a drawing; the same as a table. */
export function Flow({ flow, window }: { readonly flow: FlowAnswer; readonly window: OverviewWindow }) {
  const { t } = useWords()
  const [asTable, setAsTable] = useState(false)
  const isWide = useMediaQuery(WIDE, true, { getInitialValueInEffect: false })
  const { nodes, ribbons, links } = layoutFlow(flow, HEIGHT)
  const isEmpty = flow.links.length === 0 && flow.sources.every(({ events }) => events === 0)
  return (
    <Card
      title={t('flow.title')}
      subtitle={t('flow.subtitle', { window, drawn: isWide && !asTable && !isEmpty ? 'yes' : 'no' })}
      className="flow"
      right={
        isEmpty ? undefined : (
          <div className="legend">
            {!asTable &&
              (['sent', 'delivered', 'waiting', 'dead'] as const).map((tone) => (
                <span key={tone} className={tone}>
                  <i />
                  {t(`flow.${tone}`)}
                </span>
              ))}
            <button type="button" className="plain-button" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
              {asTable ? t('flow.asDrawing') : t('flow.asTable')}
            </button>
          </div>
        )
      }
    >
      {isEmpty ? (
        <Empty title={t('flow.empty')} step={<a href="/docs">{t('empty.api')}</a>}>
          {t('flow.emptyWhy')}
        </Empty>
      ) : asTable ? (
        <FlowTable nodes={nodes} links={links} isPart={flow.others.links > 0} />
      ) : isWide ? (
        <FlowDrawing flow={flow} nodes={nodes} ribbons={ribbons} />
      ) : (
        <FlowLists flow={flow} nodes={nodes} />
      )}
    </Card>
  )
}

interface Drawn {
  readonly nodes: readonly FlowNode[]
  readonly ribbons: readonly FlowRibbon[]
}

function FlowDrawing({ flow, nodes, ribbons }: Drawn & { readonly flow: FlowAnswer }) {
  const { t } = useWords()
  const [chosen, setChosen] = useState<string | undefined>()
  const lit = chosen === undefined ? undefined : pathsThrough(chosen, ribbons)
  const others = nodes.find((node) => node.id === chosen && node.others !== undefined)
  const columnOf = (id: string) => nodes.find((node) => node.id === id)?.column ?? 'source'
  const fadedAt = (...ids: readonly string[]) => (lit !== undefined && ids.some((id) => !lit.has(id)) ? 'faded' : '')
  return (
    <div className="card-body">
      <div className="flow-heads">
        {FLOW_COLUMNS.map((column) => (
          <Head key={column} flow={flow} column={column} />
        ))}
      </div>
      <div className="flow-drawing" style={{ height: HEIGHT }}>
        <svg viewBox={`0 0 100 ${HEIGHT}`} preserveAspectRatio="none" width="100%" height={HEIGHT} aria-hidden="true">
          {ribbons.map((ribbon) => (
            <path
              key={`${ribbon.from} ${ribbon.to} ${ribbon.tone}`}
              className={`link ${ribbon.tone} ${fadedAt(ribbon.from, ribbon.to)}`}
              d={curve(ribbon, LEFT_OF[columnOf(ribbon.from)] + NODE_WIDTH, LEFT_OF[columnOf(ribbon.to)])}
            />
          ))}
          {nodes.flatMap(({ id, column, parts, top, height }) => {
            const seen = Math.max(height, SEEN)
            let y = top - (seen - height) / 2
            return parts.map(({ tone, share }) => {
              const upper = y
              y += seen * share
              return (
                <rect
                  key={`${id} ${tone}`}
                  className={`node ${tone} ${fadedAt(id)}`}
                  x={LEFT_OF[column]}
                  y={upper}
                  width={NODE_WIDTH}
                  height={seen * share}
                />
              )
            })
          })}
        </svg>
        {FLOW_COLUMNS.map((column) => (
          <ul key={column} aria-label={t(`flow.${column}`)}>
            {nodes
              .filter((node) => node.column === column)
              .map((node) => (
                <li key={node.id}>
                  <NodeName
                    node={node}
                    isFaded={fadedAt(node.id) !== ''}
                    isChosen={chosen === node.id}
                    onChoose={() => setChosen(chosen === node.id ? undefined : node.id)}
                  />
                </li>
              ))}
          </ul>
        ))}
      </div>
      {others !== undefined && <OthersList key={others.id} node={others} />}
      <p className="dim small">
        {t('flow.heights')} {flow.others.links > 0 && t('flow.largestPaths')}
      </p>
    </div>
  )
}

const foldedAs = (column: FlowColumn) => (column === 'source' ? 'other' : column)

/** What a node of others stands for, once it is chosen. */
function OthersList({ node }: { readonly node: FlowNode }) {
  const { t } = useWords()
  const { exact } = useFormats()
  const { named, unnamed } = node.others ?? { named: [], unnamed: 0 }
  const { shown, fold } = useFold(named, OTHERS_LISTED, foldedAs(node.column))
  return (
    <section className="flow-others" aria-label={t(`flow.${node.column}`)}>
      <ul>
        {shown.map(({ id, name, amount }) => (
          <li key={id}>
            <span>{name}</span> <span className="dim tabular">{exact(amount)}</span>
          </li>
        ))}
      </ul>
      {fold}
      {unnamed > 0 && <Unnamed column={node.column} count={unnamed} />}
    </section>
  )
}

function Unnamed({ column, count }: { readonly column: FlowColumn; readonly count: number }) {
  const { t } = useWords()
  const { exact } = useFormats()
  return <p className="dim small">{t('flow.unnamed', { shown: exact(count), unit: t(`flow.unit.${column}`) })}</p>
}

/** What a column counts, and how many names it has. */
function Head({ flow, column }: { readonly flow: FlowAnswer; readonly column: FlowNode['column'] }) {
  const { t } = useWords()
  const { exact } = useFormats()
  const counts = { source: flow.sources, trait: flow.traits, segment: flow.segments, destination: flow.destinations }
  return (
    <span className={`flow-head small ${column}`}>
      <span className="named">{t(`flow.${column}`)}</span>{' '}
      {t('flow.names', {
        count: exact(counts[column].length),
        more: flow.others[OTHERS_OF[column]] > 0 ? 'yes' : 'no',
      })}
      <span className="dim">, {t(`flow.unit.${column}`)}</span>
    </span>
  )
}

interface NodeNameProps {
  readonly node: FlowNode
  readonly isFaded: boolean
  readonly isChosen: boolean
  readonly onChoose: () => void
}

function NodeName({ node, isFaded, isChosen, onChoose }: NodeNameProps) {
  const { t } = useWords()
  const { short, exact } = useFormats()
  const says = useSays()
  const name = useNameOf()(node)
  const isLast = node.column === 'destination'
  const edge = isLast ? 100 - NODE_WIDTH - NAME_WIDTH : LEFT_OF[node.column] + NODE_WIDTH
  return (
    <button
      type="button"
      className={`node-label ${node.tone} ${isLast ? 'last' : ''} ${isFaded ? 'faded' : ''}`}
      style={{ left: `${edge}%`, top: node.labelTop, width: `${NAME_WIDTH}%`, minHeight: LABEL_HEIGHT }}
      title={[name, exact(node.amount), t(`flow.unit.${node.column}`), ...says(node)].join(' ')}
      aria-pressed={isChosen}
      onClick={onChoose}
    >
      {node.standing !== undefined && says(node).length > 0 && <StandingGlyph state={node.standing.state} />}
      <span className="node-name">{name}</span>
      <span className="node-amount">{short(node.amount)}</span>
      {says(node).map((state) => (
        <span key={state} className="hidden">
          {state}
        </span>
      ))}
    </button>
  )
}

/** The same where four columns have no room: each a list, its bars as long as the heights are high. */
function FlowLists({ flow, nodes }: { readonly flow: FlowAnswer; readonly nodes: readonly FlowNode[] }) {
  return (
    <div className="card-body flow-lists">
      {FLOW_COLUMNS.map((column) => (
        <section key={column}>
          <h3>
            <Head flow={flow} column={column} />
          </h3>
          <FlowList column={column} nodes={nodes.filter((node) => node.column === column)} />
        </section>
      ))}
    </div>
  )
}

function FlowList({ column, nodes }: { readonly column: FlowColumn; readonly nodes: readonly FlowNode[] }) {
  const { exact } = useFormats()
  const says = useSays()
  const others = nodes.find((node) => node.others !== undefined)?.others
  const names = nodes.flatMap((node) => node.others?.named ?? [node])
  const most = Math.max(0, ...names.map(({ amount }) => amount))
  const { shown, fold } = useFold(names, LISTED, foldedAs(column))
  return (
    <>
      <ul>
        {shown.map((node) => (
          <li key={node.id} className={node.tone}>
            <span>{node.name}</span>
            <span className="tabular">{exact(node.amount)}</span>
            <i style={{ width: `${most === 0 ? 0 : (node.amount / most) * 100}%` }} />
            {says(node).map((state) => (
              <span key={state} className="small says">
                {state}
              </span>
            ))}
          </li>
        ))}
      </ul>
      {fold}
      {others !== undefined && others.unnamed > 0 && <Unnamed column={column} count={others.unnamed} />}
    </>
  )
}

/** How a destination stands, where that is worth a word. */
function useSays(): (node: Pick<FlowNode, 'standing'>) => string[] {
  const standingOf = useStanding()
  return ({ standing }) => (standing === undefined || standing.state === 'delivering' ? [] : [standingOf(standing)])
}

function useNameOf(): (node: FlowNode) => string {
  const { t } = useWords()
  return ({ column, others, name }) =>
    others === undefined
      ? name
      : t('flow.others', { of: column, count: others.named.length, more: others.unnamed > 0 ? 'yes' : 'no' })
}

function curve({ start, end }: FlowRibbon, fromX: number, toX: number): string {
  const middle = (fromX + toX) / 2
  const upper = `M${fromX},${start.top} C${middle},${start.top} ${middle},${end.top} ${toX},${end.top}`
  const startLow = start.top + start.height
  const endLow = end.top + end.height
  return `${upper} L${toX},${endLow} C${middle},${endLow} ${middle},${startLow} ${fromX},${startLow} Z`
}

interface TableProps {
  readonly nodes: readonly FlowNode[]
  readonly links: readonly FlowLink[]
  readonly isPart: boolean
}

function FlowTable({ nodes, links, isPart }: TableProps) {
  const { t } = useWords()
  const { exact } = useFormats()
  const named = useNameOf()
  const nodeOf = (id: string) => nodes.find((one) => one.id === id)
  const place = (id: string) => {
    const node = nodeOf(id)
    return node === undefined ? 0 : FLOW_COLUMNS.indexOf(node.column) * HEIGHT * 2 + node.top
  }
  const inOrder = [...links].sort((a, b) => place(a.from) - place(b.from) || b.count - a.count)
  const { shown, fold } = useFold(inOrder, ROWS_SHOWN, 'path')
  const linkedTo = (id: string) => {
    const column = nodeOf(id)?.column
    return column === undefined || column === 'source' ? 'trait' : column
  }
  const nameOf = (id: string) => {
    const node = nodeOf(id)
    return node === undefined ? id : named(node)
  }
  return (
    <>
      <table className="rows flow-table">
        <thead>
          <tr>
            <th scope="col">{t('flow.from')}</th>
            <th scope="col">{t('flow.to')}</th>
            <th scope="col" className="right">
              {t('flow.count')}
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ from, to, count }) => (
            <tr key={`${from} ${to}`}>
              <td>{nameOf(from)}</td>
              <td>{nameOf(to)}</td>
              <td className="right tabular">
                {exact(count)} <span className="dim">{t(`flow.linked.${linkedTo(to)}`)}</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {fold !== null && <p className="card-body">{fold}</p>}
      {isPart && <p className="card-body dim small">{t('flow.largestPaths')}</p>}
    </>
  )
}
