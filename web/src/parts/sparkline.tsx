import type { Tone } from './state.tsx'

const WIDTH = 66
const HEIGHT = 30

/** The shape of a trend beside its figure, which says the number; from zero, so the area is honest. */
export function Sparkline({ values, tone }: { readonly values: readonly (number | null)[]; readonly tone: Tone }) {
  const known = values.flatMap((value, at) => (value === null ? [] : [{ value, at }]))
  if (known.length < 2) return null
  const most = Math.max(...known.map(({ value }) => value), 1e-9)
  const points = known.map(({ value, at }) => [
    (at / (values.length - 1)) * (WIDTH - 4) + 1,
    HEIGHT - 2 - (value / most) * (HEIGHT - 6),
  ])
  const line = points.map(([x, y]) => `${x?.toFixed(1)},${y?.toFixed(1)}`).join(' ')
  const [firstX] = points[0] as [number, number]
  const [lastX, lastY] = points.at(-1) as [number, number]
  return (
    <svg className={`sparkline ${tone}`} width={WIDTH} height={HEIGHT} aria-hidden="true">
      <polygon points={`${firstX},${HEIGHT} ${line} ${lastX},${HEIGHT}`} fill="currentColor" opacity={0.14} />
      <polyline points={line} fill="none" stroke="currentColor" strokeWidth={1.5} strokeLinejoin="round" />
      <circle cx={lastX} cy={lastY} r={2.2} fill="currentColor" />
    </svg>
  )
}
