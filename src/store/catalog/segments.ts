import type { Kysely, Transaction } from 'kysely'
import { type Connection, createdBy, updatedBy } from './connection.ts'
import { requireDataSource } from './data-source-users.ts'
import type { DataSourceOptions } from './data-sources.ts'
import { requireFolderReference } from './folders.ts'
import { leaveId, takeId } from './ids.ts'
import type { Usage } from './limits.ts'
import { defaultMergeRuleId, requireMergeRule } from './merge-rules.ts'
import { CatalogRefusal, inUse, limitReached, notFound } from './refusal.ts'
import { mustBeOf, revise } from './revise.ts'
import { listSegments, type SegmentFilter, type SegmentListOptions } from './segment-list.ts'
import { readSegment, type SegmentDraft, type StoredSegment, segmentColumns } from './segment-rows.ts'
import { setSegmentTraits } from './segment-traits.ts'
import type { Tables } from './tables.ts'

export type SegmentRepository = ReturnType<typeof createSegments>

export function createSegments({ db, limits, change }: Connection) {
  const get = async (id: number): Promise<StoredSegment> => {
    const row = await db.selectFrom('segments').selectAll().where('segment_id', '=', id).executeTakeFirst()
    if (row === undefined) throw notFound('segment', id)
    return readSegment(row)
  }

  /** @param revision what the draft was made from, if from anything */
  const write = (id: number, draft: SegmentDraft, author: number, revision?: number): Promise<StoredSegment> =>
    change(async (tx, nowMs) => {
      const previous = await tx
        .selectFrom('segments')
        .select('revision')
        .where('segment_id', '=', id)
        .executeTakeFirst()
      if (previous === undefined) throw notFound('segment', id)
      mustBeOf(revision, previous)
      if (draft.traitIds.length > limits.traitsPerSegment)
        throw limitReached('traitsPerSegment', limits.traitsPerSegment)
      await checkSegment(tx, draft, id)
      const mergeRuleId = draft.mergeRuleId ?? (await defaultMergeRuleId(tx))
      const row = await tx
        .updateTable('segments')
        .set({ ...segmentColumns(draft, mergeRuleId), ...updatedBy(author, nowMs) })
        .where('segment_id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow()
      await setSegmentTraits(tx, id, draft.traitIds)
      return readSegment(row)
    })

  return {
    /** @throws CatalogRefusal not_found */
    get,

    async idsByIntegrationCode(code: string): Promise<number[]> {
      const rows = await db
        .selectFrom('segments')
        .select('segment_id')
        .where('integration_code', '=', code)
        .orderBy('segment_id')
        .execute()
      return rows.map((row) => row.segment_id)
    },

    list: (filter: SegmentFilter = {}, options: SegmentListOptions = {}) => listSegments(db, filter, options),

    /** Traits that the rule names, ascending. */
    async traitsOf(id: number): Promise<number[]> {
      const rows = await db
        .selectFrom('segment_traits')
        .select('trait_id')
        .where('segment_id', '=', id)
        .orderBy('trait_id')
        .execute()
      return rows.map((row) => row.trait_id)
    },

    /** Those of them that are mapped to a destination. */
    async mappedAmong(ids: readonly number[]): Promise<ReadonlySet<number>> {
      if (ids.length === 0) return new Set()
      const rows = await db
        .selectFrom('segments')
        .select('segment_id')
        .where('segment_id', 'in', ids)
        .where((row) =>
          row.exists(
            row.selectFrom('mappings').select('mapping_id').whereRef('mappings.segment_id', '=', 'segments.segment_id'),
          ),
        )
        .execute()
      return new Set(rows.map((row) => row.segment_id))
    },

    /** Data sources of the traits that the rules of several segments name. */
    async traitDataSourcesOf(ids: readonly number[]): Promise<ReadonlyMap<number, readonly number[]>> {
      if (ids.length === 0) return new Map()
      const rows = await db
        .selectFrom('segment_traits')
        .innerJoin('traits', 'traits.trait_id', 'segment_traits.trait_id')
        .select(['segment_traits.segment_id', 'traits.data_source_id'])
        .distinct()
        .where('segment_traits.segment_id', 'in', ids)
        // Sorted, so that all of them are looked through before the first row is handed over.
        .orderBy('traits.data_source_id')
        .execute()
      const found = new Map<number, number[]>(ids.map((id) => [id, []]))
      for (const row of rows) found.get(row.segment_id)?.push(row.data_source_id)
      return found
    },

    async usage(): Promise<Record<string, Usage>> {
      return { segments: { count: await countSegments(db), max: limits.segments } }
    },

    create: (draft: SegmentDraft, author: number): Promise<StoredSegment> =>
      change(async (tx, nowMs) => {
        if ((await countSegments(tx)) >= limits.segments) throw limitReached('segments', limits.segments)
        if (draft.traitIds.length > limits.traitsPerSegment)
          throw limitReached('traitsPerSegment', limits.traitsPerSegment)
        await checkSegment(tx, draft, undefined)
        const mergeRuleId = draft.mergeRuleId ?? (await defaultMergeRuleId(tx))
        const id = await takeId(tx, 'sids', { id: draft.segmentId, field: 'sid' })
        const row = { segment_id: id, ...segmentColumns(draft, mergeRuleId), ...createdBy(author, nowMs) }
        await tx.insertInto('segments').values(row).execute()
        await setSegmentTraits(tx, id, draft.traitIds)
        return readSegment(row)
      }),

    replace: (id: number, draft: SegmentDraft, author: number): Promise<StoredSegment> => write(id, draft, author),

    /** @param next makes the draft from what is stored; may be asked again, may throw */
    revise: (
      id: number,
      next: (stored: StoredSegment) => SegmentDraft | Promise<SegmentDraft>,
      author: number,
    ): Promise<StoredSegment> =>
      revise({ read: () => get(id), next, write: (draft, revision) => write(id, draft, author, revision) }),

    /** All of them or none. @throws CatalogRefusal in_use with the destinations that one of them is mapped to */
    remove: (ids: readonly number[]): Promise<void> =>
      change(async (tx) => {
        for (const id of ids) {
          const segment = await tx
            .selectFrom('segments')
            .select('segment_id')
            .where('segment_id', '=', id)
            .executeTakeFirst()
          if (segment === undefined) throw notFound('segment', id)
          const users = await destinationsOf(tx, id)
          if (users.length > 0) throw inUse(`Segment ${id}`, 'destinations', users)
          await tx.deleteFrom('segment_traits').where('segment_id', '=', id).execute()
          await tx.deleteFrom('segments').where('segment_id', '=', id).execute()
          await leaveId(tx, 'sids', id)
        }
      }),
  }
}

async function countSegments(db: Kysely<Tables>): Promise<number> {
  const { count } = await db
    .selectFrom('segments')
    .select((row) => row.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return Number(count)
}

async function destinationsOf(db: Kysely<Tables>, segmentId: number): Promise<number[]> {
  const rows = await db
    .selectFrom('mappings')
    .select('destination_id')
    .distinct()
    .where('segment_id', '=', segmentId)
    .orderBy('destination_id')
    .execute()
  return rows.map((row) => row.destination_id)
}

async function checkSegment(tx: Transaction<Tables>, draft: SegmentDraft, self: number | undefined): Promise<void> {
  const source = await requireDataSource(tx, draft.dataSourceId, 'dataSourceId')
  await requireFolderReference(tx, 'segments', draft.folderId)
  if (draft.mergeRuleId !== undefined) await requireMergeRule(tx, draft.mergeRuleId, 'mergeRuleDataSourceId')
  const { uniqueSegmentIntegrationCodes } = JSON.parse(source.options) as DataSourceOptions
  if (!uniqueSegmentIntegrationCodes || draft.integrationCode === undefined) return
  const holders = await tx
    .selectFrom('segments')
    .select('segment_id')
    .where('data_source_id', '=', draft.dataSourceId)
    .where('integration_code', '=', draft.integrationCode)
    .execute()
  const ids = holders.map((row) => row.segment_id).filter((id) => id !== self)
  if (ids.length === 0) return
  const message = `The integration code is taken by segment ${ids[0]}.`
  throw new CatalogRefusal('conflict', 'integration_code_taken', message, { field: 'integrationCode', ids })
}
