import { readFileSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import type { ClockDoubt, ClockRecord } from './clock-guard.ts'
import type { Moment } from './clock-moment.ts'
import { isKeptTime } from './kept-time.ts'

/** What the clock said at the end of the last run, so that a start at a wrong time is noticed; and how often it was wrong. */
export interface StoredClock extends ClockRecord {
  /** Raised whenever everything has to be judged anew, because the clock had been wrong. */
  readonly epoch: number
}

/**
 * @param onDamaged told when there is a file and it cannot be used: then this start is judged by nothing
 * @returns undefined when there is none
 */
export function readClockFile(file: string, onDamaged: (error: unknown) => void): StoredClock | undefined {
  try {
    return parse(JSON.parse(readFileSync(file, 'utf8')) as unknown)
  } catch (error) {
    // ENOTDIR: where the data directory is none is said by those who need it.
    if (!['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) onDamaged(error)
    return undefined
  }
}

/** Replaces the file; a power loss leaves the old one or the new one. */
export async function writeClockFile(file: string, { line, doubt, epoch }: StoredClock): Promise<void> {
  const next = `${file}.next`
  try {
    await using handle = await open(next, 'w', 0o600)
    await handle.writeFile(`${JSON.stringify({ line, doubt, epoch })}\n`)
    await handle.sync()
  } catch (error) {
    await rm(next, { force: true }).catch(() => {})
    throw error
  }
  await rename(next, file)
}

function parse(value: unknown): StoredClock {
  const { line, doubt, epoch } = value as Partial<StoredClock>
  if (!isMoment(line) || !Number.isSafeInteger(epoch) || !(doubt === undefined || isDoubt(doubt)))
    throw new TypeError('it holds no record of the clock')
  return { line, doubt, epoch: epoch as number }
}

function isMoment(value: Partial<Moment> | undefined): value is Moment {
  return (
    Number.isFinite(value?.wallMs) &&
    isKeptTime(value?.wallMs as number) &&
    Number.isFinite(value?.uptimeMs) &&
    typeof value?.bootId === 'string'
  )
}

function isDoubt(value: Partial<ClockDoubt>): value is ClockDoubt {
  const { trusted, leapMs, sinceMs, steadyMs } = value
  if (!isMoment(trusted) || ![leapMs, sinceMs, steadyMs].every(Number.isFinite)) return false
  return isKeptTime(sinceMs as number) && isKeptTime(Math.abs(leapMs as number)) && (steadyMs as number) >= 0
}
