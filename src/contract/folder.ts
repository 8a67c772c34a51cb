import { z } from 'zod'
import { authored, flag, folderIdField, nameField, objectId, optional } from './fields.ts'

/** `traits` or `segments`: two trees with a root 0 each. */
export const FolderKind = z.enum(['traits', 'segments'])

/** Both are required, also to change a folder [API-66], [API-67]. */
export const FolderDraft = z.object({ folderId: optional(objectId), parentFolderId: folderIdField, name: nameField })
export type FolderDraft = z.output<typeof FolderDraft>

const folderFields = z.object({
  folderId: z.int(),
  parentFolderId: z.int(),
  name: z.string(),
  path: z.string().meta({ description: 'Names from the root on, as /Shop/Shoes' }),
  folderCount: z.int(),
  traitId: z.int().optional().meta({ description: 'The folder trait; folders of traits only' }),
  ...authored,
})

/** [API-69] */
export interface Folder extends z.infer<typeof folderFields> {
  readonly subFolders: Folder[]
}
export const Folder: z.ZodType<Folder> = folderFields
  .extend({
    get subFolders() {
      return z.array(Folder)
    },
  })
  // A schema that names itself needs a name in the OpenAPI document.
  .meta({ id: 'Folder' })

export const FolderQuery = z.object({ includeSubFolders: optional(flag) })
