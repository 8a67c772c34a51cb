import type { Transaction } from 'kysely'
import type { MergeRule } from '../../model/definitions.ts'
import type { DataSourceId, MergeRuleId } from '../../model/ids.ts'
import { isEvaluated } from '../../model/merge-options.ts'
import { type Authorship, type Connection, createdBy, nextRevision, readAuthorship, updatedBy } from './connection.ts'
import { requireDataSource } from './data-source-users.ts'
import type { DataSourceOptions } from './data-sources.ts'
import { takeId } from './ids.ts'
import { type Listing, type ListOptions, listRows } from './listing.ts'
import { CatalogRefusal, inUse, limitReached, notFound } from './refusal.ts'
import { mustBeOf, revise } from './revise.ts'
import type { MergeRuleRow, Tables } from './tables.ts'

export interface MergeRuleDraft extends Omit<MergeRule, 'mergeRuleId' | 'crossDeviceDataSourceIds'> {
  readonly mergeRuleId: number | undefined
  readonly description: string | undefined
  readonly crossDeviceDataSourceIds: readonly number[]
}

export interface StoredMergeRule extends MergeRule, Authorship {
  readonly description: string | undefined
}

const SORTS = {
  mergeRuleDataSourceId: { column: 'merge_rule_id', type: 'number' },
  name: { column: 'name', type: 'text' },
  createTime: { column: 'created_at', type: 'number' },
  updateTime: { column: 'updated_at', type: 'number' },
} as const

export type MergeRuleRepository = ReturnType<typeof createMergeRules>

export function createMergeRules({ db, limits, change }: Connection) {
  const get = async (id: number): Promise<StoredMergeRule> => {
    const row = await db.selectFrom('merge_rules').selectAll().where('merge_rule_id', '=', id).executeTakeFirst()
    if (row === undefined) throw notFound('merge rule', id)
    return readMergeRule(row)
  }

  /** @param revision what the draft was made from, if from anything */
  const write = (id: number, draft: MergeRuleDraft, author: number, revision?: number): Promise<StoredMergeRule> =>
    change(async (tx, nowMs) => {
      const previous = await tx
        .selectFrom('merge_rules')
        .select(['is_default', 'revision'])
        .where('merge_rule_id', '=', id)
        .executeTakeFirst()
      if (previous === undefined) throw notFound('merge rule', id)
      mustBeOf(revision, previous)
      // There is always exactly one default [AUD-201]; it passes on by naming another one.
      if (previous.is_default === 1 && !draft.isDefault) throw keepDefault(id)
      await checkDataSources(tx, draft)
      if (draft.isDefault) await clearDefault(tx)
      const row = await tx
        .updateTable('merge_rules')
        .set({ ...columnsOf(draft), ...updatedBy(author, nowMs) })
        .where('merge_rule_id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow()
      return readMergeRule(row)
    })

  return {
    /** @throws CatalogRefusal not_found */
    get,

    list(options: ListOptions<keyof typeof SORTS> = {}): Listing<StoredMergeRule> {
      const columns = { id: 'merge_rule_id', sorts: SORTS, searched: ['merge_rule_id', 'name', 'description'] }
      return listRows(db.selectFrom('merge_rules').selectAll(), columns, options, readMergeRule)
    },

    create: (draft: MergeRuleDraft, author: number): Promise<StoredMergeRule> =>
      change(async (tx, nowMs) => {
        const count = await countMergeRules(tx)
        if (count >= limits.mergeRules) throw limitReached('mergeRules', limits.mergeRules)
        await checkDataSources(tx, draft)
        const id = await takeId(tx, 'dataSources', { id: draft.mergeRuleId, field: 'mergeRuleDataSourceId' })
        if (draft.isDefault) await clearDefault(tx)
        const row = { merge_rule_id: id, ...columnsOf(draft), ...createdBy(author, nowMs) }
        await tx.insertInto('merge_rules').values(row).execute()
        return readMergeRule(row)
      }),

    replace: (id: number, draft: MergeRuleDraft, author: number): Promise<StoredMergeRule> => write(id, draft, author),

    /** @param next makes the draft from what is stored; may be asked again, may throw */
    revise: (id: number, next: (stored: StoredMergeRule) => MergeRuleDraft, author: number): Promise<StoredMergeRule> =>
      revise({ read: () => get(id), next, write: (draft, revision) => write(id, draft, author, revision) }),

    /** @throws CatalogRefusal in_use: a rule in use is not deleted but replaced in bulk first [AUD-202] */
    remove: (id: number): Promise<void> =>
      change(async (tx) => {
        const rule = await tx
          .selectFrom('merge_rules')
          .select('is_default')
          .where('merge_rule_id', '=', id)
          .executeTakeFirst()
        if (rule === undefined) throw notFound('merge rule', id)
        const users = await tx.selectFrom('segments').select('segment_id').where('merge_rule_id', '=', id).execute()
        if (users.length > 0)
          throw inUse(
            `Merge rule ${id}`,
            'segments',
            users.map((row) => row.segment_id),
          )
        if (rule.is_default === 1) throw keepDefault(id)
        await tx.deleteFrom('merge_rules').where('merge_rule_id', '=', id).execute()
      }),

    /** Every segment of one rule gets the other [API-47]. @returns how many segments changed */
    replaceInSegments: (existingId: number, replacementId: number, author: number): Promise<number> =>
      change(async (tx, nowMs) => {
        await requireMergeRule(tx, existingId, 'existingMergeRuleDataSourceId')
        await requireMergeRule(tx, replacementId, 'replaceWithMergeRuleDataSourceId')
        const { numUpdatedRows } = await tx
          .updateTable('segments')
          .set({ merge_rule_id: replacementId, ...updatedBy(author, nowMs) })
          .where('merge_rule_id', '=', existingId)
          .executeTakeFirstOrThrow()
        return Number(numUpdatedRows)
      }),
  }
}

/** @throws CatalogRefusal invalid, naming `field` */
export async function requireMergeRule(tx: Transaction<Tables>, id: number, field: string): Promise<void> {
  const row = await tx.selectFrom('merge_rules').selectAll().where('merge_rule_id', '=', id).executeTakeFirst()
  const refuse = (message: string) => new CatalogRefusal('invalid', 'invalid_request', message, { field })
  if (row === undefined) throw refuse(`There is no merge rule ${id}.`)
  // One that an earlier version saved.
  if (!isEvaluated(readMergeRule(row)))
    throw refuse(`Merge rule ${id} is not evaluated by this version: nobody would be in the segment.`)
}

/** The rule of segments that name none [API-55]. */
export async function defaultMergeRuleId(tx: Transaction<Tables>): Promise<number> {
  const row = await tx
    .selectFrom('merge_rules')
    .select('merge_rule_id')
    .where('is_default', '=', 1)
    .executeTakeFirstOrThrow()
  return row.merge_rule_id
}

/** Only cross-device data sources hold authenticated profiles [AUD-201]. */
async function checkDataSources(tx: Transaction<Tables>, draft: MergeRuleDraft): Promise<void> {
  for (const id of draft.crossDeviceDataSourceIds) {
    const source = await requireDataSource(tx, id, 'crossDeviceDataSourceIds')
    const message = notAuthenticated(id, source)
    if (message === undefined) continue
    throw new CatalogRefusal('invalid', 'invalid_request', message, { field: 'crossDeviceDataSourceIds' })
  }
}

function notAuthenticated(id: number, source: { readonly id_type: string; readonly options: string }) {
  if (source.id_type !== 'CROSS_DEVICE') return `Data source ${id} is not of type CROSS_DEVICE.`
  const { supportsAuthenticatedProfile } = JSON.parse(source.options) as DataSourceOptions
  return supportsAuthenticatedProfile
    ? undefined
    : `Data source ${id} is not used as an authenticated profile (supportsAuthenticatedProfile).`
}

async function countMergeRules(tx: Transaction<Tables>): Promise<number> {
  const { count } = await tx
    .selectFrom('merge_rules')
    .select((row) => row.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return Number(count)
}

async function clearDefault(tx: Transaction<Tables>): Promise<void> {
  await tx
    .updateTable('merge_rules')
    .set({ is_default: 0, ...nextRevision })
    .where('is_default', '=', 1)
    .execute()
}

function keepDefault(id: number): CatalogRefusal {
  return new CatalogRefusal(
    'conflict',
    'default_merge_rule',
    `Merge rule ${id} is the default; make another one the default first.`,
    { field: 'isDefault' },
  )
}

function columnsOf(draft: MergeRuleDraft) {
  return {
    name: draft.name,
    description: draft.description ?? null,
    cross_device_option: draft.crossDeviceOption,
    device_option: draft.deviceOption,
    cross_device_data_source_ids: JSON.stringify(draft.crossDeviceDataSourceIds),
    data_export_restrictions: '[]',
    is_default: draft.isDefault ? 1 : 0,
  }
}

export function readMergeRule(row: MergeRuleRow): StoredMergeRule {
  return {
    mergeRuleId: row.merge_rule_id as MergeRuleId,
    name: row.name,
    description: row.description ?? undefined,
    crossDeviceOption: row.cross_device_option as MergeRule['crossDeviceOption'],
    deviceOption: row.device_option as MergeRule['deviceOption'],
    crossDeviceDataSourceIds: JSON.parse(row.cross_device_data_source_ids) as DataSourceId[],
    isDefault: row.is_default === 1,
    ...readAuthorship(row),
  }
}
