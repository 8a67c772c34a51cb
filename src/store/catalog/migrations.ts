import { type CreateIndexBuilder, type Kysely, type Migration, Migrator, sql } from 'kysely'
import type { CatalogEngine, ColumnTypes } from './engine.ts'

/** Brings the tables up to date; does nothing when they are. @throws when a migration fails, or they are of a later version */
export async function migrate({ db, columnTypes }: Pick<CatalogEngine, 'db' | 'columnTypes'>): Promise<void> {
  const migrations = migrationsWith(columnTypes)
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined) throw new Error('the catalogue could not be brought up to date', { cause: error })
}

/** Each runs once and for ever: never change one that was released, add the next. */
function migrationsWith(types: ColumnTypes): Record<string, Migration> {
  return {
    '0001-definitions': { up: (db) => createDefinitions(db, types) },
    '0002-sessions': { up: (db) => createSessionTables(db, types) },
    '0003-deleted-ids': { up: (db) => createDeletedIds(db, types) },
    '0004-aliases': { up: (db) => keepAliases(db, types) },
    '0005-revisions': { up: (db) => addRevisions(db, types) },
  }
}

async function createDefinitions(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await createTable(db, types, 'meta', ['key'], { key: 'text', value: 'bigint' })
  await createTable(db, types, 'settings', ['key'], { key: 'text', value: 'text' })
  await createTable(db, types, 'counters', ['name'], { name: 'text', next: 'integer' })

  await createTable(db, types, 'data_sources', ['data_source_id'], {
    data_source_id: 'integer',
    name: 'text',
    description: 'text?',
    integration_code: 'text?',
    id_type: 'text',
    status: 'text',
    origin: 'text',
    options: 'text',
    ...authored,
  })
  await createTable(db, types, 'folders', ['kind', 'folder_id'], {
    kind: 'text',
    folder_id: 'integer',
    parent_folder_id: 'integer',
    name: 'text',
    folder_trait_id: 'integer?',
    ...authored,
  })
  await createTable(db, types, 'traits', ['trait_id'], {
    trait_id: 'integer',
    name: 'text',
    description: 'text?',
    comments: 'text?',
    integration_code: 'text?',
    data_source_id: 'integer',
    folder_id: 'integer',
    trait_type: 'text',
    trait_rule: 'text?',
    trait_rule_version: 'integer',
    ttl_days: 'integer',
    status: 'text',
    event_type_id: 'integer?',
    category_id: 'integer?',
    algo_model_id: 'integer?',
    threshold_value: 'text?',
    ...authored,
  })
  await createTable(db, types, 'trait_rule_versions', ['trait_id', 'version'], {
    trait_id: 'integer',
    version: 'integer',
    trait_rule: 'text',
    created_by: 'integer',
    created_at: 'bigint',
  })
  await createTable(db, types, 'segments', ['segment_id'], {
    segment_id: 'integer',
    name: 'text',
    description: 'text?',
    integration_code: 'text?',
    segment_rule: 'text',
    data_source_id: 'integer',
    merge_rule_id: 'integer',
    folder_id: 'integer',
    status: 'text',
    ...authored,
  })
  await createTable(db, types, 'segment_traits', ['segment_id', 'trait_id'], {
    segment_id: 'integer',
    trait_id: 'integer',
  })
  await createTable(db, types, 'merge_rules', ['merge_rule_id'], {
    merge_rule_id: 'integer',
    name: 'text',
    description: 'text?',
    cross_device_option: 'text',
    device_option: 'text',
    cross_device_data_source_ids: 'text',
    data_export_restrictions: 'text',
    is_default: 'integer',
    ...authored,
  })
  await createTable(db, types, 'destinations', ['destination_id'], {
    destination_id: 'integer',
    name: 'text',
    description: 'text?',
    destination_type: 'text',
    status: 'text',
    vendor_id: 'integer?',
    mapping_version: 'integer',
    data_source_ids: 'text',
    sealed_config: 'text',
    ...authored,
  })
  await createTable(db, types, 'mappings', ['mapping_id'], {
    mapping_id: 'integer',
    destination_id: 'integer',
    segment_id: 'integer',
    value: 'text',
    start_day: 'integer',
    end_day: 'integer?',
    ...authored,
  })

  await createIndex(db, 'data_sources', ['integration_code'])
  await createIndex(db, 'folders', ['folder_id'])
  await createIndex(db, 'traits', ['data_source_id', 'integration_code'])
  await createIndex(db, 'traits', ['integration_code'])
  await createIndex(db, 'traits', ['folder_id'])
  await createIndex(db, 'traits', ['trait_type'])
  await createIndex(db, 'segments', ['data_source_id', 'integration_code'])
  await createIndex(db, 'segments', ['integration_code'])
  await createIndex(db, 'segments', ['folder_id'])
  await createIndex(db, 'segments', ['merge_rule_id'])
  await createIndex(db, 'segment_traits', ['trait_id'])
  await createIndex(db, 'mappings', ['destination_id', 'segment_id'])
  await createIndex(db, 'mappings', ['segment_id'])
}

async function createSessionTables(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await createTable(db, types, 'setup_links', ['hash'], { hash: 'text', expires_at: 'bigint' })
  await createTable(db, types, 'sessions', ['hash'], {
    hash: 'text',
    created_at: 'bigint',
    expires_at: 'bigint',
    used_at: 'bigint',
  })
}

async function createDeletedIds(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await createTable(db, types, 'deleted_ids', ['sequence', 'id'], {
    sequence: 'text',
    id: 'integer',
    version: 'bigint',
  })
  // Until now profiles kept what was deleted: as if the last of it had been deleted just now, so that it goes.
  await sql`insert into meta (key, value) select 'deletion', value from meta where key = 'version'`.execute(db)
}

async function keepAliases(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await createIndex(db, 'mappings', ['destination_id', 'value'])
  await db.schema
    .alterTable('destinations')
    .addColumn('former_aliases', types.text, (definition) => definition.notNull().defaultTo('{}'))
    .execute()
}

/**
 * Rows learn which change they are of; and what may be there once is so by an index, which no process can pass over. The checks
 * before it say whose it is already.
 */
async function addRevisions(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  for (const table of ['data_sources', 'folders', 'traits', 'segments', 'merge_rules', 'destinations', 'mappings'])
    await db.schema
      .alterTable(table)
      .addColumn('revision', types.integer, (definition) => definition.notNull().defaultTo(1))
      .execute()

  // Calls name a data source by its code [COL-63].
  await makeUnique(db, 'data_sources', ['integration_code'])
  await makeUnique(db, 'mappings', ['destination_id', 'segment_id'])
  await makeUnique(db, 'mappings', ['destination_id', 'value'])
  // Both roots are the same folder to each other.
  await createIndex(db, 'folders', ['kind', 'parent_folder_id', 'name'], (index) =>
    index.unique().where(sql<boolean>`folder_id <> 0`),
  )
  // There is always exactly one default [AUD-201].
  await createIndex(db, 'merge_rules', ['is_default'], (index) => index.unique().where(sql<boolean>`is_default = 1`))
}

/** A `?` after the type: the column may be null. */
type ColumnType = 'integer' | 'bigint' | 'text' | 'integer?' | 'text?'

const authored = { created_by: 'integer', updated_by: 'integer', created_at: 'bigint', updated_at: 'bigint' } as const

async function createTable(
  db: Kysely<unknown>,
  types: ColumnTypes,
  name: string,
  key: string[],
  columns: Record<string, ColumnType>,
): Promise<void> {
  const typeOf = { ...types, bigint: 'bigint' } as const
  let table = db.schema.createTable(name)
  for (const [column, declared] of Object.entries(columns)) {
    const isOptional = declared.endsWith('?')
    const type = (isOptional ? declared.slice(0, -1) : declared) as 'integer' | 'bigint' | 'text'
    const dataType = typeOf[type] as 'text'
    table = table.addColumn(column, dataType, (definition) => (isOptional ? definition : definition.notNull()))
  }
  await table.addPrimaryKeyConstraint(`${name}_key`, key as never[]).execute()
}

type IndexBuilder = CreateIndexBuilder<string>

async function createIndex(
  db: Kysely<unknown>,
  table: string,
  columns: string[],
  refine: (index: IndexBuilder) => IndexBuilder = (index) => index,
): Promise<void> {
  await refine(db.schema.createIndex(nameOfIndex(table, columns)).on(table).columns(columns) as IndexBuilder).execute()
}

/** An index becomes one that holds each value once. */
async function makeUnique(db: Kysely<unknown>, table: string, columns: string[]): Promise<void> {
  await db.schema.dropIndex(nameOfIndex(table, columns)).execute()
  await createIndex(db, table, columns, (index) => index.unique())
}

function nameOfIndex(table: string, columns: readonly string[]): string {
  return `${table}_by_${columns.join('_')}`
}
