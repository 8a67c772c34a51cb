import { useState } from 'react'
import type { FlowAnswer, OverviewWindow } from '../api/shapes.ts'
import { Empty } from '../parts/answers.tsx'
import { Card } from '../parts/card.tsx'
import { useFormats, useWords } from '../words/use-words.tsx'
import { FLOW_COLUMNS, type FlowNode, type FlowRibbon, layoutFlow, pathsThrough } from './flow-layout.ts'
import { useStanding } from './use-standing.ts'

const HEIGHT = 330
/** Of the width, in percent, one of the four columns of nodes; so nothing waits for the width to be measured. */
const COLUMN_WIDTH = 16.3

/** Where they come from, and where they go. The nodes are buttons, the ribbons a drawing; the same as a table. */
export function Flow({ flow, window }: { readonly flow: FlowAnswer; readonly window: OverviewWindow }) {
  const { t } = useWords()
  const [asTable, setAsTable] = useState(false)
  const { nodes, ribbons } = layoutFlow(flow, HEIGHT)
  const unnamed = Object.values(flow.others).reduce((sum, count) => sum + count, 0)
  const isEmpty = flow.links.length === 0 && flow.sources.every(({ events }) => events === 0)
  return (
    <Card
      title={t('flow.title')}
      subtitle={t('flow.subtitle', { window })}
      className="flow"
      right={
        isEmpty ? undefined : (
          <div className="legend">
            {(['sent', 'delivered', 'waiting'] as const).map((tone) => (
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
        <Empty title={t('flow.empty')}>{t('flow.emptyWhy')}</Empty>
      ) : asTable ? (
        <FlowTable nodes={nodes} ribbons={ribbons} />
      ) : (
        <FlowDrawing flow={flow} nodes={nodes} ribbons={ribbons} />
      )}
      {unnamed > 0 && <p className="card-body dim small">{t('flow.unnamed', { count: unnamed })}</p>}
    </Card>
  )
}

interface Drawn {
  readonly nodes: readonly FlowNode[]
  readonly ribbons: readonly FlowRibbon[]
}

function FlowDrawing({ flow, nodes, ribbons }: Drawn & { readonly flow: FlowAnswer }) {
  const { t } = useWords()
  const { short, exact } = useFormats()
  const [chosen, setChosen] = useState<string | undefined>()
  const lit = chosen === undefined ? undefined : pathsThrough(chosen, ribbons)
  const leftOf = (column: string) => FLOW_COLUMNS.indexOf(column as FlowNode['column']) * ((100 - COLUMN_WIDTH) / 3)
  const columnOf = (id: string) => nodes.find((node) => node.id === id)?.column ?? 'source'
  const standingOf = useStanding()
  const says = ({ standing }: FlowNode) =>
    standing === undefined || standing.state === 'delivering' ? [] : [standingOf(standing)]
  const counts = { source: flow.sources, trait: flow.traits, segment: flow.segments, destination: flow.destinations }
  return (
    <div className="card-body">
      <div className="flow-heads" aria-hidden="true">
        {FLOW_COLUMNS.map((column) => (
          <span key={column} className="small" style={{ width: `${COLUMN_WIDTH}%` }}>
            <span className="named">{t(`flow.${column}`)}</span> {exact(counts[column].length)}
          </span>
        ))}
      </div>
      <div className="flow-drawing" style={{ height: HEIGHT }}>
        <svg viewBox={`0 0 100 ${HEIGHT}`} preserveAspectRatio="none" width="100%" height={HEIGHT} aria-hidden="true">
          {ribbons.map((ribbon) => (
            <path
              key={`${ribbon.from} ${ribbon.to}`}
              className={`link ${ribbon.tone} ${lit !== undefined && !(lit.has(ribbon.from) && lit.has(ribbon.to)) ? 'faded' : ''}`}
              d={curve(ribbon, leftOf(columnOf(ribbon.from)) + COLUMN_WIDTH, leftOf(columnOf(ribbon.to)))}
            />
          ))}
        </svg>
        {FLOW_COLUMNS.map((column) => (
          <ul key={column} aria-label={t(`flow.${column}`)}>
            {nodes
              .filter((node) => node.column === column)
              .map((node) => (
                <li key={node.id}>
                  <button
                    type="button"
                    className={`node ${node.tone} ${lit !== undefined && !lit.has(node.id) ? 'faded' : ''}`}
                    style={{
                      left: `${leftOf(column)}%`,
                      top: node.top,
                      width: `${COLUMN_WIDTH}%`,
                      height: node.height,
                    }}
                    title={[node.name, exact(node.amount), ...says(node)].join(' ')}
                    aria-pressed={chosen === node.id}
                    onClick={() => setChosen(chosen === node.id ? undefined : node.id)}
                  >
                    <span className="node-name">
                      {node.others > 0 ? t('flow.others', { count: node.others }) : node.name}
                    </span>
                    <span className="node-amount">{short(node.amount)}</span>
                    {says(node).map((state) => (
                      <span key={state} className="hidden">
                        {state}
                      </span>
                    ))}
                  </button>
                </li>
              ))}
          </ul>
        ))}
      </div>
    </div>
  )
}

function curve({ start, end }: FlowRibbon, fromX: number, toX: number): string {
  const middle = (fromX + toX) / 2
  const upper = `M${fromX},${start.top} C${middle},${start.top} ${middle},${end.top} ${toX},${end.top}`
  const startLow = start.top + start.height
  const endLow = end.top + end.height
  return `${upper} L${toX},${endLow} C${middle},${endLow} ${middle},${startLow} ${fromX},${startLow} Z`
}

function FlowTable({ nodes, ribbons }: Drawn) {
  const { t } = useWords()
  const { exact } = useFormats()
  const nameOf = (id: string) => {
    const node = nodes.find((one) => one.id === id)
    return node === undefined || node.others > 0 ? t('flow.others', { count: node?.others ?? 0 }) : node.name
  }
  return (
    <table className="rows">
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
        {ribbons.map(({ from, to, count }) => (
          <tr key={`${from} ${to}`}>
            <td>{nameOf(from)}</td>
            <td>{nameOf(to)}</td>
            <td className="right tabular">{exact(count)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
