import { useQuery } from '@tanstack/react-query'
import type { ExplainedNode, ProfileView, Trait } from '../../../src/contract.ts'
import { get } from '../api/client.ts'
import { IconCheck, IconMinus } from '../parts/icons.ts'
import { useFormats, useWords } from '../words/use-words.tsx'

type Traits = ProfileView['traits']

const DAYS_SHOWN = 5
const ASKED = { '>=': 'rule.countOf', '<=': 'rule.countMost', '==': 'rule.countExactly' } as const

/** A segment's rule, each part with its verdict; leaves say what was counted and on which days. */
export function RuleTree({ rule, traits }: { readonly rule: ExplainedNode; readonly traits: Traits }) {
  return (
    <div className="rule">
      <Node node={rule} traits={traits} isNegated={false} />
    </div>
  )
}

interface NodeProps {
  readonly node: ExplainedNode
  readonly traits: Traits
  readonly isNegated: boolean
}

function Node({ node, traits, isNegated }: NodeProps) {
  const { children = [] } = node
  return (
    <>
      {node.op === 'trait' || (node.op === 'frequency' && children.length === 0) ? (
        <Leaf node={node} traits={traits} isNegated={isNegated} />
      ) : (
        <Operator node={node} />
      )}
      {children.length > 0 && (
        <ul>
          {children.map((child, at) => (
            // Parts of a rule have no identity but their place.
            // biome-ignore lint/suspicious/noArrayIndexKey: see above
            <li key={at}>
              <Node node={child} traits={traits} isNegated={node.op === 'not'} />
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

function Mark({ holds }: { readonly holds: boolean }) {
  const { t } = useWords()
  const Icon = holds ? IconCheck : IconMinus
  return (
    <span className={`mark ${holds ? 'delivered' : 'neutral'}`}>
      <Icon size={13} aria-hidden />
      <span className="hidden">{holds ? t('rule.holds') : t('rule.fails')}</span>
    </span>
  )
}

function Operator({ node }: { readonly node: ExplainedNode }) {
  const { t } = useWords()
  return (
    <p className="node-line">
      <Mark holds={node.holds} />
      <span className="named">{t(`rule.${node.op === 'trait' ? 'frequency' : node.op}`)}</span>
      {node.op === 'frequency' && <Count node={node} />}
    </p>
  )
}

function Count({ node }: { readonly node: ExplainedNode }) {
  const { t } = useWords()
  const { count = 0, required, requiredOperator = '>=' } = node
  return (
    <span className="count tabular">
      {required === undefined
        ? t('rule.count', { count })
        : t(ASKED[requiredOperator], {
            count,
            required: Number(required),
            over: count > Number(required) ? 'yes' : 'no',
          })}
    </span>
  )
}

function Leaf({ node, traits, isNegated }: NodeProps) {
  const { t } = useWords()
  const { shortDay } = useFormats()
  const name = useTraitName(Array.isArray(node.sid) ? node.sid[0] : node.sid, traits)
  const days = node.days ?? []
  const evidence = days
    .slice(-DAYS_SHOWN)
    .map(({ day, count }) => (count === 1 ? shortDay(day) : `${shortDay(day)} (${count})`))
  return (
    <>
      <p className="node-line">
        <Mark holds={node.holds} />
        <span className={node.holds ? 'named' : 'dim'}>{name}</span>
        <Count node={node} />
      </p>
      <p className="evidence dim small">
        {node.windowDays != null &&
          `${t(node.windowOperator === '>=' ? 'rule.windowBefore' : 'rule.window', { days: node.windowDays })} `}
        {days.length > 0 &&
          // A short month that ends in a full stop ends the sentence with it.
          t('rule.on', { days: evidence.join(', '), more: Math.max(0, days.length - DAYS_SHOWN) }).replace(
            /\.\.$/,
            '.',
          )}
        {isNegated && ` ${node.holds ? t('rule.keepsOut') : t('rule.wouldKeepOut')}`}
      </p>
    </>
  )
}

/** The profile names the traits it holds; others are asked for. */
function useTraitName(sid: number | undefined, traits: Traits): string {
  const held = traits.find((trait) => trait.sid === sid)?.name
  const { data } = useQuery({
    queryKey: ['trait', sid],
    queryFn: () => get<Pick<Trait, 'name'>>(`/v1/traits/${sid}`),
    enabled: held === undefined && sid !== undefined,
    staleTime: 300_000,
  })
  return held ?? data?.name ?? String(sid)
}
