import type { JobStore } from '../store/job-store.ts'
import type { Activity } from './activity.ts'
import { MINUTES, type NamedRows, type Row } from './minute-table.ts'

/** Keeps the counts of `Activity` over a restart: every few seconds, and at the end. */
export interface ActivityKeeper {
  /** Writes what is not written yet. */
  save(): Promise<void>
  close(): Promise<void>
}

/** Minutes in one record: small enough that writing the present one again and again costs nothing. */
const CHUNK_MINUTES = 10
const CHUNKS = MINUTES / CHUNK_MINUTES
const SAVE_EVERY_MS = 5_000

/** Counts of ten minutes; rows without any are left out. */
interface Chunk {
  /** First minute, counted from 1970. */
  readonly minute: number
  readonly rows: Readonly<Record<string, readonly number[]>>
}

/** Where every device that was counted stands; a visit changes this row anywhere, so it is written as a whole. */
interface Head {
  readonly sinceMs: number
  readonly minute: number
  readonly seen: readonly number[]
}

/** Reads what an earlier run counted, then writes at intervals. A crash loses the counts of the last five seconds. */
export async function keepActivity(
  activity: Activity,
  jobs: Pick<JobStore, 'read' | 'write'>,
  onFailed: (error: unknown) => void,
): Promise<ActivityKeeper> {
  await restore(activity, jobs)
  let written: { readonly [name: string]: number; readonly minute: number } = { minute: activity.table.minute }
  /** The earliest minute whose counts changed and are not written yet. */
  let changedFrom = Number.POSITIVE_INFINITY
  let saving: Promise<void> = Promise.resolve()

  const write = async () => {
    const { running, table, totals, sinceMs } = activity
    const next = { ...running, minute: table.minute }
    const isSame = (Object.keys(running) as (keyof typeof running)[]).every((name) => running[name] === written[name])
    if (isSame && activity.changedFrom === Number.POSITIVE_INFINITY) return
    // Of a clock that went back, what was written there last is written again.
    changedFrom = Math.min(changedFrom, written.minute, activity.changedFrom, table.minute)
    const from = Math.max(changedFrom, table.minute - MINUTES + 1)
    activity.changedFrom = Number.POSITIVE_INFINITY
    for (let chunk = chunkOf(from); chunk <= chunkOf(table.minute); chunk++)
      await jobs.write(chunkName(chunk), readChunk(activity, chunk))
    await jobs.write('activity', { sinceMs, minute: table.minute, seen: [...totals.seen] } satisfies Head)
    written = next
    changedFrom = Number.POSITIVE_INFINITY
  }
  const save = () => {
    saving = saving.then(write).catch(onFailed)
    return saving
  }
  const timer = setInterval(() => void save(), SAVE_EVERY_MS)
  timer.unref()
  return {
    save,
    async close() {
      clearInterval(timer)
      await save()
    },
  }
}

const chunkOf = (minute: number) => Math.floor(minute / CHUNK_MINUTES)
const chunkName = (chunk: number) => `activity:${chunk % CHUNKS}`

function readChunk(activity: Activity, chunk: number): Chunk {
  const minute = chunk * CHUNK_MINUTES
  const rows: Record<string, readonly number[]> = {}
  for (const [name, row] of rowsOf(activity)) {
    const counts = Array.from({ length: CHUNK_MINUTES }, (_, at) =>
      // The slots after the present minute still hold those of yesterday.
      minute + at > activity.table.minute ? 0 : (row[(minute + at) % MINUTES] as number),
    )
    if (counts.some((count) => count !== 0)) rows[name] = counts
  }
  return { minute, rows }
}

function* rowsOf({ totals, latency, named }: Activity): Generator<readonly [string, Row]> {
  for (const [name, row] of Object.entries(totals)) if (name !== 'seen') yield [`totals|${name}`, row]
  for (const [bucket, row] of latency.entries()) yield [`latency|${bucket}`, row]
  for (const [kind, names] of Object.entries(named)) {
    yield [`${kind}|`, names.others]
    for (const [name, row] of names.entries()) yield [`${kind}|${name}`, row]
  }
}

async function restore(activity: Activity, jobs: Pick<JobStore, 'read'>): Promise<void> {
  const { table, totals } = activity
  const [head, ...chunks] = await Promise.all([
    jobs.read('activity') as Promise<Head | undefined>,
    ...Array.from({ length: CHUNKS }, (_, chunk) => jobs.read(chunkName(chunk)) as Promise<Chunk | undefined>),
  ])
  if (head === undefined) return
  const isKnown = (minute: number) => minute > table.minute - MINUTES && minute <= table.minute
  activity.sinceMs = Math.min(activity.sinceMs, head.sinceMs)
  for (let minute = head.minute - MINUTES + 1; minute <= head.minute; minute++)
    if (isKnown(minute)) totals.seen[minute % MINUTES] = head.seen[minute % MINUTES] ?? 0
  for (const chunk of chunks) {
    if (chunk === undefined) continue
    for (const [name, counts] of Object.entries(chunk.rows)) {
      const row = rowNamed(activity, name)
      counts.forEach((count, at) => {
        const minute = chunk.minute + at
        if (row !== undefined && isKnown(minute)) row[minute % MINUTES] = count + (row[minute % MINUTES] as number)
      })
    }
  }
}

/** @returns undefined for a row that this version does not count */
function rowNamed({ totals, latency, named }: Activity, key: string): Row | undefined {
  const [kind = '', ...rest] = key.split('|')
  const name = rest.join('|')
  if (kind === 'totals') return totals[name as keyof typeof totals]
  if (kind === 'latency') return latency[Number(name)]
  const names = named[kind as keyof typeof named] as NamedRows<string | number> | undefined
  if (name === '') return names?.others
  return names?.of(kind === 'links' || kind === 'deadReasons' ? name : Number(name))
}
