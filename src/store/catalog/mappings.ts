import type { Kysely, Transaction } from 'kysely'
import type { Mapping } from '../../model/definitions.ts'
import type { DestinationId, MappingId, SegmentId } from '../../model/ids.ts'
import { type Authorship, type Connection, createdBy, readAuthorship, updatedBy } from './connection.ts'
import { takeIds } from './ids.ts'
import { type Listing, type ListOptions, listRows } from './listing.ts'
import { checkMappings } from './mapping-checks.ts'
import { notFound } from './refusal.ts'
import { mustBeOf, revise } from './revise.ts'
import type { AuthoredRow, MappingRow, Tables } from './tables.ts'

export interface MappingDraft {
  readonly segmentId: number
  /** undefined: the segment's id [OUT-48]. */
  readonly value: string | undefined
  readonly startDay: number
  readonly endDay: number | undefined
}

/** A mapping with what its list shows of the segment [API-90]. */
export interface StoredMapping extends Mapping, Authorship {
  readonly segmentName: string
  readonly segmentDescription: string | undefined
  readonly segmentStatus: string
}

const SORTS = {
  destinationMappingId: { column: 'mapping_id', type: 'number' },
  sid: { column: 'mappings.segment_id', type: 'number' },
  elementName: { column: 'segments.name', type: 'text' },
  traitAlias: { column: 'value', type: 'text' },
  startDate: { column: 'start_day', type: 'number' },
  endDate: { column: 'end_day', type: 'number' },
} as const
/** Rows written at a time: one request may bring 20,000, and others wait meanwhile. */
const CHUNK = 500
/** Of one destination. */
const FORMER_ALIASES_MAX = 10_000
const SEARCHED = ['mapping_id', 'mappings.segment_id', 'value', 'segments.name', 'segments.description']

export type MappingRepository = ReturnType<typeof createMappings>

export function createMappings({ db, change }: Connection) {
  const get = async (id: number, destinationId?: number): Promise<StoredMapping> =>
    readMapping(await requireMapping(db, id, destinationId))

  /** @param revision what the draft was made from, if from anything */
  const write = (
    id: number,
    destinationId: number | undefined,
    draft: MappingDraft,
    author: number,
    revision?: number,
  ): Promise<StoredMapping> =>
    change(async (tx, nowMs) => {
      const previous = await requireMapping(tx, id, destinationId)
      mustBeOf(revision, previous)
      await raiseMappingVersion(tx, previous.destination_id)
      await checkMappings(tx, [{ ...previous, ...columnsOf(draft) }])
      await tx
        .updateTable('mappings')
        .set({ ...columnsOf(draft), ...updatedBy(author, nowMs) })
        .where('mapping_id', '=', id)
        .execute()
      return readMapping(await requireMapping(tx, id, destinationId))
    })

  return {
    /** @throws CatalogRefusal not_found, also when the mapping belongs to another destination than the one given */
    get,

    list(destinationId: number, options: ListOptions<keyof typeof SORTS> = {}): Listing<StoredMapping> {
      const query = selectMappings(db).where('mappings.destination_id', '=', destinationId)
      return listRows(query, { id: 'mapping_id', sorts: SORTS, searched: SEARCHED }, options, readMapping)
    },

    /** All of them or none. @returns them in the order of `drafts` */
    create: (destinationId: number, drafts: readonly MappingDraft[], author: number): Promise<StoredMapping[]> =>
      change(async (tx, nowMs) => {
        await raiseMappingVersion(tx, destinationId)
        const ids = await takeIds(tx, 'mappings', drafts.length)
        const created: StoredMapping[] = []
        for (let start = 0; start < drafts.length; start += CHUNK) {
          const rows = drafts.slice(start, start + CHUNK).map((draft, at) => ({
            mapping_id: ids[start + at] as number,
            destination_id: destinationId,
            ...columnsOf(draft),
            ...createdBy(author, nowMs),
          }))
          await checkMappings(tx, rows)
          await tx.insertInto('mappings').values(rows).execute()
          const mine = rows.map((row) => row.mapping_id)
          const stored = selectMappings(tx).where('mapping_id', 'in', mine).orderBy('mapping_id')
          for (const row of await stored.execute()) created.push(readMapping(row))
        }
        return created
      }),

    replace: (
      id: number,
      destinationId: number | undefined,
      draft: MappingDraft,
      author: number,
    ): Promise<StoredMapping> => write(id, destinationId, draft, author),

    /** @param next makes the draft from what is stored; may be asked again, may throw */
    revise: (
      id: number,
      destinationId: number | undefined,
      next: (stored: StoredMapping) => MappingDraft,
      author: number,
    ): Promise<StoredMapping> =>
      revise({
        read: () => get(id, destinationId),
        next,
        write: (draft, revision) => write(id, destinationId, draft, author, revision),
      }),

    remove: (id: number, destinationId: number | undefined): Promise<void> =>
      change(async (tx) => {
        const mapping = await requireMapping(tx, id, destinationId)
        await raiseMappingVersion(tx, mapping.destination_id)
        await keepAlias(tx, mapping)
        await tx.deleteFrom('mappings').where('mapping_id', '=', id).execute()
      }),
  }
}

interface JoinedRow extends AuthoredRow, MappingRow {
  segment_name: string
  segment_description: string | null
  segment_status: string
}

function selectMappings(db: Kysely<Tables>) {
  return db
    .selectFrom('mappings')
    .innerJoin('segments', 'segments.segment_id', 'mappings.segment_id')
    .selectAll('mappings')
    .select([
      'segments.name as segment_name',
      'segments.description as segment_description',
      'segments.status as segment_status',
    ])
}

async function requireMapping(db: Kysely<Tables>, id: number, destinationId: number | undefined): Promise<JoinedRow> {
  const row = await selectMappings(db).where('mapping_id', '=', id).executeTakeFirst()
  if (row === undefined || (destinationId !== undefined && row.destination_id !== destinationId))
    throw notFound('mapping', id)
  return row
}

/** Tells a user's next message that the mappings changed [OUT-30]. @throws CatalogRefusal not_found */
async function raiseMappingVersion(tx: Transaction<Tables>, destinationId: number): Promise<void> {
  const { numUpdatedRows } = await tx
    .updateTable('destinations')
    .set((row) => ({ mapping_version: row('mapping_version', '+', 1) }))
    .where('destination_id', '=', destinationId)
    .executeTakeFirstOrThrow()
  if (Number(numUpdatedRows) === 0) throw notFound('destination', destinationId)
}

/** Status 0 for it goes out under the name that the partner knows [OUT-58]. */
async function keepAlias(tx: Transaction<Tables>, { destination_id, segment_id, value }: MappingRow): Promise<void> {
  const of = tx.selectFrom('destinations').select('former_aliases').where('destination_id', '=', destination_id)
  const { [segment_id]: former, ...others } = JSON.parse((await of.executeTakeFirstOrThrow()).former_aliases) as Record<
    number,
    string
  >
  const isPlain = value === String(segment_id)
  if (isPlain && former === undefined) return
  const kept = Object.entries(isPlain ? others : { ...others, [segment_id]: value })
  await tx
    .updateTable('destinations')
    .set({ former_aliases: JSON.stringify(Object.fromEntries(kept.slice(-FORMER_ALIASES_MAX))) })
    .where('destination_id', '=', destination_id)
    .execute()
}

function columnsOf(draft: MappingDraft) {
  return {
    segment_id: draft.segmentId,
    value: draft.value ?? String(draft.segmentId),
    start_day: draft.startDay,
    end_day: draft.endDay ?? null,
  }
}

function readMapping(row: JoinedRow): StoredMapping {
  return {
    mappingId: row.mapping_id as MappingId,
    destinationId: row.destination_id as DestinationId,
    segmentId: row.segment_id as SegmentId,
    value: row.value,
    startDay: row.start_day,
    endDay: row.end_day ?? undefined,
    segmentName: row.segment_name,
    segmentDescription: row.segment_description ?? undefined,
    segmentStatus: row.segment_status,
    ...readAuthorship(row),
  }
}
