import type { Kysely, Transaction } from 'kysely'
import type { Destination } from '../../model/definitions.ts'
import type { DestinationId } from '../../model/ids.ts'
import { type Authorship, type Connection, createdBy, readAuthorship, updatedBy } from './connection.ts'
import { requireDataSource } from './data-source-users.ts'
import { takeId } from './ids.ts'
import type { Usage } from './limits.ts'
import { type Listing, type ListOptions, listRows } from './listing.ts'
import { inUse, limitReached, notFound } from './refusal.ts'
import { mustBeOf, revise } from './revise.ts'
import { SecretUnreadableError, type Vault } from './secrets.ts'
import type { DestinationRow, Tables } from './tables.ts'

export interface DestinationDraft
  extends Omit<Destination, 'destinationId' | 'mappingVersion' | 'formerAliases' | 'createdAtMs'> {
  readonly destinationId: number | undefined
  readonly description: string | undefined
  /** Data sources that `config` names; they cannot be deleted while it does. */
  readonly dataSourceIds: readonly number[]
  /** The member that names them, for who named one that does not exist. */
  readonly dataSourceField?: string
}

export interface StoredDestination extends Omit<Destination, 'createdAtMs'>, Authorship {
  readonly description: string | undefined
}

const SORTS = {
  destinationId: { column: 'destination_id', type: 'number' },
  name: { column: 'name', type: 'text' },
  description: { column: 'description', type: 'text' },
  destinationType: { column: 'destination_type', type: 'text' },
  status: { column: 'status', type: 'text' },
  createTime: { column: 'created_at', type: 'number' },
  updateTime: { column: 'updated_at', type: 'number' },
} as const
const SEARCHED = ['destination_id', 'name', 'description', 'destination_type']

export type DestinationRepository = ReturnType<typeof createDestinations>

export function createDestinations({ db, limits, vault, change }: Connection) {
  const read = (row: DestinationRow) => readDestination(row, vault)

  const get = async (id: number): Promise<StoredDestination> => {
    const row = await db.selectFrom('destinations').selectAll().where('destination_id', '=', id).executeTakeFirst()
    if (row === undefined) throw notFound('destination', id)
    return read(row)
  }

  const write = (id: number, draft: DestinationDraft, author: number, revision: number): Promise<StoredDestination> =>
    change(async (tx, nowMs) => {
      const previous = await tx
        .selectFrom('destinations')
        .select('revision')
        .where('destination_id', '=', id)
        .executeTakeFirst()
      if (previous === undefined) throw notFound('destination', id)
      mustBeOf(revision, previous)
      await requireDataSources(tx, draft)
      const row = await tx
        .updateTable('destinations')
        .set({ ...columnsOf(draft, id, vault), ...updatedBy(author, nowMs) })
        .where('destination_id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow()
      return read(row)
    })

  return {
    /** With secrets in clear. @throws CatalogRefusal not_found */
    get,

    /** @param filter `containsSegment`: only destinations that segment is mapped to [API-76] */
    list(
      filter: { readonly containsSegment?: number | undefined },
      options: ListOptions<keyof typeof SORTS> = {},
    ): Listing<StoredDestination> {
      const { containsSegment } = filter
      let query = db.selectFrom('destinations').selectAll()
      if (containsSegment !== undefined) {
        query = query.where('destination_id', 'in', (from) =>
          from.selectFrom('mappings').select('mappings.destination_id').where('segment_id', '=', containsSegment),
        )
      }
      return listRows(
        query,
        { id: 'destination_id', sorts: SORTS, searched: SEARCHED, long: 'sealed_config' },
        options,
        read,
      )
    },

    usage: () => readDestinationUsage(db, limits),

    create: (draft: DestinationDraft, author: number): Promise<StoredDestination> =>
      change(async (tx, nowMs) => {
        const { destinations, serverToServerDestinations } = await readDestinationUsage(tx, limits)
        if (destinations.count >= destinations.max) throw limitReached('destinations', destinations.max)
        if (
          isServerToServer(draft.destinationType) &&
          serverToServerDestinations.count >= serverToServerDestinations.max
        ) {
          throw limitReached('serverToServerDestinations', serverToServerDestinations.max)
        }
        await requireDataSources(tx, draft)
        const id = await takeId(tx, 'destinations', { id: draft.destinationId, field: 'destinationId' })
        const row = {
          destination_id: id,
          mapping_version: 1,
          former_aliases: '{}',
          ...columnsOf(draft, id, vault),
          ...createdBy(author, nowMs),
        }
        await tx.insertInto('destinations').values(row).execute()
        return read(row)
      }),

    /** @param next makes the draft from what is stored, secrets in clear; may be asked again, may throw */
    revise: (
      id: number,
      next: (stored: StoredDestination) => DestinationDraft,
      author: number,
    ): Promise<StoredDestination> =>
      revise({ read: () => get(id), next, write: (draft, revision) => write(id, draft, author, revision) }),

    /** All of them or none. @throws CatalogRefusal in_use with the segments mapped to one of them [API-80] */
    remove: (ids: readonly number[]): Promise<void> =>
      change(async (tx) => {
        for (const id of ids) {
          const stored = await tx
            .selectFrom('destinations')
            .select('destination_id')
            .where('destination_id', '=', id)
            .executeTakeFirst()
          if (stored === undefined) throw notFound('destination', id)
          const mapped = await tx
            .selectFrom('mappings')
            .select('segment_id')
            .where('destination_id', '=', id)
            .orderBy('segment_id')
            .execute()
          if (mapped.length > 0)
            throw inUse(
              `Destination ${id}`,
              'segments',
              mapped.map((row) => row.segment_id),
            )
          await tx.deleteFrom('destinations').where('destination_id', '=', id).execute()
        }
      }),
  }
}

/** Nobody could be told under the IDs of one that does not exist. Later it stays: what is named cannot be deleted. */
async function requireDataSources(
  tx: Transaction<Tables>,
  { dataSourceIds, dataSourceField = 'dataSourceIds' }: DestinationDraft,
): Promise<void> {
  for (const id of dataSourceIds) await requireDataSource(tx, id, dataSourceField)
}

async function readDestinationUsage(db: Kysely<Tables>, limits: Connection['limits']) {
  const rows = await db
    .selectFrom('destinations')
    .select((row) => ['destination_type', row.fn.countAll<number>().as('count')])
    .groupBy('destination_type')
    .execute()
  const total = rows.reduce((sum, row) => sum + Number(row.count), 0)
  const told = rows.filter((row) => isServerToServer(row.destination_type))
  const serverToServer = told.reduce((sum, row) => sum + Number(row.count), 0)
  return {
    destinations: { count: total, max: limits.destinations },
    serverToServerDestinations: { count: serverToServer, max: limits.serverToServerDestinations },
  } satisfies Record<string, Usage>
}

/** Told by the server; URL and cookie destinations are told by the browser [API-86]. */
function isServerToServer(destinationType: string): boolean {
  return destinationType !== 'PUSH' && destinationType !== 'ADS'
}

function columnsOf(draft: DestinationDraft, id: number, vault: Vault) {
  return {
    name: draft.name,
    description: draft.description ?? null,
    destination_type: draft.destinationType,
    status: draft.status,
    vendor_id: draft.vendorId ?? null,
    data_source_ids: JSON.stringify(draft.dataSourceIds),
    // Sealed whole: an address or a header may hold a secret as well as a key does [SEC-62].
    sealed_config: vault.seal(JSON.stringify(draft.config), placeOf(id)),
  }
}

function placeOf(id: number): string {
  return `destination:${id}:config`
}

export function readDestination(row: DestinationRow, vault: Vault): StoredDestination {
  return {
    destinationId: row.destination_id as DestinationId,
    name: row.name,
    description: row.description ?? undefined,
    destinationType: row.destination_type,
    status: row.status as Destination['status'],
    vendorId: row.vendor_id ?? undefined,
    mappingVersion: row.mapping_version,
    formerAliases: JSON.parse(row.former_aliases) as Record<number, string>,
    config: readConfig(row, vault),
    ...readAuthorship(row),
  }
}

/** One that cannot be read must not take all others with it: it can be looked at, and saved anew. */
function readConfig(row: DestinationRow, vault: Vault): unknown {
  try {
    return JSON.parse(vault.open(row.sealed_config, placeOf(row.destination_id))) as unknown
  } catch (error) {
    if (error instanceof SecretUnreadableError || error instanceof SyntaxError) return undefined
    throw error
  }
}
