import type { RepairReport } from '../main.ts'

/** A damaged file; the members that are shown of `Damage` (store/damage.ts). */
interface DamageView {
  readonly file: string
  readonly kind: string
  readonly places: number
  readonly bytes: number
  readonly isLost: boolean
  readonly writes?: number
  readonly ranges: readonly {
    readonly firstPartition: number
    readonly lastPartition: number
    readonly kinds: readonly string[]
  }[]
  readonly setAside?: string
  readonly atMs?: number
}

/** What the check says at its end; the members that are shown of `VerifyReport` (store/verify.ts). */
export interface VerifyView {
  readonly records: number
  /** By what is wrong: how often, and the first samples. */
  readonly findings: Readonly<Record<string, { readonly count: number; readonly samples: readonly string[] }>>
  readonly damage: readonly DamageView[]
  /** What is wrong with the definitions. */
  readonly catalog: readonly string[]
  /** What is wrong with the keys, a sentence each. */
  readonly keys: readonly string[]
}

const RANGES_SHOWN_MAX = 5
const WHAT: Readonly<Record<string, string>> = {
  log: 'the log of what was written last',
  table: 'a table of records',
  list: 'the list of tables',
  optOuts: 'the second copy of every opt-out',
}

export function readReport(value: unknown): VerifyView {
  const { records, findings, damage = [], catalog = [], keys = [] } = value as Partial<VerifyView>
  if (typeof records !== 'number' || typeof findings !== 'object') throw new TypeError('not a report of this version')
  return { records, findings, damage, catalog, keys }
}

export function foundIn({ findings, damage, catalog, keys }: VerifyView): number {
  return (
    damage.length + catalog.length + keys.length + Object.values(findings).reduce((sum, { count }) => sum + count, 0)
  )
}

export function problems(count: number): string {
  return count === 1 ? '1 problem' : `${count} problems`
}

export function renderReport(view: VerifyView): string {
  const found = foundIn(view)
  return lines([
    `${view.records} records checked, ${found === 0 ? 'no problem found' : `${problems(found)}:`}`,
    ...problemLines(view),
  ])
}

/** @param isServerRunning it has to be stopped before a repair @param isRepaired a repair was made: what is left it cannot help */
export function adviceFor(
  view: VerifyView,
  {
    isServerRunning = false,
    isRepaired = false,
  }: { readonly isServerRunning?: boolean; readonly isRepaired?: boolean },
): string {
  const { catalog, keys } = view
  const isToRepair = foundIn(view) > catalog.length + keys.length
  const run = isServerRunning ? 'Stop the server and run' : 'Run'
  return [
    ...(keys.length > 0 ? ['No repair helps a key: put back the file as it is said above.'] : []),
    ...(catalog.length > 0 ? ['No repair helps the definitions: restore a backup.'] : []),
    ...(isToRepair ? [isRepaired ? 'Restore a backup.' : `${run}: usher verify --repair, or restore a backup.`] : []),
    'What each means: docs/damage.md',
  ].join(' ')
}

export function renderRepair({ damage, repaired, report }: RepairReport): string {
  const left = problemLines(readReport(report))
  return `${renderRepaired({ damage, repaired, report })}${left.length === 0 ? '' : lines(['Left:', ...left])}`
}

function renderRepaired({ damage, repaired, report }: RepairReport): string {
  const wrong = Object.values(repaired).reduce((sum, { count }) => sum + count, 0)
  if (damage.length + wrong === 0) return lines([`${report.records} records checked, nothing to repair in them`])
  const isLost = damage.some((one) => one.isLost)
  const mayLackOptOuts = damage.some(({ kind, ranges }) => kind !== 'table' || ranges.some(hasOptOuts))
  const kept = damage.filter(({ setAside }) => setAside !== undefined).length
  const missing = damage.length - kept
  return lines([
    `Repaired. Damaged files set aside: ${kept}; ${missing > 0 ? `missing, or shorter than they were: ${missing}; ` : ''}records and references put right: ${wrong}.`,
    ...damage.flatMap(damageLines),
    ...findingLines(repaired),
    `${report.records} records are in use.`,
    ...(isLost
      ? ['Something is lost: a backup from before the damage has it (docs/damage.md).']
      : ['Nothing is lost.']),
    ...(isLost && mayLackOptOuts
      ? ['Opt-outs were put back from opt-outs.list; those that it does not have may be lost.']
      : []),
    `${kept > 0 ? 'The damaged files are kept. ' : ''}Look at the device before you start again.`,
  ])
}

function problemLines(view: VerifyView): string[] {
  return [
    ...view.damage.flatMap(damageLines),
    ...view.keys.map((problem) => `  ${problem}`),
    ...view.catalog.map((problem) => `  catalog.sqlite, the definitions: ${problem}`),
    ...findingLines(view.findings),
  ]
}

function hasOptOuts({ kinds }: { readonly kinds: readonly string[] }): boolean {
  return kinds.includes('optOut')
}

function lines(all: readonly string[]): string {
  return `${all.join('\n')}\n`
}

function findingLines(findings: VerifyView['findings']): string[] {
  return Object.entries(findings)
    .filter(([, { count }]) => count > 0)
    .flatMap(([finding, { count, samples }]) => [
      `  ${count} ${finding.replaceAll('_', ' ')}`,
      ...samples.map((sample) => `    ${sample}`),
    ])
}

function damageLines(damage: DamageView): string[] {
  const { file, kind, places, bytes, isLost, writes, ranges, setAside, atMs } = damage
  const shown = ranges.slice(0, RANGES_SHOWN_MAX)
  return [
    `  ${file}, ${WHAT[kind] ?? kind}: ${places} damaged ${places === 1 ? 'place' : 'places'}, ${bytes} bytes; ${lossOf(isLost, writes)}`,
    ...shown.map(
      ({ firstPartition, lastPartition, kinds }) =>
        `    in partitions ${firstPartition} to ${lastPartition}: ${kinds.join(', ')}`,
    ),
    ...(ranges.length > shown.length ? [`    and ${ranges.length - shown.length} more`] : []),
    ...(atMs === undefined ? ['    in use as it is'] : [`    found ${new Date(atMs).toISOString()}`]),
    ...(setAside === undefined ? [] : [`    kept as ${setAside}`]),
  ]
}

function lossOf(isLost: boolean, writes: number | undefined): string {
  if (!isLost) return 'worked out again, nothing is lost'
  return writes === undefined ? 'what stood there is lost' : `${writes} writes of records are lost`
}
