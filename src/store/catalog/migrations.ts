import { type Kysely, type Migration, Migrator, sql } from 'kysely'
import type { Tables } from './tables.ts'

/** Brings the tables up to date; does nothing when they are. @throws when a migration fails or is missing here */
export async function migrate(db: Kysely<Tables>): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined) throw new Error('the catalogue could not be brought up to date', { cause: error })
}

/** Each runs once and for ever: never change one that was released, add the next. */
const migrations: Record<string, Migration> = {
  '0001-definitions': { up: createDefinitions },
}

async function createDefinitions(db: Kysely<unknown>): Promise<void> {
  const table = (name: string) => db.schema.createTable(name)
  const authored = <Table extends string>(name: Table) =>
    table(name)
      .addColumn('created_by', 'integer', (column) => column.notNull())
      .addColumn('updated_by', 'integer', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('updated_at', 'bigint', (column) => column.notNull())
  const required = (column: { notNull(): typeof column }) => column.notNull()

  await table('meta').addColumn('key', 'varchar(64)', (c) => c.primaryKey()).addColumn('value', 'bigint', (c) => c.notNull()).execute()
  await table('settings').addColumn('key', 'varchar(64)', (c) => c.primaryKey()).addColumn('value', 'text', (c) => c.notNull()).execute()
  await table('counters').addColumn('name', 'varchar(64)', (c) => c.primaryKey()).addColumn('next', 'integer', (c) => c.notNull()).execute()
  void required
  void sql
  void authored
}
