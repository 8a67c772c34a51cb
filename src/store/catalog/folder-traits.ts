import type { Transaction } from 'kysely'
import { createdBy } from './connection.ts'
import { takeId } from './ids.ts'
import type { Limits } from './limits.ts'
import { limitReached } from './refusal.ts'
import type { Tables, TraitRow } from './tables.ts'

/** `<folder name> Folder Trait`, cut so that a name has at most 255 characters [AUD-102], [AUD-318]. */
export function folderTraitName(folderName: string): string {
  const ending = ' Folder Trait'
  return folderName.slice(0, NAME_MAX - ending.length) + ending
}

const NAME_MAX = 255

/** The trait that stands for every trait of a new folder; it belongs to the automatic data source. @returns its id */
export async function createFolderTrait(
  tx: Transaction<Tables>,
  folder: { readonly folderId: number; readonly folderName: string },
  limits: Limits,
  author: number,
  nowMs: number,
): Promise<number> {
  const { count } = await tx
    .selectFrom('traits')
    .select((row) => row.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  if (Number(count) >= limits.traits) throw limitReached('traits', limits.traits)
  const automatic = await tx
    .selectFrom('data_sources')
    .select('data_source_id')
    .where('origin', '=', 'automatic')
    .executeTakeFirstOrThrow()
  const id = await takeId(tx, 'sids', { id: undefined, field: 'sid' })
  const row: TraitRow = {
    trait_id: id,
    name: folderTraitName(folder.folderName),
    description: null,
    comments: null,
    integration_code: null,
    data_source_id: automatic.data_source_id,
    folder_id: folder.folderId,
    trait_type: 'FOLDER_TRAIT',
    trait_rule: null,
    trait_rule_version: 0,
    ttl_days: 0,
    status: 'ACTIVE',
    event_type_id: null,
    category_id: null,
    algo_model_id: null,
    threshold_value: null,
    ...createdBy(author, nowMs),
  }
  await tx.insertInto('traits').values(row).execute()
  return id
}
