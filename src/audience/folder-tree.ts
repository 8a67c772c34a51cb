import type { Folder } from '../model/definitions.ts'
import type { FolderId, TraitId } from '../model/ids.ts'

/**
 * Folders numbered so that a folder and everything below it are one range: a trait lies under a folder exactly when the
 * number of its own folder is in that range [AUD-103].
 */
export interface FolderTree {
  /** Number of a folder; undefined for a folder that does not exist. */
  numberOf(folderId: FolderId): number | undefined
  /** What a folder trait covers: folders `from` to `to - 1`. */
  rangeOf(folderTraitId: TraitId): { readonly from: number; readonly to: number } | undefined
  /** By number of a folder: folder traits of the folder itself and of all above it. */
  readonly traitsAbove: readonly (readonly TraitId[])[]
}

export function buildFolderTree(folders: Iterable<Folder>): FolderTree {
  const all = [...folders]
  const known = new Set(all.map((folder) => folder.folderId))
  const children = new Map<FolderId, Folder[]>()
  const roots: Folder[] = []
  for (const folder of all) {
    if (folder.parentFolderId === folder.folderId || !known.has(folder.parentFolderId)) roots.push(folder)
    else children.set(folder.parentFolderId, [...(children.get(folder.parentFolderId) ?? []), folder])
  }
  const numbers = new Map<FolderId, number>()
  const ranges = new Map<TraitId, { from: number; to: number }>()
  const traitsAbove: TraitId[][] = []
  const visit = (folder: Folder, above: readonly TraitId[]) => {
    const own = folder.folderTraitId === undefined ? [...above] : [...above, folder.folderTraitId]
    const from = traitsAbove.push(own) - 1
    numbers.set(folder.folderId, from)
    for (const child of children.get(folder.folderId) ?? []) visit(child, own)
    if (folder.folderTraitId !== undefined) ranges.set(folder.folderTraitId, { from, to: traitsAbove.length })
  }
  // Depth is limited to a handful where folders are made, and a ring of folders hangs on no root.
  for (const root of roots) visit(root, [])
  return { numberOf: (id) => numbers.get(id), rangeOf: (id) => ranges.get(id), traitsAbove }
}
