import { type Connection, createdBy, updatedBy } from './connection.ts'
import { leaveId, takeId } from './ids.ts'
import { inUse, notFound } from './refusal.ts'
import { mustBeOf, revise } from './revise.ts'
import { segmentsUsingTrait } from './segment-traits.ts'
import type { TraitRow } from './tables.ts'
import {
  checkFolderTrait,
  checkTrait,
  readRecencyAllowed,
  readTraitUsage,
  refuseChangedType,
  refuseWhenFull,
} from './trait-checks.ts'
import { listTraits, type TraitFilter, type TraitListOptions } from './trait-list.ts'
import { readTrait, type StoredTrait, type TraitDraft, traitColumns } from './trait-rows.ts'

export interface TraitRuleVersion {
  readonly version: number
  readonly traitRule: string
  readonly createdBy: number
  readonly createdAtMs: number
}

export type TraitRepository = ReturnType<typeof createTraits>

export function createTraits({ db, limits, change }: Connection) {
  const get = async (id: number): Promise<StoredTrait> => {
    const row = await db.selectFrom('traits').selectAll().where('trait_id', '=', id).executeTakeFirst()
    if (row === undefined) throw notFound('trait', id)
    return readTrait(row)
  }

  /** @param revision what the draft was made from, if from anything */
  const write = (id: number, draft: TraitDraft, author: number, revision?: number): Promise<StoredTrait> =>
    change(async (tx, nowMs) => {
      const previous = await tx.selectFrom('traits').selectAll().where('trait_id', '=', id).executeTakeFirst()
      if (previous === undefined) throw notFound('trait', id)
      mustBeOf(revision, previous)
      refuseChangedType(previous, draft)
      if (previous.trait_type === 'FOLDER_TRAIT') checkFolderTrait(previous, draft)
      await checkTrait(tx, draft, id)
      const isNewRule = previous.trait_rule !== (draft.traitRule ?? null)
      const row = await tx
        .updateTable('traits')
        .set({
          ...traitColumns(draft),
          // The life of a folder trait is that of the traits below it.
          ...(previous.trait_type === 'FOLDER_TRAIT' && { ttl_days: previous.ttl_days }),
          trait_rule_version: previous.trait_rule_version + (isNewRule ? 1 : 0),
          ...updatedBy(author, nowMs),
        })
        .where('trait_id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow()
      if (isNewRule && row.trait_rule !== null)
        await tx.insertInto('trait_rule_versions').values(ruleVersion(row)).execute()
      return readTrait(row)
    })

  return {
    /** @throws CatalogRefusal not_found */
    get,

    /** Ids of the traits with an integration code, ascending; more than one where data sources share a code. */
    async idsByIntegrationCode(code: string): Promise<number[]> {
      const rows = await db
        .selectFrom('traits')
        .select('trait_id')
        .where('integration_code', '=', code)
        .orderBy('trait_id')
        .execute()
      return rows.map((row) => row.trait_id)
    },

    list: (filter: TraitFilter = {}, options: TraitListOptions = {}) => listTraits(db, filter, options),

    /** Rules of a trait, newest first [API-49]. */
    async ruleVersions(id: number): Promise<TraitRuleVersion[]> {
      const trait = await db.selectFrom('traits').select('trait_id').where('trait_id', '=', id).executeTakeFirst()
      if (trait === undefined) throw notFound('trait', id)
      const query = db
        .selectFrom('trait_rule_versions')
        .selectAll()
        .where('trait_id', '=', id)
        .orderBy('version', 'desc')
      const rows = await query.execute()
      return rows.map((row) => ({
        version: row.version,
        traitRule: row.trait_rule,
        createdBy: row.created_by,
        createdAtMs: Number(row.created_at),
      }))
    },

    /** For each of the ids that is a trait: may a segment rule put recency and frequency on it [AUD-132]? */
    recencyAllowed: (ids: readonly number[]) => readRecencyAllowed(db, ids),

    usage: () => readTraitUsage(db, limits),

    create: (draft: TraitDraft, author: number): Promise<StoredTrait> =>
      change(async (tx, nowMs) => {
        await refuseWhenFull(tx, limits, draft.traitType)
        await checkTrait(tx, draft, undefined)
        const id = await takeId(tx, 'sids', { id: draft.traitId, field: 'sid' })
        const row = { trait_id: id, trait_rule_version: 0, ...traitColumns(draft), ...createdBy(author, nowMs) }
        await tx.insertInto('traits').values(row).execute()
        if (row.trait_rule !== null) await tx.insertInto('trait_rule_versions').values(ruleVersion(row)).execute()
        return readTrait(row)
      }),

    replace: (id: number, draft: TraitDraft, author: number): Promise<StoredTrait> => write(id, draft, author),

    /** @param next makes the draft from what is stored; may be asked again, may throw */
    revise: (
      id: number,
      next: (stored: StoredTrait) => TraitDraft | Promise<TraitDraft>,
      author: number,
    ): Promise<StoredTrait> =>
      revise({ read: () => get(id), next, write: (draft, revision) => write(id, draft, author, revision) }),

    /** All of them or none. @throws CatalogRefusal in_use with the segments that name one of them */
    remove: (ids: readonly number[]): Promise<void> =>
      change(async (tx) => {
        for (const id of ids) {
          const trait = await tx
            .selectFrom('traits')
            .select(['trait_type', 'folder_id'])
            .where('trait_id', '=', id)
            .executeTakeFirst()
          if (trait === undefined) throw notFound('trait', id)
          // A folder trait goes with its folder and not before [AUD-104].
          if (trait.trait_type === 'FOLDER_TRAIT') throw inUse(`Trait ${id}`, 'folders', [trait.folder_id])
          const users = await segmentsUsingTrait(tx, id)
          if (users.length > 0) throw inUse(`Trait ${id}`, 'segments', users)
          await tx.deleteFrom('trait_rule_versions').where('trait_id', '=', id).execute()
          await tx.deleteFrom('traits').where('trait_id', '=', id).execute()
          await leaveId(tx, 'sids', id)
        }
      }),
  }
}

function ruleVersion(row: TraitRow) {
  return {
    trait_id: row.trait_id,
    version: row.trait_rule_version,
    trait_rule: row.trait_rule ?? '',
    created_by: row.updated_by,
    created_at: row.updated_at,
  }
}
