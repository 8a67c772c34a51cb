import type { Transaction } from 'kysely'
import type { FolderId, TraitId } from '../../model/ids.ts'
import { type Authorship, type Connection, createdBy, readAuthorship, updatedBy } from './connection.ts'
import { createFolderTrait, folderTraitName } from './folder-traits.ts'
import { takeId } from './ids.ts'
import { CatalogRefusal, inUse, limitReached, notFound, unknownReference } from './refusal.ts'
import { mustBeOf, revise } from './revise.ts'
import { segmentsUsingTrait } from './segment-traits.ts'
import type { FolderRow, Tables } from './tables.ts'

/** Traits and segments have a tree each; both have a root with id 0 [AUD-101]. */
export type FolderKind = 'traits' | 'segments'

export const ROOT_FOLDER_ID = 0

export interface FolderDraft {
  readonly folderId: number | undefined
  readonly parentFolderId: number
  readonly name: string
}

export interface StoredFolder extends Authorship {
  readonly kind: FolderKind
  readonly folderId: FolderId
  readonly parentFolderId: FolderId
  readonly name: string
  /** Folders of traits only; the root has none. */
  readonly folderTraitId: TraitId | undefined
}

export type FolderRepository = ReturnType<typeof createFolders>

export function createFolders({ db, limits, change }: Connection) {
  /** Levels of the deepest branch below and including each folder, and of its way up, must fit [AUD-101]. */
  const checkPlace = (tree: ReadonlyMap<number, FolderRow>, self: number | undefined, parentId: number) => {
    if (!tree.has(parentId)) throw unknownReference('parentFolderId', 'folder', parentId)
    const above = levelsAbove(tree, self, parentId)
    const below = self === undefined ? 1 : levelsBelow(tree, self)
    if (above + below > limits.folderDepth) throw limitReached('folderDepth', limits.folderDepth)
  }

  const get = async (kind: FolderKind, id: number): Promise<StoredFolder> => {
    const folders = db.selectFrom('folders').selectAll().where('kind', '=', kind)
    const row = await folders.where('folder_id', '=', id).executeTakeFirst()
    if (row === undefined) throw notFound('folder', id)
    return readFolder(row)
  }

  /** @param revision what the draft was made from, if from anything */
  const write = (kind: FolderKind, id: number, draft: FolderDraft, author: number, revision?: number) =>
    change(async (tx, nowMs) => {
      const tree = await readTree(tx, kind)
      const folder = requireFolder(tree, id)
      mustBeOf(revision, folder)
      checkPlace(tree, id, draft.parentFolderId)
      refuseTwins(tree, draft, id)
      const row = await tx
        .updateTable('folders')
        .set({ name: draft.name, parent_folder_id: draft.parentFolderId, ...updatedBy(author, nowMs) })
        .where('kind', '=', kind)
        .where('folder_id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow()
      if (folder.folder_trait_id !== null) {
        await tx
          .updateTable('traits')
          .set({ name: folderTraitName(draft.name), ...updatedBy(author, nowMs) })
          .where('trait_id', '=', folder.folder_trait_id)
          .execute()
      }
      return readFolder(row)
    })

  return {
    /** The whole tree, at most some thousands, by id; the root first. */
    async list(kind: FolderKind): Promise<StoredFolder[]> {
      const rows = await db.selectFrom('folders').selectAll().where('kind', '=', kind).orderBy('folder_id').execute()
      return rows.map(readFolder)
    },

    /** A folder of traits brings its folder trait along [AUD-102]. */
    create: (kind: FolderKind, draft: FolderDraft, author: number): Promise<StoredFolder> =>
      change(async (tx, nowMs) => {
        const tree = await readTree(tx, kind)
        const limit = kind === 'traits' ? 'traitFolders' : 'segmentFolders'
        if (tree.size - 1 >= limits[limit]) throw limitReached(limit, limits[limit])
        checkPlace(tree, undefined, draft.parentFolderId)
        refuseTwins(tree, draft, undefined)
        const id = await takeId(tx, 'folders', { id: draft.folderId, field: 'folderId' })
        const traitId =
          kind === 'traits'
            ? await createFolderTrait(tx, { folderId: id, folderName: draft.name }, limits, author, nowMs)
            : null
        const row = {
          kind,
          folder_id: id,
          parent_folder_id: draft.parentFolderId,
          name: draft.name,
          folder_trait_id: traitId,
          ...createdBy(author, nowMs),
        }
        await tx.insertInto('folders').values(row).execute()
        return readFolder(row)
      }),

    /** Renames and moves; the folder trait is renamed with it [AUD-102]. */
    replace: (kind: FolderKind, id: number, draft: FolderDraft, author: number): Promise<StoredFolder> =>
      write(kind, id, draft, author),

    /** @param next makes the draft from what is stored; may be asked again, may throw */
    revise: (
      kind: FolderKind,
      id: number,
      next: (stored: StoredFolder) => FolderDraft,
      author: number,
    ): Promise<StoredFolder> =>
      revise({ read: () => get(kind, id), next, write: (draft, revision) => write(kind, id, draft, author, revision) }),

    /** It must be empty, and its folder trait in no segment [AUD-104]. */
    remove: (kind: FolderKind, id: number): Promise<void> =>
      change(async (tx) => {
        const tree = await readTree(tx, kind)
        const folder = requireFolder(tree, id)
        const children = [...tree.values()].filter((row) => row.parent_folder_id === id && row.folder_id !== id)
        if (children.length > 0)
          throw inUse(
            `Folder ${id}`,
            'folders',
            children.map((row) => row.folder_id),
          )
        const members = await membersOf(tx, kind, id, folder.folder_trait_id)
        if (members.length > 0) throw inUse(`Folder ${id}`, kind, members)
        if (folder.folder_trait_id !== null) {
          const users = await segmentsUsingTrait(tx, folder.folder_trait_id)
          if (users.length > 0) throw inUse(`The trait of folder ${id}`, 'segments', users)
          await tx.deleteFrom('traits').where('trait_id', '=', folder.folder_trait_id).execute()
        }
        await tx.deleteFrom('folders').where('kind', '=', kind).where('folder_id', '=', id).execute()
      }),
  }
}

/** @throws CatalogRefusal invalid, naming `folderId` */
export async function requireFolderReference(tx: Transaction<Tables>, kind: FolderKind, id: number): Promise<void> {
  const row = await tx
    .selectFrom('folders')
    .select('folder_id')
    .where('kind', '=', kind)
    .where('folder_id', '=', id)
    .executeTakeFirst()
  if (row === undefined) throw unknownReference('folderId', `folder of ${kind}`, id)
}

async function readTree(tx: Transaction<Tables>, kind: FolderKind): Promise<Map<number, FolderRow>> {
  const rows = await tx.selectFrom('folders').selectAll().where('kind', '=', kind).execute()
  return new Map(rows.map((row) => [row.folder_id, row]))
}

function requireFolder(tree: ReadonlyMap<number, FolderRow>, id: number): FolderRow {
  const folder = tree.get(id)
  if (folder === undefined) throw notFound('folder', id)
  if (id === ROOT_FOLDER_ID) throw new CatalogRefusal('forbidden', 'read_only', 'The root folder cannot be changed.')
  return folder
}

/** The root is level 0. @throws CatalogRefusal invalid when `self` would lie in itself */
function levelsAbove(tree: ReadonlyMap<number, FolderRow>, self: number | undefined, parentId: number): number {
  let levels = 0
  for (let at = parentId; at !== ROOT_FOLDER_ID; at = tree.get(at)?.parent_folder_id ?? ROOT_FOLDER_ID) {
    if (at === self)
      throw new CatalogRefusal('invalid', 'invalid_request', 'A folder cannot lie in itself.', {
        field: 'parentFolderId',
      })
    levels++
  }
  return levels
}

function levelsBelow(tree: ReadonlyMap<number, FolderRow>, id: number): number {
  const children = [...tree.values()].filter((row) => row.parent_folder_id === id)
  return 1 + Math.max(0, ...children.map((row) => levelsBelow(tree, row.folder_id)))
}

function refuseTwins(tree: ReadonlyMap<number, FolderRow>, draft: FolderDraft, self: number | undefined): void {
  for (const row of tree.values()) {
    if (row.folder_id === self || row.folder_id === ROOT_FOLDER_ID) continue
    if (row.parent_folder_id !== draft.parentFolderId || row.name !== draft.name) continue
    throw new CatalogRefusal('conflict', 'name_taken', `The name is taken by folder ${row.folder_id}.`, {
      field: 'name',
      ids: [row.folder_id],
    })
  }
}

async function membersOf(
  tx: Transaction<Tables>,
  kind: FolderKind,
  id: number,
  folderTraitId: number | null,
): Promise<number[]> {
  if (kind === 'segments') {
    const rows = await tx.selectFrom('segments').select('segment_id').where('folder_id', '=', id).limit(1_000).execute()
    return rows.map((row) => row.segment_id)
  }
  const rows = await tx.selectFrom('traits').select('trait_id').where('folder_id', '=', id).limit(1_000).execute()
  return rows.map((row) => row.trait_id).filter((traitId) => traitId !== folderTraitId)
}

function readFolder(row: FolderRow): StoredFolder {
  return {
    kind: row.kind as FolderKind,
    folderId: row.folder_id as FolderId,
    parentFolderId: row.parent_folder_id as FolderId,
    name: row.name,
    folderTraitId: row.folder_trait_id === null ? undefined : (row.folder_trait_id as TraitId),
    ...readAuthorship(row),
  }
}
