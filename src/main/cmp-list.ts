import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { ConfigError, type EdgeSettings } from '../config.ts'

/** The list as IAB Europe publishes it (`cmp-list.json`, version 2 or 3 of the address); further members are passed over. */
const File = z.object({
  lastUpdated: z.iso.datetime({ offset: true, local: true }),
  cmps: z.record(
    z.string(),
    z.object({
      id: z.int().min(1).max(4095),
      deletedDate: z.union([z.iso.datetime({ offset: true, local: true }), z.iso.date()]).nullish(),
    }),
  ),
})

/**
 * Known consent management platforms, and when each was deleted (ms epoch; null: not deleted) [COL-248].
 * @returns undefined without a file: CMPs are not judged then
 * @throws ConfigError for a file that cannot be read or is no such list
 */
export function readCmpList({
  cmpListFile: path,
}: Pick<EdgeSettings, 'cmpListFile'>): ReadonlyMap<number, number | null> | undefined {
  if (path === undefined) return undefined
  const refuse = (reason: string) =>
    new ConfigError([
      `edge.cmpListFile (USHER_EDGE_CMP_LIST_FILE): ${path} ${reason}. Allowed: the CMP list of IAB Europe as JSON, with lastUpdated and cmps`,
    ])
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw refuse(`cannot be read: ${(error as Error).message}`)
  }
  const parsed = File.safeParse(jsonOf(text))
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const where = issue?.path.join('.') ?? ''
    throw refuse(where === '' ? 'is not JSON, or no such list' : `is no such list: ${where}: ${issue?.message}`)
  }
  const cmps = Object.values(parsed.data.cmps)
  // Every string would give 313.
  if (cmps.length === 0) throw refuse('names no CMP')
  return new Map(cmps.map(({ id, deletedDate }) => [id, deletedDate == null ? null : utcMs(deletedDate)]))
}

/** Times without a zone are UTC, as the list means them. */
function utcMs(text: string): number {
  return Date.parse(/(Z|[+-][0-9]{2}:?[0-9]{2})$/.test(text) || !text.includes('T') ? text : `${text}Z`)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
