import { z } from 'zod'
import { Folder, FolderDraft, FolderKind, FolderQuery, folderIdField } from '../contract.ts'
import type { Catalog } from '../store/catalog/catalog.ts'
import { type FolderKind as Kind, ROOT_FOLDER_ID, type StoredFolder } from '../store/catalog/folders.ts'
import { NoContent, PatchBody, patched, type Routes } from './app.ts'
import { authorship } from './authorship.ts'
import { operationsOf } from './operation-words.ts'
import { noSuch } from './problem.ts'

const kindParams = z.object({ kind: FolderKind })
const params = z.object({ kind: FolderKind, folderId: folderIdField })

/** Routes under `/v1/folders/traits` and `/v1/folders/segments`. Source: spec/rest-api.md section 7. */
export const folderRoutes: Routes<{ catalog: Catalog }> = (app, { catalog }) => {
  const { folders } = catalog
  const says = operationsOf('Folders')

  const find = async (kind: Kind, folderId: number, levels = Number.POSITIVE_INFINITY): Promise<Folder> => {
    const tree = new FolderTree(await folders.list(kind), catalog.pid)
    const folder = tree.render(folderId, levels)
    if (folder === undefined) throw noSuch('folder', folderId)
    return folder
  }

  app.get(
    '/v1/folders/:kind',
    {
      schema: {
        ...says('Show the tree of folders', 'All folders of traits or of segments, from the root on.'),
        params: kindParams,
        response: { 200: z.array(Folder) },
      },
    },
    async (request) => [await find(request.params.kind, ROOT_FOLDER_ID)],
  )

  app.get(
    '/v1/folders/:kind/:folderId',
    {
      schema: {
        ...says(
          'Show a folder',
          'With the folders directly below it, or with all of them by `includeSubFolders=true`.',
        ),
        params,
        querystring: FolderQuery,
        response: { 200: Folder },
      },
    },
    (request) => {
      const { kind, folderId } = request.params
      return find(kind, folderId, request.query.includeSubFolders === true ? Number.POSITIVE_INFINITY : 1)
    },
  )

  app.post(
    '/v1/folders/:kind',
    {
      schema: {
        ...says(
          'Create a folder',
          'Below the folder that `parentFolderId` names; 0 is the root. A folder of traits gets its folder trait.',
        ),
        params: kindParams,
        body: FolderDraft,
        response: { 201: Folder },
      },
    },
    async (request, reply) => {
      const { kind } = request.params
      const { folderId } = await folders.create(kind, request.body, request.caller.author)
      return reply.code(201).send(await find(kind, folderId))
    },
  )

  app.put(
    '/v1/folders/:kind/:folderId',
    {
      schema: {
        ...says('Replace a folder', 'Renames it, or moves it with all it holds to another parent.'),
        params,
        body: FolderDraft,
        response: { 200: Folder },
      },
    },
    async (request) => {
      const { kind, folderId } = request.params
      await folders.replace(kind, folderId, request.body, request.caller.author)
      return find(kind, folderId)
    },
  )

  app.patch(
    '/v1/folders/:kind/:folderId',
    {
      schema: {
        ...says('Change a folder', 'Only the members of the body change.'),
        params,
        body: PatchBody,
        response: { 200: Folder },
      },
    },
    async (request) => {
      const { kind, folderId } = request.params
      const next = ({ parentFolderId, name }: StoredFolder) => ({
        ...patched(FolderDraft.omit({ folderId: true }), { parentFolderId, name }, request.body),
        folderId: undefined,
      })
      await folders.revise(kind, folderId, next, request.caller.author)
      return find(kind, folderId)
    },
  )

  app.delete(
    '/v1/folders/:kind/:folderId',
    {
      schema: {
        ...says('Delete a folder', 'Answers 409 while there is something in it. The root stays.'),
        params,
        response: { 204: NoContent },
      },
    },
    async (request, reply) => {
      await folders.remove(request.params.kind, request.params.folderId)
      return reply.code(204).send()
    },
  )
}

class FolderTree {
  readonly #folders: ReadonlyMap<number, StoredFolder>
  readonly #children = new Map<number, StoredFolder[]>()
  readonly #pid: number

  constructor(folders: readonly StoredFolder[], pid: number) {
    this.#pid = pid
    this.#folders = new Map(folders.map((folder) => [folder.folderId, folder]))
    for (const folder of folders) {
      if (folder.folderId === ROOT_FOLDER_ID) continue
      const siblings = this.#children.get(folder.parentFolderId)
      if (siblings === undefined) this.#children.set(folder.parentFolderId, [folder])
      else siblings.push(folder)
    }
  }

  /** @param levels how many levels of folders below it are shown */
  render(folderId: number, levels: number): Folder | undefined {
    const folder = this.#folders.get(folderId)
    if (folder === undefined) return undefined
    const children = this.#children.get(folderId) ?? []
    const subFolders =
      levels < 1
        ? []
        : children.map((child) => this.render(child.folderId, levels - 1)).filter((child) => child !== undefined)
    return {
      folderId,
      parentFolderId: folder.parentFolderId,
      name: folder.name,
      path: this.#pathOf(folder),
      folderCount: children.length,
      ...(folder.folderTraitId !== undefined && { traitId: folder.folderTraitId }),
      subFolders,
      ...authorship(folder, this.#pid),
    }
  }

  #pathOf(folder: StoredFolder): string {
    const names: string[] = []
    let at: StoredFolder | undefined = folder
    while (at !== undefined && at.folderId !== ROOT_FOLDER_ID) {
      names.unshift(at.name)
      at = this.#folders.get(at.parentFolderId)
    }
    return `/${names.join('/')}`
  }
}
