import type { Kysely, Transaction } from 'kysely'
import { requireDataSource } from './data-source-users.ts'
import type { DataSourceOptions } from './data-sources.ts'
import { requireFolderReference } from './folders.ts'
import type { Limits, Usage } from './limits.ts'
import { CatalogRefusal, limitReached } from './refusal.ts'
import type { Tables, TraitRow } from './tables.ts'
import type { TraitDraft } from './trait-rows.ts'

const LIMIT_OF_TYPE: Readonly<Record<string, 'ruleBasedTraits' | 'onboardedTraits' | 'algorithmicTraits' | undefined>> =
  {
    RULE_BASED_TRAIT: 'ruleBasedTraits',
    ON_BOARDED_TRAIT: 'onboardedTraits',
    ALGO_TRAIT: 'algorithmicTraits',
  }

/** Traits in total and per type [AUD-300], [AUD-301]. */
export async function readTraitUsage(db: Kysely<Tables>, limits: Limits): Promise<Record<string, Usage>> {
  const rows = await db
    .selectFrom('traits')
    .select((row) => ['trait_type', row.fn.countAll<number>().as('count')])
    .groupBy('trait_type')
    .execute()
  const counts = new Map(rows.map((row) => [row.trait_type, Number(row.count)]))
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
  return {
    traits: { count: total, max: limits.traits },
    ruleBasedTraits: { count: counts.get('RULE_BASED_TRAIT') ?? 0, max: limits.ruleBasedTraits },
    onboardedTraits: { count: counts.get('ON_BOARDED_TRAIT') ?? 0, max: limits.onboardedTraits },
    algorithmicTraits: { count: counts.get('ALGO_TRAIT') ?? 0, max: limits.algorithmicTraits },
    folderTraits: { count: counts.get('FOLDER_TRAIT') ?? 0, max: limits.traitFolders },
  }
}

const CHUNK = 500

/** Rule-based and folder traits may, if they are the account's own. @returns without the ids that are no traits */
export async function readRecencyAllowed(db: Kysely<Tables>, ids: readonly number[]): Promise<Map<number, boolean>> {
  const known = new Map<number, boolean>()
  for (let start = 0; start < ids.length; start += CHUNK) {
    const rows = await db
      .selectFrom('traits')
      .innerJoin('data_sources', 'data_sources.data_source_id', 'traits.data_source_id')
      .select(['traits.trait_id', 'traits.trait_type', 'data_sources.origin'])
      .where('traits.trait_id', 'in', ids.slice(start, start + CHUNK))
      .execute()
    for (const row of rows) {
      const isCounted = row.trait_type === 'RULE_BASED_TRAIT' || row.trait_type === 'FOLDER_TRAIT'
      known.set(row.trait_id, isCounted && row.origin !== 'global')
    }
  }
  return known
}

export async function refuseWhenFull(tx: Transaction<Tables>, limits: Limits, traitType: string): Promise<void> {
  const usage = await readTraitUsage(tx, limits)
  for (const limit of ['traits', LIMIT_OF_TYPE[traitType]] as const) {
    const used = limit === undefined ? undefined : usage[limit]
    if (limit !== undefined && used !== undefined && used.count >= used.max) throw limitReached(limit, used.max)
  }
}

/** What a trait names must exist, and its integration code be free where its data source wants that [AUD-172]. */
export async function checkTrait(tx: Transaction<Tables>, draft: TraitDraft, self: number | undefined): Promise<void> {
  if (draft.traitType === 'ON_BOARDED_TRAIT' && draft.traitRule !== undefined) {
    const message =
      'Rules of onboarded traits see inbound records, which are not built yet: leave the rule out, or make a rule-based trait.'
    throw new CatalogRefusal('invalid', 'invalid_request', message, { field: 'traitRule' })
  }
  const source = await requireDataSource(tx, draft.dataSourceId, 'dataSourceId')
  await requireFolderReference(tx, 'traits', draft.folderId)
  const { uniqueTraitIntegrationCodes } = JSON.parse(source.options) as DataSourceOptions
  if (!uniqueTraitIntegrationCodes || draft.integrationCode === undefined) return
  const holders = await tx
    .selectFrom('traits')
    .select('trait_id')
    .where('data_source_id', '=', draft.dataSourceId)
    .where('integration_code', '=', draft.integrationCode)
    .execute()
  const ids = holders.map((row) => row.trait_id).filter((id) => id !== self)
  if (ids.length === 0) return
  const message = `The integration code is taken by trait ${ids[0]}.`
  throw new CatalogRefusal('conflict', 'integration_code_taken', message, { field: 'integrationCode', ids })
}

export function refuseChangedType(previous: TraitRow, draft: TraitDraft): void {
  if (previous.trait_type === draft.traitType) return
  throw new CatalogRefusal('invalid', 'invalid_request', `The type of a trait stays ${previous.trait_type}.`, {
    field: 'traitType',
  })
}

const TTL_WHEN_LEFT_OUT = 120

/** A folder trait follows its folder and the traits below it; only its data source and texts are its own [AUD-102]. */
export function checkFolderTrait(previous: TraitRow, draft: TraitDraft): void {
  const fixed = [
    ['name', previous.name === draft.name],
    ['folderId', previous.folder_id === draft.folderId],
    // It is held while a trait below it is.
    ['ttl', previous.ttl_days === draft.ttlDays || draft.ttlDays === TTL_WHEN_LEFT_OUT],
    ['status', previous.status === draft.status],
  ] as const
  for (const [field, isSame] of fixed) {
    if (!isSame)
      throw new CatalogRefusal(
        'invalid',
        'invalid_request',
        'A folder trait changes with its folder and the traits below it only.',
        { field },
      )
  }
}
